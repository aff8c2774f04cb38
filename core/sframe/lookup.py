"""From an address to its rule: functions by bisection, then rows by bisection, remembered.

FDE_SORTED is not believed. lld and relocatable files leave it clear, damaged files set it
wrongly, and PCREL fields are not monotonic even where addresses are, so the functions of all
headers are sorted by address once. Functions of no size cover nothing and are left out; of
functions that overlap, the closest start wins (section 5 of the format description).

Rules are made per function when it is first hit. The memory they take is bounded by the
section's size: functions may share rows in a hostile file, so once more rules are kept than
the section could hold rows, all are dropped and made again as needed.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from stackweave.core.sframe import amd64
from stackweave.core.sframe.constants import Abi, FdeType, PcType, Version
from stackweave.core.sframe.decode import FunctionDescriptor, Table, parse_section
from stackweave.core.sframe.errors import ErrorKind, SFrameError
from stackweave.core.sframe.header import MIN_FRE_SIZE
from stackweave.core.sframe.rules import OUTERMOST, SIGNAL_ENTRY, Architecture, FrameRule

ARCHITECTURES: Final[Mapping[Abi, Architecture]] = {Abi.AMD64_ENDIAN_LITTLE: amd64}
"""The ABIs that can be unwound."""


@dataclass(frozen=True, slots=True)
class FunctionRules:
    """One function, ready for look-ups."""

    descriptor: FunctionDescriptor
    starts: tuple[int, ...]
    """Where each rule begins: bytes from the function's (or repeated block's) start."""
    rules: tuple[FrameRule, ...]
    without_rows: FrameRule | None
    """The rule of an entry without rows, if that has a meaning."""

    def rule_at(self, address: int) -> FrameRule | None:
        """The last row that starts at or before `address`; None if there is none."""
        offset = address - self.descriptor.start
        if self.descriptor.pc_type is PcType.MASK:
            offset %= self.descriptor.rep_size
        row = bisect_right(self.starts, offset) - 1
        return self.rules[row] if row >= 0 else self.without_rows


class SFrameSection:
    """A `.sframe` section: every header, searchable by address."""

    def __init__(self, contents: bytes, address: int) -> None:
        """Decode `contents`, linked at `address`; raises `SFrameError` for broken headers."""
        self.tables = parse_section(contents, address)
        self.architecture = _architecture(self.tables)
        entries = sorted(
            (start, size, table, index)
            for table, decoded in enumerate(self.tables)
            for index, (start, size) in enumerate(zip(decoded.starts, decoded.sizes, strict=True))
            if size
        )
        self._entries = entries
        self._starts = [entry[0] for entry in entries]
        self._functions: dict[int, FunctionRules] = {}
        self._memo: dict[int, FrameRule | None] = {}
        self._kept_rules = 0
        self._most_rules = 1 + len(contents) // MIN_FRE_SIZE

    def find(self, address: int) -> tuple[Table, int] | None:
        """The table and index of the descriptor that covers `address`, or None."""
        found = self._position(address)
        if found is None:
            return None
        _, _, table, index = self._entries[found]
        return self.tables[table], index

    def rule_at(self, address: int) -> FrameRule | None:
        """The rule for the instruction at `address`, as linked; None if none is described.

        Raises `SFrameError` if the function's entry or rows are damaged.
        """
        try:
            return self._memo[address]
        except KeyError:
            pass
        found = self._position(address)
        rule = None if found is None else self._function(found).rule_at(address)
        if len(self._memo) >= self._most_rules:
            self._memo.clear()
        self._memo[address] = rule
        return rule

    def _position(self, address: int) -> int | None:
        found = bisect_right(self._starts, address) - 1
        if found < 0:
            return None
        start, size, _, _ = self._entries[found]
        return found if address < start + size else None

    def _function(self, position: int) -> FunctionRules:
        function = self._functions.get(position)
        if function is None:
            _, _, table, index = self._entries[position]
            function = function_rules(self.architecture, self.tables[table], index)
            self._kept_rules += len(function.rules) + 1
            if self._kept_rules > self._most_rules + len(self._entries):
                self._functions.clear()
                self._kept_rules = len(function.rules) + 1
            self._functions[position] = function
        return function


def function_rules(architecture: Architecture, table: Table, index: int) -> FunctionRules:
    """Decode one function and interpret its rows, or raise `SFrameError`."""
    descriptor = table.descriptor(index)
    rows = table.rows(descriptor)
    flexible = descriptor.fde_type is FdeType.FLEX
    interpret = architecture.flexible_rule if flexible else architecture.default_rule
    return FunctionRules(
        descriptor,
        tuple(row.start for row in rows),
        tuple(interpret(table.header, descriptor, row) for row in rows),
        None if rows else _rule_without_rows(table, descriptor),
    )


def _rule_without_rows(table: Table, descriptor: FunctionDescriptor) -> FrameRule | None:
    """V3: a signal trampoline, or the outermost function; before: nothing is known."""
    if table.header.version is not Version.V3:
        return None
    if descriptor.is_signal_frame:
        return SIGNAL_ENTRY
    return OUTERMOST if descriptor.fde_type is FdeType.DEFAULT else None


def _architecture(tables: tuple[Table, ...]) -> Architecture:
    abis = {table.header.abi for table in tables} or {Abi.AMD64_ENDIAN_LITTLE}
    if len(abis) > 1:
        raise SFrameError(ErrorKind.INCONSISTENT, 4, "abi", "headers of several ABIs")
    (abi,) = abis
    if abi not in ARCHITECTURES:
        raise SFrameError(ErrorKind.UNSUPPORTED, 4, "abi", f"{abi.name} cannot be unwound yet")
    return ARCHITECTURES[abi]
