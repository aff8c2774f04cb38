"""AMD64: register numbers, row layouts, and what the kernel leaves at a signal trampoline.

The call instruction itself saves the return address, so the header fixes its place (CFA-8) and
default rows carry no word for it. Sections 3 to 5 of the format description.
"""

import struct
from typing import Final

from stackweave.core.sframe.constants import BaseRegister
from stackweave.core.sframe.decode import FrameRow, FunctionDescriptor
from stackweave.core.sframe.errors import ErrorKind, SFrameError
from stackweave.core.sframe.header import Header
from stackweave.core.sframe.rules import (
    CFA,
    OUTERMOST,
    FrameRule,
    Location,
    ReadWord,
    Registers,
    RuleKind,
    flexible_locations,
)

FP: Final = 6
"""DWARF number of rbp."""
SP: Final = 7
"""DWARF number of rsp."""

_LOWEST_ADDRESS: Final = 0x1000
"""The first page is never mapped (vm.mmap_min_addr may forbid more)."""
_HIGHEST_ADDRESS: Final = 1 << 56
"""User addresses lie below, with five-level page tables."""

_UCONTEXT_PC: Final = 168
_UCONTEXT_SP: Final = 160
_UCONTEXT_FP: Final = 120
_UCONTEXT_OTHERS: Final = {
    **{register: 40 + 8 * (register - 8) for register in range(8, 16)},
    5: 104,  # rdi
    4: 112,  # rsi
    3: 128,  # rbx
    1: 136,  # rdx
    0: 144,  # rax
    2: 152,  # rcx
}
"""Offsets in struct ucontext, whose sigcontext begins at 40 with r8 (uapi/asm/sigcontext.h)."""

_PRSTATUS_REGISTERS: Final = struct.Struct("<27Q")
_PRSTATUS_REGISTERS_AT: Final = 112
_PRSTATUS_PC: Final = 16
_PRSTATUS_GENERAL: Final = {
    **{15 - index: index for index in range(4)},  # r15 to r12
    6: 4,  # rbp
    3: 5,  # rbx
    **{11 - index: 6 + index for index in range(4)},  # r11 to r8
    0: 10,  # rax
    2: 11,  # rcx
    1: 12,  # rdx
    4: 13,  # rsi
    5: 14,  # rdi
    7: 19,  # rsp
}
"""Index of each register in struct user_regs_struct (asm/user_64.h), by DWARF number."""


def default_rule(header: Header, function: FunctionDescriptor, row: FrameRow) -> FrameRule:
    """CFA = (SP or FP) + w0; RA = *(CFA + fixed RA offset); FP = *(CFA + w1) or unchanged.

    The fixed offset is -8 in every section ever written. Were it 0, RA would be tracked by the
    row, in front of FP: RA = *(CFA + w1), FP = *(CFA + w2).
    """
    _check_row(function, row)
    if not row.words:
        return OUTERMOST
    cfa = Location(SP if row.base is BaseRegister.SP else FP, row.words[0], False)
    saved = row.words[1:]
    ra_offset = header.cfa_fixed_ra_offset
    if not ra_offset and saved:
        ra_offset, saved = saved[0], saved[1:]
    fp_offset = saved[0] if saved else header.cfa_fixed_fp_offset
    if len(saved) > 1 or not ra_offset:
        raise SFrameError(
            ErrorKind.INCONSISTENT,
            function.fres_at,
            "FRE words",
            f"{len(row.words)} words with a fixed RA offset of {header.cfa_fixed_ra_offset}",
        )
    return _frame(function, cfa, _saved_at(ra_offset), _saved_at(fp_offset) if fp_offset else None)


def flexible_rule(header: Header, function: FunctionDescriptor, row: FrameRow) -> FrameRule:
    """CFA, RA and FP as their pairs say; default RA = *(CFA - 8), default FP unchanged.

    R[10] + 0 is the CFA while GCC realigns a stack, *(FP - 8) after it has (DRAP).
    """
    _check_row(function, row)
    if not row.words:
        return OUTERMOST
    cfa, ra, fp = flexible_locations(function, row)
    if ra is None:
        if not header.cfa_fixed_ra_offset:
            raise SFrameError(
                ErrorKind.INCONSISTENT, function.fres_at, "flexible RA", "no rule and no default"
            )
        ra = _saved_at(header.cfa_fixed_ra_offset)
    if fp is None and header.cfa_fixed_fp_offset:
        fp = _saved_at(header.cfa_fixed_fp_offset)
    return _frame(function, cfa, ra, fp)


def signal_context(sp: int, read: ReadWord) -> Registers | None:
    """The handler has returned into the trampoline, so SP points to struct ucontext.

    PC = *(SP + 168), SP = *(SP + 160), FP = *(SP + 120); the other registers are there too.
    """
    pc, interrupted_sp = read(sp + _UCONTEXT_PC), read(sp + _UCONTEXT_SP)
    fp = read(sp + _UCONTEXT_FP)
    if pc is None or interrupted_sp is None or fp is None:
        return None
    words = {register: read(sp + offset) for register, offset in _UCONTEXT_OTHERS.items()}
    others = {register: word for register, word in words.items() if word is not None}
    return Registers(pc, interrupted_sp, fp, others)


def thread_registers(prstatus: bytes) -> Registers | None:
    """struct elf_prstatus holds struct user_regs_struct at 112."""
    if len(prstatus) < _PRSTATUS_REGISTERS_AT + _PRSTATUS_REGISTERS.size:
        return None
    words = _PRSTATUS_REGISTERS.unpack_from(prstatus, _PRSTATUS_REGISTERS_AT)
    general = {register: words[index] for register, index in _PRSTATUS_GENERAL.items()}
    return Registers(words[_PRSTATUS_PC], general[SP], general[FP], general)


def can_be_code(address: int) -> bool:
    """Neither in the first page nor in the kernel's half."""
    return _LOWEST_ADDRESS <= address < _HIGHEST_ADDRESS


def _saved_at(offset: int) -> Location:
    return Location(CFA, offset, True)


def _frame(
    function: FunctionDescriptor, cfa: Location, ra: Location, fp: Location | None
) -> FrameRule:
    return FrameRule(RuleKind.FRAME, cfa, ra, fp, function.is_signal_frame)


def _check_row(function: FunctionDescriptor, row: FrameRow) -> None:
    if row.mangled_ra:
        raise SFrameError(
            ErrorKind.INCONSISTENT, function.fres_at, "FRE info", "a mangled RA on AMD64"
        )
