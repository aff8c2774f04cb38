"""From an address to its rule: functions by bisection, then rows by bisection, remembered.

FDE_SORTED is not believed. lld and relocatable files leave it clear, damaged files set it
wrongly, and PCREL fields are not monotonic even where addresses are, so the functions of all
headers are sorted by address once. Functions of no size cover nothing and are left out; of
functions that overlap, the closest start wins (section 5 of the format description).

A function's rows are located when it is first hit, and a row is interpreted when an address
in it is. Both happen once. Functions of a hostile file may share rows; once more rows have
been located than the section can hold, the rest is refused, so neither memory nor time exceeds
what the section's size explains.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from stackweave.core.sframe.architectures import ARCHITECTURES
from stackweave.core.sframe.constants import Abi, FdeType, PcType, Version
from stackweave.core.sframe.decode import FrameRow, FunctionDescriptor, Table, parse_section
from stackweave.core.sframe.errors import ErrorKind, SFrameError
from stackweave.core.sframe.header import MIN_FRE_SIZE
from stackweave.core.sframe.rules import OUTERMOST, SIGNAL_ENTRY, Architecture, FrameRule


@dataclass(frozen=True, slots=True)
class FunctionRows:
    """One function, ready for look-ups."""

    table: Table
    descriptor: FunctionDescriptor
    starts: Sequence[int]
    """Where each row begins: bytes from the function's (or repeated block's) start."""
    places: Sequence[int]
    """Section offset of each row."""

    def row_at(self, address: int) -> FrameRow | None:
        """The last row that starts at or before `address`; None if there is none."""
        offset = address - self.descriptor.start
        if self.descriptor.pc_type is PcType.MASK:
            offset %= self.descriptor.rep_size
        found = bisect_right(self.starts, offset) - 1
        return self.table.row(self.places[found], self.descriptor.fre_type) if found >= 0 else None


class SFrameSection:
    """A `.sframe` section: every header, searchable by address."""

    def __init__(self, contents: bytes, address: int) -> None:
        """Decode `contents`, linked at `address`; raises `SFrameError` for broken headers."""
        self.address = address
        self.tables = parse_section(contents, address)
        self.abi = _abi(self.tables)
        """None: the section has no header."""
        self.architecture = ARCHITECTURES[self.abi or Abi.AMD64_ENDIAN_LITTLE]
        """Without a header nobody asks it anything."""
        entries = sorted(
            (start, size, table, index)
            for table, decoded in enumerate(self.tables)
            for index, (start, size) in enumerate(zip(decoded.starts, decoded.sizes, strict=True))
            if size
        )
        self._entries = entries
        self._starts = [entry[0] for entry in entries]
        self._functions: dict[int, FunctionRows | SFrameError] = {}
        self._memo: dict[int, FrameRule | None] = {}
        self._located = 0
        self._most_rows = len(contents) // MIN_FRE_SIZE

    def rule_at(self, address: int) -> FrameRule | None:
        """The rule for the instruction at `address`, as linked; None if none is described.

        Raises `SFrameError` if the function's entry or rows are damaged.
        """
        try:
            return self._memo[address]
        except KeyError:
            pass
        function = self.function_at(address)
        rule = None if function is None else self._rule(function, address)
        if len(self._memo) > self._most_rows:
            self._memo.clear()
        self._memo[address] = rule
        return rule

    def function_at(self, address: int) -> FunctionRows | None:
        """The function that covers `address`, as linked; None if none does.

        Raises `SFrameError` if its entry or rows are damaged.
        """
        found = self._position(address)
        return None if found is None else self._function(found)

    def _position(self, address: int) -> int | None:
        found = bisect_right(self._starts, address) - 1
        if found < 0:
            return None
        start, size, _, _ = self._entries[found]
        return found if address < start + size else None

    def _function(self, position: int) -> FunctionRows:
        function = self._functions.get(position)
        if function is None:
            try:
                function = self._locate(position)
            except SFrameError as error:
                function = error
            self._functions[position] = function
        if isinstance(function, SFrameError):
            raise function.with_traceback(None)
        return function

    def _locate(self, position: int) -> FunctionRows:
        _, _, table, index = self._entries[position]
        descriptor = self.tables[table].descriptor(index)
        if self._located + descriptor.num_fres > self._most_rows:
            raise SFrameError(
                ErrorKind.INCONSISTENT,
                descriptor.fres_at,
                "number of FREs",
                f"functions claim more rows than the {self._most_rows} that fit in the section",
            )
        places = self.tables[table].row_places(descriptor)
        self._located += descriptor.num_fres  # a damaged function takes nothing from the others
        return FunctionRows(self.tables[table], descriptor, *places)

    def _rule(self, function: FunctionRows, address: int) -> FrameRule | None:
        row = function.row_at(address)
        if row is not None:
            return interpret(self.architecture, function.table, function.descriptor, row)
        return None if function.places else _rule_without_rows(function)


def interpret(
    architecture: Architecture, table: Table, descriptor: FunctionDescriptor, row: FrameRow
) -> FrameRule:
    """The equations of a row, or `SFrameError` if its words make none."""
    if descriptor.fde_type is FdeType.FLEX:
        return architecture.flexible_rule(table.header, descriptor, row)
    return architecture.default_rule(table.header, descriptor, row)


def _rule_without_rows(function: FunctionRows) -> FrameRule | None:
    """V3: a signal trampoline, or the outermost function; before: nothing is known."""
    if function.table.header.version is not Version.V3:
        return None
    if function.descriptor.is_signal_frame:
        return SIGNAL_ENTRY
    return OUTERMOST if function.descriptor.fde_type is FdeType.DEFAULT else None


def _abi(tables: tuple[Table, ...]) -> Abi | None:
    abis = {table.header.abi for table in tables}
    if len(abis) > 1:
        raise SFrameError(ErrorKind.INCONSISTENT, 4, "abi", "headers of several ABIs")
    return abis.pop() if abis else None
