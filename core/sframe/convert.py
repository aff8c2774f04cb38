"""Between the versions, with an account of what the other one cannot express.

    section, losses = convert(read_contents(contents, address), Dialect.V2_PCREL)
    print(len(encode(section)), [loss.told() for loss in losses])

Rows are read as equations and written anew, so a converted section decodes to equal rules; what
the target cannot say is left out by whole functions, because a row left out would let the one
before it speak for its code. Widths are the smallest, as gas chooses them. Functions keep their
order, their rows theirs, headers their auxiliary bytes.

V1 fixes the length of repeated blocks; a function with other blocks, of which it has only one,
becomes one that does not repeat.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from stackweave.core.sframe.constants import V1_REPEAT_SIZE, FdeType, Flag, PcType, Version
from stackweave.core.sframe.contents import (
    FunctionContents,
    SectionContents,
    TableContents,
    section_of,
)
from stackweave.core.sframe.decode import FunctionDescriptor
from stackweave.core.sframe.dialect import Dialect, Inexpressible, Loss, Reason
from stackweave.core.sframe.errors import EncodeError
from stackweave.core.sframe.header import Header
from stackweave.core.sframe.words import (
    Equations,
    default_row,
    flexible_row,
    fre_type,
    outermost,
    row_equations,
)

_MOST_V3_ROWS: Final = 0xFFFF


def convert(section: SectionContents, dialect: Dialect) -> tuple[SectionContents, tuple[Loss, ...]]:
    """The section in another dialect, at the same address, and what it lost.

    Raises `SFrameError` if a row makes no rule, `EncodeError` if the dialect has no such ABI.
    """
    losses: list[Loss] = []
    tables = tuple(_convert_table(table, dialect, losses) for table in section.tables)
    return section_of(section.address, within_reach(section.address, tables, losses)), tuple(losses)


def described(
    header: Header,
    descriptor: FunctionDescriptor,
    equations: Sequence[Equations],
    may_be_flexible: bool = True,
) -> FunctionContents:
    """The function with rows that say this, flexible ones in V3 if it must be.

    Raises `Inexpressible`.
    """
    if header.version is Version.V3 and len(equations) > _MOST_V3_ROWS:
        raise Inexpressible(Reason.ROW_COUNT, str(len(equations)))
    length = descriptor.size
    if descriptor.pc_type is PcType.MASK:
        length = min(length, descriptor.rep_size)
    descriptor = replace(descriptor, fde_type=FdeType.DEFAULT, fre_type=fre_type(length))
    try:
        return FunctionContents(descriptor, tuple(default_row(header, row) for row in equations))
    except Inexpressible:
        if header.version is not Version.V3 or not may_be_flexible:
            raise
    rows = tuple(flexible_row(header, row) for row in equations)
    return FunctionContents(replace(descriptor, fde_type=FdeType.FLEX), rows)


def within_reach(
    address: int, tables: tuple[TableContents, ...], losses: list[Loss]
) -> tuple[TableContents, ...]:
    """The tables without functions that the start offset, of 32 bits or V3's 64, cannot reach.

    A field's own address is not known before the last function has been left out, so all of
    the section counts.
    """
    area = section_of(address, tables).size
    kept = []
    for table in tables:
        functions = []
        for function in table.functions:
            start, size = function.descriptor.start, function.descriptor.size
            reach = 1 << 63 if table.header.version is Version.V3 else 1 << 31
            if address + area - reach <= start < address + reach:
                functions.append(function)
            else:
                losses.append(Loss(start, size, Reason.DISTANCE, f"{start - address:#x}"))
        kept.append(replace(table, functions=tuple(functions)))
    return tuple(kept)


def _convert_table(table: TableContents, dialect: Dialect, losses: list[Loss]) -> TableContents:
    old = table.header
    if not dialect.describes(old.abi):
        raise EncodeError(f"{dialect.value} does not describe {old.abi.name}")
    flags = old.flags & ~Flag.FDE_FUNC_START_PCREL
    if dialect is Dialect.V3 and flags & Flag.FRAME_POINTER:
        losses.append(Loss(None, 0, Reason.FRAME_POINTER_FLAG, ""))
        flags &= ~Flag.FRAME_POINTER
    if dialect.is_pcrel:
        flags |= Flag.FDE_FUNC_START_PCREL
    header = replace(old, version=dialect.version, flags=flags)
    functions = []
    for function in table.functions:
        try:
            functions.append(_convert_function(old, header, dialect, function))
        except Inexpressible as lost:
            descriptor = function.descriptor
            losses.append(Loss(descriptor.start, descriptor.size, lost.reason, lost.detail))
    return TableContents(header, table.auxiliary, tuple(functions))


def _convert_function(
    old: Header, header: Header, dialect: Dialect, function: FunctionContents
) -> FunctionContents:
    descriptor = function.descriptor
    if descriptor.is_signal_frame and dialect is not Dialect.V3:
        raise Inexpressible(Reason.SIGNAL_FRAME)
    if not function.rows:
        return _without_rows(old, header, dialect, descriptor)
    equations = [row_equations(old, descriptor, row) for row in function.rows]
    if not dialect.marks_outermost and any(row.is_outermost for row in equations):
        raise Inexpressible(Reason.OUTERMOST)
    descriptor = _with_blocks(old.version, dialect, descriptor)
    if descriptor.pc_type is PcType.INC:
        equations = [row for row in equations if row.start <= descriptor.size]
    return described(header, descriptor, equations)


def _without_rows(
    old: Header, header: Header, dialect: Dialect, descriptor: FunctionDescriptor
) -> FunctionContents:
    """V3: a signal trampoline, the outermost function, or (flexible) nothing; before: nothing."""
    descriptor = _with_blocks(old.version, dialect, descriptor)
    if (old.version is Version.V3) == (dialect is Dialect.V3):
        return FunctionContents(descriptor, ())
    if dialect is Dialect.V3:
        raise Inexpressible(Reason.NO_ROWS)
    if descriptor.fde_type is FdeType.FLEX:
        return FunctionContents(replace(descriptor, fde_type=FdeType.DEFAULT), ())
    if not dialect.marks_outermost:
        raise Inexpressible(Reason.OUTERMOST)
    return described(header, descriptor, [outermost(0)])


def _with_blocks(
    version: Version, dialect: Dialect, descriptor: FunctionDescriptor
) -> FunctionDescriptor:
    """The descriptor with the dialect's way to say how rows repeat."""
    repeats = descriptor.pc_type is PcType.MASK
    if dialect is not Dialect.V1:
        implied = version is Version.V1 and not repeats
        return replace(descriptor, rep_size=0) if implied else descriptor
    if repeats and descriptor.rep_size != V1_REPEAT_SIZE:
        if descriptor.size > descriptor.rep_size:
            raise Inexpressible(Reason.REPEAT_SIZE, str(descriptor.rep_size))
        descriptor = replace(descriptor, pc_type=PcType.INC)
    return replace(descriptor, rep_size=V1_REPEAT_SIZE)
