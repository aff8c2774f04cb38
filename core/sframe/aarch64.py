"""AArch64, both byte orders: register numbers, row layouts, pointer authentication.

The call leaves the return address in LR (x30). A function that calls others saves it; a leaf
may leave it there, which the rows say with "RA unchanged". LR is known only in the topmost
frame and in one that a signal interrupted, so elsewhere such a row ends the walk.

With pointer authentication a saved return address carries a code in the bits that an address
does not use, 54 to 48 with 48-bit addresses (ptrauth_user_pac_mask in asm/pointer_auth.h).
Unwinding needs no key: the code is stripped, not checked. Sections 3 to 5 of the format
description.
"""

from collections.abc import Mapping
from typing import Final

from stackweave.core.sframe.constants import BaseRegister
from stackweave.core.sframe.decode import FrameRow, FunctionDescriptor
from stackweave.core.sframe.header import Header
from stackweave.core.sframe.rules import (
    ADDRESS_MASK,
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
    saved_at,
)

FP: Final = 29
"""DWARF number of x29."""
SP: Final = 31
LINK_REGISTER: Final = 30
"""DWARF number of x30."""
CFA_TO_SP: Final = 0

_PAC_MASK: Final = ADDRESS_MASK & ~(0x7F << 48)
_IN_LR: Final = Location(LINK_REGISTER, 0, False)

_INSTRUCTION_SIZE: Final = 4
CODE: Final = CodeAddresses(0x1000, (1 << 52) - 1, _INSTRUCTION_SIZE)
"""Not in the first page nor in the kernel's half, even with large virtual addresses (LVA)."""

_SIGCONTEXT_AT: Final = 128 + 176
"""struct rt_sigframe: siginfo of 128 bytes, then struct ucontext, whose sigcontext is at 176."""
_REGISTERS: Final = {register: 8 * register for register in range(32)}
"""x0 to x30 and SP, as struct user_pt_regs begins (uapi/asm/ptrace.h)."""

SIGNAL_FRAME: Final = RegisterLayout(
    _SIGCONTEXT_AT + 8 + 8 * 32,
    {register: _SIGCONTEXT_AT + 8 + offset for register, offset in _REGISTERS.items()},
)
"""struct sigcontext: the fault address, then x0 to x30, SP, PC (uapi/asm/sigcontext.h)."""

_SIGRETURN_CODE: Final = bytes.fromhex("681180d2010000d4")
_SIGRETURN: Final = tuple(int.from_bytes(_SIGRETURN_CODE, order) for order in ("little", "big"))
"""Code is little-endian whatever the data are, so a big-endian word shows it turned round."""

_USER_REGS_AT: Final = 112
PRSTATUS: Final = RegisterLayout(
    _USER_REGS_AT + 8 * 32,
    {register: _USER_REGS_AT + offset for register, offset in _REGISTERS.items()},
)
"""struct elf_prstatus holds struct user_pt_regs at 112."""
FPREGSET: Final[Mapping[int, int]] = {}
FRAME_POINTER_RULE: Final = None
"""A frame record need not lie next to the caller's SP, so FP does not tell the latter."""


def default_rule(header: Header, function: FunctionDescriptor, row: FrameRow) -> FrameRule:
    """CFA = (SP or FP) + w0; RA = *(CFA + w1) or LR; FP = *(CFA + w2) or unchanged.

    One word: RA and FP unchanged. Two: RA saved alone, as without a frame pointer. Three: both.
    A mangled RA, in memory or in LR, is stripped of its authentication code.
    """
    if not row.words:
        return OUTERMOST
    cfa, ra, fp = default_words(header, function, row)
    base = SP if row.base is BaseRegister.SP else FP
    return _frame(
        function,
        row,
        Location(base, cfa, False),
        None if ra is None else saved_at(ra),
        None if fp is None else saved_at(fp),
    )


def flexible_rule(header: Header, function: FunctionDescriptor, row: FrameRow) -> FrameRule:
    """CFA, RA and FP as their pairs say; by default RA is in LR and FP unchanged.

    No assembler writes this for AArch64, but the format has it.
    """
    if not row.words:
        return OUTERMOST
    cfa, ra, fp = flexible_locations(header, function, row)
    return _frame(function, row, cfa, ra, fp)


def is_trampoline(pc: int, read: ReadWord) -> bool:
    """`mov x8, #139; svc #0`, rt_sigreturn: at either instruction."""
    return any(read(start) in _SIGRETURN for start in (pc, pc - _INSTRUCTION_SIZE))


def signal_context(pc: int, sp: int, read: ReadWord) -> Registers | None:
    """SP points to struct rt_sigframe: PC = *(SP + 568), SP = *(SP + 560), FP = *(SP + 544)."""
    return SIGNAL_FRAME.registers_at(sp, read, SP, FP)


def _frame(
    function: FunctionDescriptor,
    row: FrameRow,
    cfa: Location,
    ra: Location | None,
    fp: Location | None,
) -> FrameRule:
    mask = _PAC_MASK if row.mangled_ra else ADDRESS_MASK
    return FrameRule(RuleKind.FRAME, cfa, ra or _IN_LR, fp, function.is_signal_frame, mask)
