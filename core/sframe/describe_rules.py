"""Rules in words: `CFA = rsp + 16; RA = *(CFA - 8); rbp = *(CFA - 16)`, with the ABI's register names.

Numbers are DWARF's, names those of the ABIs' documents: the System V psABI of AMD64 (figure
3.36), DWARF for the Arm 64-bit Architecture (4.1), the s390x ELF ABI supplement (figure 1-24).
"""

from collections.abc import Callable, Mapping
from typing import Final

from stackweave.core.sframe.architectures import ARCHITECTURES
from stackweave.core.sframe.constants import Abi
from stackweave.core.sframe.rules import ADDRESS_MASK, CFA, FrameRule, Location, RuleKind

_AARCH64: Final = (*(f"x{number}" for number in range(31)), "sp")
_FLOATS: Final = (0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15)

REGISTER_NAMES: Final[Mapping[Abi, tuple[str, ...]]] = {
    Abi.AARCH64_ENDIAN_BIG: _AARCH64,
    Abi.AARCH64_ENDIAN_LITTLE: _AARCH64,
    Abi.AMD64_ENDIAN_LITTLE: (
        *("rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp"),
        *(f"r{number}" for number in range(8, 16)),
    ),
    Abi.S390X_ENDIAN_BIG: (*(f"r{n}" for n in range(16)), *(f"f{n}" for n in _FLOATS)),
}
"""Registers by DWARF number, as far as rules may sensibly name them."""

_KINDS: Final = {
    RuleKind.OUTERMOST: "RA undefined",
    RuleKind.SIGNAL_ENTRY: "signal trampoline without rows",
}


def register_name(abi: Abi, number: int) -> str:
    """The register's name, or `register 77`."""
    names = REGISTER_NAMES[abi]
    if number == CFA:
        return "CFA"
    return names[number] if number < len(names) else f"register {number}"


def equations(abi: Abi, rule: FrameRule) -> str:
    """What the rule says of the caller's CFA, RA and FP; of its SP where that is not the CFA."""
    return _spelled(abi, rule, _offset)


def shape(abi: Abi, rule: FrameRule) -> str:
    """The same with `n` for every offset, so that rules can be counted by kind."""
    return _spelled(abi, rule, lambda offset: " + n")


def _spelled(abi: Abi, rule: FrameRule, offset: Callable[[int], str]) -> str:
    if rule.kind is not RuleKind.FRAME:
        return _KINDS[rule.kind]
    architecture = ARCHITECTURES[abi]
    fp, sp = (register_name(abi, number) for number in (architecture.FP, architecture.SP))
    ra = _location(abi, rule.ra, offset)
    parts = [
        f"CFA = {_location(abi, rule.cfa, offset)}",
        f"RA = {ra}" if rule.ra_mask == ADDRESS_MASK else f"RA = {ra} & {rule.ra_mask:#x}",
        f"{fp} unchanged" if rule.fp is None else f"{fp} = {_location(abi, rule.fp, offset)}",
    ]
    if architecture.CFA_TO_SP:
        parts.append(f"{sp} = CFA{_offset(architecture.CFA_TO_SP)}")
    return "; ".join(parts) + (" (signal trampoline)" if rule.interrupts else "")


def _location(abi: Abi, location: Location, offset: Callable[[int], str]) -> str:
    name = register_name(abi, location.register)
    if location.dereference:
        return f"*({name}{offset(location.offset)})"
    return f"{name}{offset(location.offset)}" if location.offset else name


def _offset(offset: int) -> str:
    return f" {'-' if offset < 0 else '+'} {abs(offset)}" if offset else ""
