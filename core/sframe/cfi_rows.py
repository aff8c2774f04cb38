"""One function's call frame information, carried out: where which equations hold.

Of the registers only the CFA, the return address (RA) and the frame pointer (FP) are followed;
what happens to others is skipped. What is refused is what gas refuses when it writes SFrame
(gas/gen-sframe.c of binutils 2.46: `sframe_do_cfi_insn` and the functions that it calls),
because rows could not say it or would say it wrongly; and as in gas a row begins wherever an
instruction is about one of the three, and at the last instruction whatever that is about, even
if it says what the row before it says. Two things differ: states remembered within one another
all come back, as DWARF 5 (6.4.2.4) has it, where gas keeps the last; and an offset from the CFA
may change whatever register the CFA counts from.

An expression is followed if it dereferences FP, which is known in every frame. One that
dereferences SP would describe signal trampolines, but their caller may be on another stack;
a trampoline without rows is crossed by knowledge of the architecture, which is better.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from stackweave.core.sframe.architectures import ARCHITECTURES
from stackweave.core.sframe.cfi import CallFrame, Instruction
from stackweave.core.sframe.constants import Abi
from stackweave.core.sframe.dialect import Inexpressible, Reason
from stackweave.core.sframe.rules import NOWHERE, Location, saved_at
from stackweave.core.sframe.words import CONVENTIONS, Equations

_BREG0: Final = 0x70
"""DW_OP_breg0."""
_DEREF: Final = b"\x06"
"""DW_OP_deref."""


def function_equations(abi: Abi, frame: CallFrame) -> list[Equations]:
    """The equations, each from its start to the next one's.

    Raises `Inexpressible`.
    """
    convention = CONVENTIONS[abi]
    if frame.return_column != convention.ra:
        raise Inexpressible(Reason.CALL_FRAME, f"return addresses in column {frame.return_column}")
    evaluation = _Evaluation(abi, frame)
    evaluation.run(frame.initial)
    evaluation.initial = evaluation.now
    evaluation.run(frame.instructions)
    return evaluation.finished()


class _Evaluation:
    """The state that call frame instructions change."""

    def __init__(self, abi: Abi, frame: CallFrame) -> None:
        self.architecture = ARCHITECTURES[abi]
        self.convention = CONVENTIONS[abi]
        self.authenticates = abi in (Abi.AARCH64_ENDIAN_BIG, Abi.AARCH64_ENDIAN_LITTLE)
        self.frame = frame
        self.now = Equations(0, NOWHERE, None, None)
        """What holds here. NOWHERE: no rule for the CFA yet."""
        self.initial: Equations | None = None
        """What held when the CIE's instructions had been carried out."""
        self.rows: list[Equations] = []
        self._remembered: list[Equations] = []
        self._changed = False
        """An instruction was about what holds here."""

    def run(self, instructions: tuple[Instruction, ...]) -> None:
        for opcode, operands in instructions:
            perform = _INSTRUCTIONS.get(opcode)
            if perform is None:
                raise Inexpressible(Reason.CALL_FRAME, f"instruction {opcode:#04x}")
            perform(self, *operands)

    def finished(self) -> list[Equations]:
        """All rows, when the instructions are at their end."""
        self._changed = True
        self._emit()
        if not self.rows:
            raise Inexpressible(Reason.CALL_FRAME, "no rule for the CFA")
        return self.rows

    def advance(self, units: int) -> None:
        """DW_CFA_advance_loc and its longer forms: what held until here is a row.

        A CIE has no place to advance from, and rows that it made would be every function's.
        """
        if self.initial is None:
            raise Inexpressible(Reason.CALL_FRAME, "a CIE that advances")
        self._emit()
        start = self.now.start + units * self.frame.code_alignment
        if start > self.frame.size:
            raise Inexpressible(Reason.MALFORMED, f"a rule {start:#x} bytes into the function")
        self.now = replace(self.now, start=start)

    def _emit(self) -> None:
        now = self.now
        if now.cfa == NOWHERE and not now.is_outermost:
            if self.rows:
                raise Inexpressible(Reason.CALL_FRAME, "no rule for the CFA any more")
            return
        if self._changed:
            if self.rows and self.rows[-1].start == now.start:
                self.rows.pop()
            self.rows.append(now)
        self._changed = False

    def _become(self, now: Equations) -> None:
        self.now = now
        self._changed = True

    def define(self, register: int, offset: int) -> None:
        """DW_CFA_def_cfa: CFA = R[register] + offset."""
        self._become(replace(self.now, cfa=Location(register, offset, False)))

    def define_factored(self, register: int, offset: int) -> None:
        """DW_CFA_def_cfa_sf."""
        self.define(register, offset * self.frame.data_alignment)

    def define_register(self, register: int) -> None:
        """DW_CFA_def_cfa_register: the offset stays."""
        self.define(register, self._plain_cfa().offset)

    def define_offset(self, offset: int) -> None:
        """DW_CFA_def_cfa_offset: the register stays."""
        self.define(self._plain_cfa().register, offset)

    def define_offset_factored(self, offset: int) -> None:
        """DW_CFA_def_cfa_offset_sf."""
        self.define_offset(offset * self.frame.data_alignment)

    def define_expression(self, block: bytes) -> None:
        """DW_CFA_def_cfa_expression: CFA = *(FP + offset), as GCC realigns stacks."""
        location = self._dereferenced(block[:-1]) if block.endswith(_DEREF) else None
        if location is None:
            raise Inexpressible(Reason.CALL_FRAME, f"CFA by the expression {block.hex()}")
        self._become(replace(self.now, cfa=location))

    def _plain_cfa(self) -> Location:
        if self.now.cfa == NOWHERE or self.now.cfa.dereference:
            raise Inexpressible(Reason.CALL_FRAME, "the CFA changes, but is no register and offset")
        return self.now.cfa

    def save(self, register: int, offset: int) -> None:
        """DW_CFA_offset: the register is at CFA + offset. That of SP follows from the CFA."""
        self._set(register, saved_at(offset * self.frame.data_alignment))

    def move(self, register: int, other: int) -> None:
        """DW_CFA_register: the register is in another one."""
        if register == self.architecture.SP and not self.architecture.CFA_TO_SP:
            raise Inexpressible(Reason.CALL_FRAME, f"SP in register {other}")
        self._set(register, Location(other, 0, False))

    def compute(self, register: int, block: bytes) -> None:
        """DW_CFA_expression: the caller's FP = *(FP + offset)."""
        location = self._dereferenced(block)
        if location is not None and register == self.architecture.FP:
            self._set(register, location)
        else:
            self._refuse(register, f"by the expression {block.hex()}")

    def compute_value(self, register: int, block: bytes) -> None:
        """DW_CFA_val_expression."""
        self._refuse(register, f"as the value of the expression {block.hex()}")

    def offset_value(self, register: int, offset: int) -> None:
        """DW_CFA_val_offset: the register is CFA + offset, as SP always is."""
        value = offset * self.frame.data_alignment
        if register != self.architecture.SP or value != self.architecture.CFA_TO_SP:
            self._refuse(register, f"as CFA{value:+}")

    def keep(self, register: int) -> None:
        """DW_CFA_same_value: the register is its own."""
        if register == self.architecture.FP:
            self._become(replace(self.now, fp=None))
        elif register == self.convention.ra and not self.convention.ra_offset:
            self._become(replace(self.now, ra=None, is_outermost=False))

    def lose(self, register: int) -> None:
        """DW_CFA_undefined: of RA, nobody called the function."""
        if register in (self.architecture.SP, self.architecture.FP):
            self._refuse(register, "undefined")
        if register == self.convention.ra:
            self._become(replace(self.now, is_outermost=True))

    def restore(self, register: int) -> None:
        """DW_CFA_restore: as the CIE left it."""
        initial = self.initial
        if initial is None:
            raise Inexpressible(Reason.MALFORMED, "a restored register in a CIE")
        if register == self.architecture.FP:
            self._become(replace(self.now, fp=initial.fp))
        elif register == self.convention.ra:
            self._become(replace(self.now, ra=initial.ra, is_outermost=initial.is_outermost))

    def remember(self) -> None:
        """DW_CFA_remember_state."""
        self._remembered.append(self.now)

    def recall(self) -> None:
        """DW_CFA_restore_state: all but the place."""
        if not self._remembered:
            raise Inexpressible(Reason.MALFORMED, "a restored state that was not remembered")
        self._become(replace(self._remembered.pop(), start=self.now.start))

    def negate(self) -> None:
        """DW_CFA_AARCH64_negate_ra_state, which GCC 14 and older call DW_CFA_GNU_window_save."""
        if not self.authenticates:
            raise Inexpressible(Reason.CALL_FRAME, "DW_CFA_GNU_window_save")
        self._become(replace(self.now, mangled_ra=not self.now.mangled_ra))

    def pass_arguments(self, size: int) -> None:
        """DW_CFA_GNU_args_size: of consequence to landing pads only, if the CFA counts from FP."""
        if size and self.now.cfa.register != self.architecture.FP:
            raise Inexpressible(Reason.CALL_FRAME, f"DW_CFA_GNU_args_size of {size}")

    def skip(self) -> None:
        """DW_CFA_nop."""

    def _dereferenced(self, block: bytes) -> Location | None:
        """*(FP + offset), of the expression DW_OP_bregN with its offset; None of any other."""
        offset = _sleb128(block[1:])
        if offset is None or block[0] != _BREG0 + self.architecture.FP:
            return None
        return Location(self.architecture.FP, offset, True)

    def _set(self, register: int, location: Location) -> None:
        if register == self.architecture.FP:
            self._become(replace(self.now, fp=location))
        elif register == self.convention.ra:
            fixed = self.convention.ra_offset
            implied = saved_at(fixed) if fixed else Location(register, 0, False)
            ra = None if location == implied else location
            self._become(replace(self.now, ra=ra, is_outermost=False))

    def _refuse(self, register: int, how: str) -> None:
        """Not for the registers that nobody follows."""
        names = {
            self.now.cfa.register: "the CFA's register",
            self.architecture.SP: "SP",
            self.architecture.FP: "FP",
            self.convention.ra: "RA",
        }
        if register in names:
            raise Inexpressible(Reason.CALL_FRAME, f"{names[register]} {how}")


def _sleb128(data: bytes) -> int | None:
    """The signed number that is all of `data`; None if it is not."""
    offset = shift = 0
    for at, byte in enumerate(data, 1):
        offset |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return None if at < len(data) else offset - (byte >> 6 << shift)
    return None


_INSTRUCTIONS: Final[Mapping[int, Callable[..., None]]] = {
    0x40: _Evaluation.advance,
    0x80: _Evaluation.save,
    0xC0: _Evaluation.restore,
    0x00: _Evaluation.skip,
    0x02: _Evaluation.advance,
    0x03: _Evaluation.advance,
    0x04: _Evaluation.advance,
    0x05: _Evaluation.save,
    0x06: _Evaluation.restore,
    0x07: _Evaluation.lose,
    0x08: _Evaluation.keep,
    0x09: _Evaluation.move,
    0x0A: _Evaluation.remember,
    0x0B: _Evaluation.recall,
    0x0C: _Evaluation.define,
    0x0D: _Evaluation.define_register,
    0x0E: _Evaluation.define_offset,
    0x0F: _Evaluation.define_expression,
    0x10: _Evaluation.compute,
    0x11: _Evaluation.save,
    0x12: _Evaluation.define_factored,
    0x13: _Evaluation.define_offset_factored,
    0x14: _Evaluation.offset_value,
    0x15: _Evaluation.offset_value,
    0x16: _Evaluation.compute_value,
    0x2D: _Evaluation.negate,
    0x2E: _Evaluation.pass_arguments,
}
"""DWARF 5, table 7.29, with the extensions of GNU and AArch64."""
