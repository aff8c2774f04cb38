"""Every function of a section with all that can be read of it, and what cannot.

Damage in one function does not hide the others, nor the rows before it. Functions of a hostile
file may share rows: once more rows have been read than the section's bytes can hold, the rest
is left out, as look-ups do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from stackweave.core.sframe.architectures import ARCHITECTURES
from stackweave.core.sframe.decode import FrameRow, FunctionDescriptor, Table
from stackweave.core.sframe.errors import ErrorKind, SFrameError
from stackweave.core.sframe.header import MIN_FRE_SIZE
from stackweave.core.sframe.lookup import interpret
from stackweave.core.sframe.rules import FrameRule


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One row, and what it says."""

    at: int
    """Offset in the section."""
    row: FrameRow
    rule: FrameRule | SFrameError
    """The error: its words make no rule."""


@dataclass(frozen=True, slots=True)
class ReadFunction:
    """One function, as far as it can be read."""

    table: Table
    index: int
    """Number of its descriptor under its header."""
    start: int
    size: int
    descriptor: FunctionDescriptor | None
    """None: the damage is there."""
    rows: tuple[ReadRow, ...]
    damage: SFrameError | None
    """What ended the reading."""

    @property
    def is_damaged(self) -> bool:
        return bool(self.errors())

    def errors(self) -> list[SFrameError]:
        """All that is wrong with it, in the order of reading."""
        words = [row.rule for row in self.rows if isinstance(row.rule, SFrameError)]
        return words if self.damage is None else [*words, self.damage]


def read_functions(tables: Sequence[Table], size: int) -> Iterator[ReadFunction]:
    """Every function of a section of `size` bytes, in the order of the descriptors."""
    left = size // MIN_FRE_SIZE
    for table in tables:
        for index in range(len(table)):
            function = _read_function(table, index, left)
            left -= len(function.rows)
            yield function


def _read_function(table: Table, index: int, most: int) -> ReadFunction:
    start, size = table.starts[index], table.sizes[index]
    try:
        descriptor = table.descriptor(index)
    except SFrameError as error:
        return ReadFunction(table, index, start, size, None, (), error)
    places, damage = _readable_places(table, descriptor, most)
    rows = tuple(_read_row(table, descriptor, at) for at in places)
    return ReadFunction(table, index, start, size, descriptor, rows, damage)


def _readable_places(
    table: Table, descriptor: FunctionDescriptor, most: int
) -> tuple[Sequence[int], SFrameError | None]:
    """Where the rows before the first damage are, at most so many, and what ended them.

    Reading ends at the damage, so each attempt costs no more than the rows before it.
    """
    claimed = min(descriptor.num_fres, most)
    places = _places(table, descriptor, claimed)
    if not isinstance(places, SFrameError):
        return places, None if claimed == descriptor.num_fres else _too_many(descriptor)
    good, step = 0, 1
    while step < claimed and _is_readable(table, descriptor, step):
        good, step = step, 2 * step
    bad = min(step, claimed)
    while bad - good > 1:
        middle = (good + bad) // 2
        if _is_readable(table, descriptor, middle):
            good = middle
        else:
            bad = middle
    readable, damage = (_places(table, descriptor, rows) for rows in (good, bad))
    assert not isinstance(readable, SFrameError)
    assert isinstance(damage, SFrameError)
    return readable, damage


def _is_readable(table: Table, descriptor: FunctionDescriptor, rows: int) -> bool:
    return not isinstance(_places(table, descriptor, rows), SFrameError)


def _places(table: Table, descriptor: FunctionDescriptor, rows: int) -> Sequence[int] | SFrameError:
    """Where so many rows are, or why they cannot be read."""
    try:
        return table.row_places(replace(descriptor, num_fres=rows))[1]
    except SFrameError as error:
        return error.with_traceback(None)


def _read_row(table: Table, descriptor: FunctionDescriptor, at: int) -> ReadRow:
    row = table.row(at, descriptor.fre_type)
    try:
        return ReadRow(at, row, interpret(ARCHITECTURES[table.header.abi], table, descriptor, row))
    except SFrameError as error:
        return ReadRow(at, row, error.with_traceback(None))


def _too_many(descriptor: FunctionDescriptor) -> SFrameError:
    return SFrameError(
        ErrorKind.INCONSISTENT,
        descriptor.fres_at,
        "number of FREs",
        "functions claim more rows than fit in the section",
    )
