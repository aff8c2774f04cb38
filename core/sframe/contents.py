"""A whole section as values: what `encode` writes, and what `convert` and `eh_frame` make.

`decode` reads on demand; here every function comes with its rows, and every value that decides
a byte is a field. Functions keep the order of their descriptors, and `fres_at` says where their
rows are, which need not be in that order: ld writes the rows of its PLT entries last.
"""

from dataclasses import dataclass, replace

from stackweave.core.sframe.constants import Version
from stackweave.core.sframe.decode import FrameRow, FunctionDescriptor, parse_section
from stackweave.core.sframe.errors import ErrorKind, SFrameError
from stackweave.core.sframe.header import FDE_SIZE, HEADER_SIZE, MIN_FRE_SIZE, Header
from stackweave.core.sframe.layout import ATTRIBUTE_SIZE


@dataclass(frozen=True, slots=True)
class FunctionContents:
    """One function with its rows."""

    descriptor: FunctionDescriptor
    rows: tuple[FrameRow, ...]


@dataclass(frozen=True, slots=True)
class TableContents:
    """One header with its functions, in the order of their descriptors."""

    header: Header
    auxiliary: bytes
    """The auxiliary header."""
    functions: tuple[FunctionContents, ...]


@dataclass(frozen=True, slots=True)
class SectionContents:
    """A whole section: one table from GNU ld, several from lld."""

    address: int
    """Where the section is linked."""
    size: int
    """Length in bytes; what no table speaks for is zero."""
    tables: tuple[TableContents, ...]


def read_contents(section: bytes, address: int) -> SectionContents:
    """Decode every function of the `.sframe` linked at `address`; raises `SFrameError`.

    Functions may share rows, so a small hostile section could unfold into a large one: more
    rows than the section's bytes could hold are refused.
    """
    left = len(section) // MIN_FRE_SIZE
    tables = []
    for table in parse_section(section, address):
        functions = []
        for index in range(len(table)):
            descriptor = table.descriptor(index)
            left -= descriptor.num_fres
            if left < 0:
                raise SFrameError(
                    ErrorKind.INCONSISTENT,
                    descriptor.fres_at,
                    "number of FREs",
                    f"functions claim more rows than fit in {len(section)} bytes",
                )
            functions.append(FunctionContents(descriptor, table.rows(descriptor)))
        auxiliary_at = table.header.offset + HEADER_SIZE
        auxiliary = section[auxiliary_at : auxiliary_at + table.header.auxhdr_len]
        tables.append(TableContents(table.header, auxiliary, tuple(functions)))
    return SectionContents(address, len(section), tuple(tables))


def laid_out(table: TableContents) -> TableContents:
    """The table with its parts one behind the other, rows in the order of their old places.

    Only the header's `offset`, version, flags, ABI and fixed offsets are kept; counts, lengths
    and places follow from the functions. Those that shared a place share it again if they
    still say the same.
    """
    header = replace(
        table.header,
        auxhdr_len=len(table.auxiliary),
        num_fdes=len(table.functions),
        fdeoff=0,
        freoff=len(table.functions) * FDE_SIZE[table.header.version],
    )
    lead = attribute_size(header.version)
    functions = list(table.functions)
    at, num_fres = header.fres_at, 0
    before: FunctionContents | None = None
    for index in sorted(range(len(functions)), key=lambda i: functions[i].descriptor.fres_at):
        function = functions[index]
        shared = before is not None and _shares(function, before)
        place = at - rows_size(function) if shared else at + lead
        functions[index] = _placed(function, place)
        if not shared:
            before = function
            at = place + rows_size(function)
            num_fres += len(function.rows)
    header = replace(header, num_fres=num_fres, fre_len=at - header.fres_at)
    return TableContents(header, table.auxiliary, tuple(functions))


def section_of(address: int, tables: tuple[TableContents, ...]) -> SectionContents:
    """A section of these tables, laid out one behind the other, eight bytes aligned as by lld."""
    placed, end = [], 0
    for table in tables:
        offset = end + 7 & ~7
        placed.append(laid_out(replace(table, header=replace(table.header, offset=offset))))
        end = placed[-1].header.end
    return SectionContents(address, end, tuple(placed))


def attribute_size(version: Version) -> int:
    """Bytes of what a version puts before the rows of each function."""
    return ATTRIBUTE_SIZE if version is Version.V3 else 0


def rows_size(function: FunctionContents) -> int:
    """Bytes of the function's rows."""
    head = (1 << function.descriptor.fre_type) + 1
    return sum(head + row.word_size * len(row.words) for row in function.rows)


def _placed(function: FunctionContents, place: int) -> FunctionContents:
    descriptor = replace(function.descriptor, num_fres=len(function.rows), fres_at=place)
    return FunctionContents(descriptor, function.rows)


def _shares(function: FunctionContents, before: FunctionContents) -> bool:
    """Whether everything that lies at the functions' place is the same."""
    mine, other = function.descriptor, before.descriptor
    same = mine == replace(other, start=mine.start, size=mine.size)
    return same and bool(function.rows) and function.rows == before.rows
