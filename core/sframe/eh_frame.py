"""SFrame from a program's `.eh_frame`: what the assembler would have written, had it been asked.

Functions that rows cannot describe are left out, each with its reason; in V3 a signal trampoline
among them stays, without rows, as gas has it. Functions are sorted by address, as ld has them.
The linker's own code is the one thing that it describes better: its call frame information of
PLT entries is an expression that no row can say, so they are left out here.
"""

from dataclasses import replace
from typing import Final

from stackweave.core.sframe.architectures import abi_of
from stackweave.core.sframe.cfi import CallFrame, DamagedFrame, read_call_frames
from stackweave.core.sframe.cfi_rows import function_equations
from stackweave.core.sframe.constants import (
    V1_REPEAT_SIZE,
    Abi,
    FdeType,
    Flag,
    PcType,
)
from stackweave.core.sframe.contents import (
    FunctionContents,
    SectionContents,
    TableContents,
    section_of,
)
from stackweave.core.sframe.convert import described, within_reach
from stackweave.core.sframe.decode import FunctionDescriptor
from stackweave.core.sframe.dialect import Dialect, Inexpressible, Loss, Reason
from stackweave.core.sframe.elf import ET_REL, SHT_NOBITS, ElfImage
from stackweave.core.sframe.errors import ElfError, EncodeError
from stackweave.core.sframe.header import Header
from stackweave.core.sframe.words import CONVENTIONS, fre_type

_LARGEST_SIZE: Final = 0xFFFFFFFF


def generate(
    image: ElfImage, dialect: Dialect, address: int
) -> tuple[SectionContents, tuple[Loss, ...]]:
    """The SFrame section of a linked file, to be linked at `address`, and what it lacks.

    Raises `ElfError` if the file is not linked, has no `.eh_frame` or is of an unknown machine,
    and `EncodeError` if the dialect does not describe that machine.
    """
    if image.kind == ET_REL:
        raise ElfError(f"{image.name}: an object file, whose functions have no addresses yet")
    for section in image.sections:
        if section.name == b".eh_frame" and section.type != SHT_NOBITS:
            contents = image.contents(section.offset, section.size)
            return from_eh_frame(contents, section.address, abi_of(image), dialect, address)
    raise ElfError(f"{image.name}: no .eh_frame")


def from_eh_frame(
    eh_frame: bytes, eh_frame_address: int, abi: Abi, dialect: Dialect, address: int
) -> tuple[SectionContents, tuple[Loss, ...]]:
    """As `generate`, from the bytes of an `.eh_frame` linked at `eh_frame_address`."""
    if not dialect.describes(abi):
        raise EncodeError(f"{dialect.value} does not describe {abi.name}")
    header = _header(abi, dialect)
    functions: list[FunctionContents] = []
    losses: list[Loss] = []
    for frame in read_call_frames(eh_frame, eh_frame_address, header.byte_order):
        if isinstance(frame, DamagedFrame):
            detail = f"record at {frame.offset:#x}: {frame.detail}"
            losses.append(Loss(frame.start, frame.size, Reason.MALFORMED, detail))
            continue
        try:
            functions.append(_function(header, dialect, frame))
        except Inexpressible as lost:
            losses.append(Loss(frame.start, frame.size, lost.reason, lost.detail))
    functions.sort(key=lambda function: function.descriptor.start)
    placed = (
        FunctionContents(replace(function.descriptor, fres_at=order), function.rows)
        for order, function in enumerate(functions)
    )
    tables = within_reach(address, (TableContents(header, b"", tuple(placed)),), losses)
    return section_of(address, tables), tuple(losses)


def _header(abi: Abi, dialect: Dialect) -> Header:
    """A header without counts and lengths, which follow from its functions."""
    flags = Flag.FDE_SORTED
    if dialect.is_pcrel:
        flags |= Flag.FDE_FUNC_START_PCREL
    order = ">" if abi.is_big_endian else "<"
    ra_offset = CONVENTIONS[abi].ra_offset
    return Header(0, order, dialect.version, flags, abi, 0, ra_offset, 0, 0, 0, 0, 0, 0)


def _function(header: Header, dialect: Dialect, frame: CallFrame) -> FunctionContents:
    if frame.size > _LARGEST_SIZE:
        raise Inexpressible(Reason.SIZE, f"{frame.size:#x}")
    is_signal_frame = b"S" in frame.augmentation
    if is_signal_frame and dialect is not Dialect.V3:
        raise Inexpressible(Reason.SIGNAL_FRAME)
    descriptor = FunctionDescriptor(
        frame.start,
        frame.size,
        num_fres=0,
        fres_at=0,
        fre_type=fre_type(frame.size),
        pc_type=PcType.INC,
        fde_type=FdeType.DEFAULT,
        is_signal_frame=is_signal_frame,
        rep_size=V1_REPEAT_SIZE if dialect is Dialect.V1 else 0,
        pauth_key_b=b"B" in frame.augmentation,
    )
    try:
        equations = function_equations(header.abi, frame)
        if not dialect.marks_outermost and any(row.is_outermost for row in equations):
            raise Inexpressible(Reason.OUTERMOST)
        # gas knows no flexible rows for AArch64, and neither may its readers
        flexible = header.abi in (Abi.AMD64_ENDIAN_LITTLE, Abi.S390X_ENDIAN_BIG)
        return described(header, descriptor, equations, flexible)
    except Inexpressible:
        if not is_signal_frame:
            raise
        return FunctionContents(descriptor, ())
