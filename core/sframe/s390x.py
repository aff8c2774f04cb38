"""s390x: register numbers, coded offsets, registers saved in registers.

A caller leaves 160 bytes at its SP for the callee to save registers in, and the CFA lies above
them: CFA = SP + 160 at a function's entry, and the caller's SP is CFA - 160. Every frame is a
multiple of eight bytes, so the CFA's offset is written as (offset - 160) / 8.

The call leaves the return address in r14. Leaf functions may keep r14 and the frame pointer r11
in floating point registers; V2 writes that as an odd word, (register number << 1) | 1, V3 as a
flexible row. Such registers, and r14 itself, are known only in the topmost frame and in one that
a signal interrupted. Sections 3 to 5 of the format description.
"""

from typing import Final

from stackweave.core.sframe.constants import BaseRegister, Version
from stackweave.core.sframe.decode import FrameRow, FunctionDescriptor
from stackweave.core.sframe.header import Header
from stackweave.core.sframe.rules import (
    OUTERMOST,
    CodeAddresses,
    FrameRule,
    Location,
    ReadWord,
    RegisterLayout,
    Registers,
    RuleKind,
    default_words,
    flexible_locations,
    inconsistent,
    refuse_mangled,
    saved_at,
)

FP: Final = 11
"""DWARF number of r11."""
SP: Final = 15
"""DWARF number of r15."""
LINK_REGISTER: Final = 14
"""DWARF number of r14."""
CFA_TO_SP: Final = -160

_CFA_ALIGNMENT: Final = 8
_IN_R14: Final = Location(LINK_REGISTER, 0, False)
_LAST_REGISTER: Final = 31
_PADDING: Final = 0
"""The RA word of a default row that saves FP alone."""

CODE: Final = CodeAddresses(0x1000, (1 << 64) - 1, 2)
"""Not in the first page. The kernel has an address space of its own, so there is no other half."""

_FLOAT_ORDER: Final = (0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15)
"""Which f register each DWARF number means, from 16 on."""
_FLOATS: Final = {16 + index: 8 * number for index, number in enumerate(_FLOAT_ORDER)}
_GENERAL: Final = {register: 8 * register for register in range(16)}

_GENERAL_AT: Final = 16
"""Behind the two words of the PSW, in _sigregs as in s390_regs."""
_FLOATS_AT: Final = _GENERAL_AT + 16 * 8 + 16 * 4 + 8
"""Behind general and access registers and the floating point control word."""

_SIGREGS: Final = RegisterLayout(
    8,
    {
        **{register: _GENERAL_AT + offset for register, offset in _GENERAL.items()},
        **{register: _FLOATS_AT + offset for register, offset in _FLOATS.items()},
    },
)
"""_sigregs (uapi/asm/sigcontext.h); the PSW's second word is the PC."""
_RT_SIGREGS_AT: Final = 160 + 8 + 128 + 40
"""struct rt_sigframe (kernel/signal.c): save area, svc, siginfo, the head of ucontext."""
_SIGREGS_POINTER_AT: Final = 160 + 8
"""struct sigframe, of handlers without SA_SIGINFO: save area, old mask, pointer to _sigregs."""

_SVC_SIGRETURN: Final = 0x0A77
_SVC_RT_SIGRETURN: Final = 0x0AAD

_USER_REGS_AT: Final = 112
PRSTATUS: Final = RegisterLayout(
    _USER_REGS_AT + 8,
    {register: _USER_REGS_AT + _GENERAL_AT + offset for register, offset in _GENERAL.items()},
)
"""struct elf_prstatus holds s390_regs at 112: PSW mask and address, then r0 to r15."""
FPREGSET: Final = {register: 8 + offset for register, offset in _FLOATS.items()}
"""s390_fp_regs: the control word, padding, then f0 to f15."""
FRAME_POINTER_RULE: Final = None
"""The ABI has a back chain instead, and only on request."""


def default_rule(header: Header, function: FunctionDescriptor, row: FrameRow) -> FrameRule:
    """CFA = (SP or FP) + w0 * 8 + 160; RA = *(CFA + w1) or r14; FP = *(CFA + w2) or unchanged.

    One word: RA and FP unchanged. Two: RA saved alone. Three: both, or FP alone if w1 is 0.
    V2: an odd w1 or w2 is a register, RA or FP = R[w >> 1].
    """
    refuse_mangled(function, row)
    if not row.words:
        return OUTERMOST
    cfa, ra, fp = default_words(header, function, row)
    base = SP if row.base is BaseRegister.SP else FP
    return _frame(
        function,
        Location(base, _decoded(cfa), False),
        None if ra is None or ra == _PADDING else _saved(header, function, ra),
        None if fp is None else _saved(header, function, fp),
    )


def flexible_rule(header: Header, function: FunctionDescriptor, row: FrameRow) -> FrameRule:
    """CFA, RA and FP as their pairs say; by default RA is in r14 and FP unchanged.

    The CFA's offset is coded here too: CFA = R[register] + w * 8 + 160. R[16] + 0 as FP is f0.
    """
    refuse_mangled(function, row)
    if not row.words:
        return OUTERMOST
    cfa, ra, fp = flexible_locations(header, function, row)
    cfa = Location(cfa.register, _decoded(cfa.offset), cfa.dereference)
    return _frame(function, cfa, ra, fp)


def is_trampoline(pc: int, read: ReadWord) -> bool:
    """`svc 173`, rt_sigreturn, or `svc 119`, sigreturn."""
    return _instruction(pc, read) in (_SVC_RT_SIGRETURN, _SVC_SIGRETURN)


def signal_context(pc: int, sp: int, read: ReadWord) -> Registers | None:
    """_sigregs, at SP + 336 if the trampoline's instruction says rt_sigreturn, else at *(SP + 168).

    PC = *(regs + 8), SP = *(regs + 136), FP = *(regs + 104). Without the instruction nobody
    knows which of the two.
    """
    instruction = _instruction(pc, read)
    if instruction == _SVC_RT_SIGRETURN:
        regs: int | None = sp + _RT_SIGREGS_AT
    else:
        regs = read(sp + _SIGREGS_POINTER_AT) if instruction == _SVC_SIGRETURN else None
    return None if regs is None else _SIGREGS.registers_at(regs, read, SP, FP)


def _instruction(pc: int, read: ReadWord) -> int | None:
    word = read(pc)
    return None if word is None else word >> 48


def _decoded(word: int) -> int:
    return word * _CFA_ALIGNMENT - CFA_TO_SP


def _saved(header: Header, function: FunctionDescriptor, word: int) -> Location:
    if header.version is not Version.V2 or not word & 1:
        return saved_at(word)
    register = word >> 1
    if not 0 <= register <= _LAST_REGISTER:
        raise inconsistent(function, "FRE words", f"{word} is no register")
    return Location(register, 0, False)


def _frame(
    function: FunctionDescriptor, cfa: Location, ra: Location | None, fp: Location | None
) -> FrameRule:
    return FrameRule(RuleKind.FRAME, cfa, ra or _IN_R14, fp, function.is_signal_frame)
