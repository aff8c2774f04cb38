"""AMD64: register numbers, row layouts, and what the kernel leaves at a signal trampoline.

The call instruction itself saves the return address, so the header fixes its place (CFA-8) and
default rows carry no word for it. Sections 3 to 5 of the format description.
"""

from collections.abc import Mapping
from typing import Final

from stackweave.core.sframe.constants import BaseRegister
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

FP: Final = 6
"""DWARF number of rbp."""
SP: Final = 7
"""DWARF number of rsp."""
CFA_TO_SP: Final = 0
LINK_REGISTER: Final = None

CODE: Final = CodeAddresses(0x1000, (1 << 56) - 1, 1)
"""Not in the first page, which is never mapped (vm.mmap_min_addr may forbid more), nor in the kernel's half, even
with five-level page tables."""

SIGNAL_FRAME: Final = RegisterLayout(
    168,
    {
        **{register: 40 + 8 * (register - 8) for register in range(8, 16)},
        5: 104,  # rdi
        4: 112,  # rsi
        FP: 120,
        3: 128,  # rbx
        1: 136,  # rdx
        0: 144,  # rax
        2: 152,  # rcx
        SP: 160,
    },
)
"""struct ucontext, whose sigcontext begins at 40 with r8 (uapi/asm/sigcontext.h).

The handler's return has taken the frame's first word, so SP points just behind it.
"""

_SIGRETURN: Final = int.from_bytes(bytes.fromhex("48c7c00f0000000f"), "little")
_SIGRETURN_END: Final = 0x05
"""The ninth byte, which ends the second instruction."""
_SYSCALL_AT: Final = 7

_USER_REGS_AT: Final = 112
_USER_REGS: Final = {
    **{15 - index: index for index in range(4)},  # r15 to r12
    FP: 4,
    3: 5,  # rbx
    **{11 - index: 6 + index for index in range(4)},  # r11 to r8
    0: 10,  # rax
    2: 11,  # rcx
    1: 12,  # rdx
    4: 13,  # rsi
    5: 14,  # rdi
    SP: 19,
}
"""Index of each register in struct user_regs_struct (asm/user_64.h), by DWARF number."""

PRSTATUS: Final = RegisterLayout(
    _USER_REGS_AT + 8 * 16,
    {register: _USER_REGS_AT + 8 * index for register, index in _USER_REGS.items()},
)
"""struct elf_prstatus holds struct user_regs_struct at 112."""
FPREGSET: Final[Mapping[int, int]] = {}

FRAME_POINTER_RULE: Final = FrameRule(
    RuleKind.FRAME, Location(FP, 16, False), saved_at(-8), saved_at(-16), False
)
"""CFA = FP + 16; RA = *(CFA - 8); FP = *(CFA - 16) (asm/unwind_user.h, ARCH_INIT_USER_FP_FRAME)."""


def default_rule(header: Header, function: FunctionDescriptor, row: FrameRow) -> FrameRule:
    """CFA = (SP or FP) + w0; RA = *(CFA + fixed RA offset); FP = *(CFA + w1) or unchanged.

    The fixed offset is -8 in every section ever written. Were it 0, RA would be tracked by the
    row, in front of FP: RA = *(CFA + w1), FP = *(CFA + w2).
    """
    refuse_mangled(function, row)
    if not row.words:
        return OUTERMOST
    cfa, ra, fp = default_words(header, function, row)
    if ra is None:
        raise inconsistent(function, "FRE words", "1 words with a fixed RA offset of 0")
    base = SP if row.base is BaseRegister.SP else FP
    return _frame(
        function, Location(base, cfa, False), saved_at(ra), None if fp is None else saved_at(fp)
    )


def flexible_rule(header: Header, function: FunctionDescriptor, row: FrameRow) -> FrameRule:
    """CFA, RA and FP as their pairs say; default RA = *(CFA - 8), default FP unchanged.

    R[10] + 0 is the CFA while GCC realigns a stack, *(FP - 8) after it has (DRAP).
    """
    refuse_mangled(function, row)
    if not row.words:
        return OUTERMOST
    cfa, ra, fp = flexible_locations(header, function, row)
    if ra is None:
        raise inconsistent(function, "flexible RA", "no rule and no default")
    return _frame(function, cfa, ra, fp)


def is_trampoline(pc: int, read: ReadWord) -> bool:
    """`mov $15, %rax; syscall`, rt_sigreturn: at either instruction."""
    return any(
        read(start) == _SIGRETURN and (read(start + 1) or 0) >> 56 == _SIGRETURN_END
        for start in (pc, pc - _SYSCALL_AT)
    )


def signal_context(pc: int, sp: int, read: ReadWord) -> Registers | None:
    """SP points to struct ucontext: PC = *(SP + 168), SP = *(SP + 160), FP = *(SP + 120)."""
    return SIGNAL_FRAME.registers_at(sp, read, SP, FP)


def _frame(
    function: FunctionDescriptor, cfa: Location, ra: Location, fp: Location | None
) -> FrameRule:
    return FrameRule(RuleKind.FRAME, cfa, ra, fp, function.is_signal_frame)
