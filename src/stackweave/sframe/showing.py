"""What the subcommands' JSON shares: rules, errors and hexadecimal numbers."""

from typing import Final

from stackweave.core.sframe.constants import Abi
from stackweave.core.sframe.describe_rules import equations, register_name
from stackweave.core.sframe.errors import SFrameError
from stackweave.core.sframe.rules import ADDRESS_MASK, FrameRule, Location, RuleKind

Json = dict[str, object]

_KINDS: Final = {
    RuleKind.FRAME: "frame",
    RuleKind.OUTERMOST: "outermost",
    RuleKind.SIGNAL_ENTRY: "signal-entry",
}


def hexadecimal(address: int) -> str:
    """An address; a damaged one may lie outside 64 bits."""
    return f"{address & ADDRESS_MASK:#x}"


def rule_json(abi: Abi, rule: FrameRule) -> Json:
    """A rule as text, and each of its equations; null: unchanged, or there is none."""
    is_frame = rule.kind is RuleKind.FRAME
    return {
        "kind": _KINDS[rule.kind],
        "text": equations(abi, rule),
        "cfa": _location_json(abi, rule.cfa) if is_frame else None,
        "ra": _location_json(abi, rule.ra) if is_frame else None,
        "fp": _location_json(abi, rule.fp) if rule.fp is not None else None,
        "ra_mask": hexadecimal(rule.ra_mask),
        "interrupts": rule.interrupts,
    }


def error_json(error: SFrameError) -> Json:
    """What is damaged, and where."""
    return {
        "kind": error.kind.value,
        "offset": error.offset,
        "field": error.field,
        "detail": error.detail,
    }


def _location_json(abi: Abi, location: Location) -> Json:
    return {
        "register": register_name(abi, location.register),
        "offset": location.offset,
        "dereference": location.dereference,
    }
