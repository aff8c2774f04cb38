"""The unwinder: from one frame to its caller, and why it could not go on.

It needs the registers of the topmost frame and three callables: one reads a word of the
process's memory, one finds the module at an address, and an optional one says whether an
address can hold code. It copies nothing and knows neither cores nor files, so it serves a
core file, a captured stack and a live process alike.

One step (section 5 of the format description):

    rule = rule at pc              the topmost frame, or one that a signal interrupted
           rule at pc - 1          otherwise: the call instruction, not what follows it
    CFA  = rule.cfa                must lie above SP, else the walk would not end
    pc'  = rule.ra;  fp' = rule.fp;  sp' = CFA

Registers other than SP and FP are known only in the topmost frame and in one that a signal
interrupted. Elsewhere a rule that needs one ends the walk, unless only FP needs it: then the
caller's pc and sp are right and its fp is unknown. Sections before V2 erratum 2 cannot mark
the outermost function and describe `_start` as if it had a caller, so a return address that
cannot be code ends the walk too.

Where no table has an entry, the walk can go on by frame pointers, as the kernel does
(kernel/unwind/user.c, unwind_user_next: the types in order, the next one if a type has nothing
to say, the end if it fails): CFA = FP + 16, RA = *(CFA - 8), FP = *(CFA - 16), FP a whole word
and not below SP. Nobody can tell whether a register really holds a frame pointer, so this is
for callers that know their programs. The kernel's other frame, at a function's first
instruction, is for uprobes, whose pc it knows; a sample's pc may be anywhere.

A signal trampoline whose entry has no rows is crossed by knowledge of the architecture, and so
is one that no table describes, if its instructions can be read: C libraries and kernels have
theirs without.
Signal frames may lie on another stack, so there the CFA need not grow; `limit` ends the walk.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from stackweave.core.sframe.errors import SFrameError
from stackweave.core.sframe.lookup import SFrameSection
from stackweave.core.sframe.module import LoadedModule
from stackweave.core.sframe.rules import (
    ADDRESS_MASK,
    CFA,
    Architecture,
    FrameRule,
    Location,
    ReadWord,
    Registers,
    RuleKind,
)

FindModule = Callable[[int], LoadedModule | None]
"""Finds the module that is mapped at an address."""
IsCode = Callable[[int], bool]
"""Says whether an address lies in executable memory."""

DEFAULT_LIMIT: Final = 4096
"""Frames, the topmost included."""


class UnwindType(Enum):
    """How a frame was found; the kernel's types, in its order."""

    SFRAME = "SFrame"
    FP = "frame pointer"


_SFRAME: Final = UnwindType.SFRAME
"""Members of an enumeration are slow to find, and every frame needs this one."""


class StopReason(Enum):
    """Why there is no further frame."""

    OUTERMOST = "outermost frame"
    SIGNAL_ENTRY = "signal entry without rows, and its context cannot be read"
    NO_MODULE = "no module at the pc"
    NO_SFRAME = "the module has no .sframe"
    NO_ENTRY = "no entry for the pc"
    UNSAFE_REGISTER = "the rule needs a register that is not known in this frame"
    OUTSIDE_STACK = "an address outside the captured memory"
    NO_PROGRESS = "the stack pointer would not grow"
    BAD_FRAME_POINTER = "no entry for the pc, and the frame pointer is below the stack or unaligned"
    BAD_RETURN_ADDRESS = "the return address is not in executable memory"
    MALFORMED = "the entry for the pc is damaged"
    LIMIT = "frame limit reached"


_NO_ENTRY: Final = (StopReason.NO_MODULE, StopReason.NO_SFRAME, StopReason.NO_ENTRY)
"""No table has anything to say: the next type is tried."""
_WORD_SIZE: Final = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: a place in the code, and the registers that belong to it."""

    pc: int
    sp: int
    fp: int | None
    """None: not known."""
    is_exact: bool
    """pc is the next instruction to run, not a return address."""
    module: LoadedModule | None
    """The module at the pc; None if unknown."""
    others: Mapping[int, int] | None = field(default=None, repr=False)
    """Further registers by DWARF number, in the frames where they are known."""
    found_by: UnwindType | None = None
    """How its callee told of it; None: it is the topmost, or a signal told."""

    @property
    def lookup_pc(self) -> int:
        """An address inside the instruction that the frame executes."""
        return self.pc if self.is_exact else self.pc - 1


@dataclass(frozen=True, slots=True)
class Backtrace:
    """Frames, innermost first, and why they end."""

    frames: tuple[Frame, ...]
    stop: StopReason
    cause: SFrameError | None = None
    """What was wrong with a malformed entry."""


class _Stopped(Exception):
    """Ends a step."""

    def __init__(self, reason: StopReason, cause: SFrameError | None = None) -> None:
        self.reason = reason
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Unwinder:
    """Unwinds threads of one process through its memory and its modules."""

    read: ReadWord
    find_module: FindModule
    is_code: IsCode | None = None
    """Without it every user address may be code."""
    architecture: Architecture | None = None
    """Of the process; without it nothing is known where no table has an entry."""
    types: tuple[UnwindType, ...] = (UnwindType.SFRAME,)
    """In the kernel's order; FP follows frame pointers where no table has an entry.

    The kernel knows them on AMD64 only; elsewhere nothing is followed.
    """

    def top(self, registers: Registers) -> Frame:
        """The topmost frame."""
        module = self.find_module(registers.pc)
        return Frame(registers.pc, registers.sp, registers.fp, True, module, registers.others)

    def step(self, frame: Frame) -> Frame | StopReason:
        """The caller of `frame`, or why it has none."""
        try:
            return self._step(frame)
        except _Stopped as stopped:
            return stopped.reason

    def unwind(self, registers: Registers, limit: int = DEFAULT_LIMIT) -> Backtrace:
        """All frames from the topmost outwards, at most `limit`."""
        frame = self.top(registers)
        frames = [frame]
        try:
            while len(frames) < limit:
                frame = self._step(frame)
                frames.append(frame)
        except _Stopped as stopped:
            return Backtrace(tuple(frames), stopped.reason, stopped.cause)
        return Backtrace(tuple(frames), StopReason.LIMIT)

    def _step(self, frame: Frame) -> Frame:
        """By the first type that has something to say."""
        try:
            return self._by_table(frame)
        except _Stopped as stopped:
            architecture = self.architecture
            if architecture is None or stopped.reason not in _NO_ENTRY:
                raise
            if architecture.is_trampoline(frame.pc, self.read):
                return self._interrupted(frame, architecture)
            rule = architecture.FRAME_POINTER_RULE
            if rule is None or UnwindType.FP not in self.types:
                raise
        return self._by_frame_pointer(frame, rule, architecture)

    def _by_table(self, frame: Frame) -> Frame:
        if _SFRAME not in self.types:
            raise _Stopped(StopReason.NO_ENTRY)
        module = frame.module
        if module is None:
            raise _Stopped(StopReason.NO_MODULE)
        section = module.module.sframe
        if section is None:
            raise _Stopped(StopReason.NO_SFRAME)
        rule = _rule(section, frame.lookup_pc - module.bias)
        if rule.kind is RuleKind.FRAME:
            return self._caller(frame, rule, section.architecture, _SFRAME)
        if rule.kind is RuleKind.OUTERMOST:
            raise _Stopped(StopReason.OUTERMOST)
        return self._interrupted(frame, section.architecture)

    def _by_frame_pointer(self, frame: Frame, rule: FrameRule, architecture: Architecture) -> Frame:
        """The kernel's checks come first: FP not below SP, a whole word, and readable."""
        if frame.fp is None:
            raise _Stopped(StopReason.UNSAFE_REGISTER)
        if frame.fp < frame.sp or frame.fp % _WORD_SIZE:
            raise _Stopped(StopReason.BAD_FRAME_POINTER)
        if self.read(frame.fp) is None:
            raise _Stopped(StopReason.OUTSIDE_STACK)
        return self._caller(frame, rule, architecture, UnwindType.FP)

    def _caller(
        self, frame: Frame, rule: FrameRule, architecture: Architecture, found_by: UnwindType
    ) -> Frame:
        """The frame that the rule's equations give."""
        cfa = self._value(rule.cfa, 0, frame, architecture)
        sp = cfa + architecture.CFA_TO_SP
        if sp <= frame.sp:
            self._check_progress(sp, frame, rule, architecture)
        pc = self._value(rule.ra, cfa, frame, architecture) & rule.ra_mask
        fp = frame.fp if rule.fp is None else self._fp(rule.fp, cfa, frame, architecture)
        if rule.interrupts:
            return Frame(pc, sp, fp, True, self.find_module(pc), None, found_by)
        if not architecture.CODE.holds(pc) or not self._can_return_to(pc, architecture):
            raise _Stopped(StopReason.BAD_RETURN_ADDRESS)
        return Frame(pc, sp, fp, False, self.find_module(pc - 1), None, found_by)

    def _interrupted(self, frame: Frame, architecture: Architecture) -> Frame:
        """The frame that a signal interrupted, from what the kernel saved at the trampoline."""
        context = architecture.signal_context(frame.pc, frame.sp, self.read)
        if context is None:
            raise _Stopped(StopReason.SIGNAL_ENTRY)
        module = self.find_module(context.pc)
        return Frame(context.pc, context.sp, context.fp, True, module, context.others)

    def _can_return_to(self, pc: int, architecture: Architecture) -> bool:
        """Whether a call can stand before `pc`; none does at a trampoline, which may begin a page."""
        if self.is_code is None or self.is_code(pc - 1):
            return True
        return self.is_code(pc) and architecture.is_trampoline(pc, self.read)

    def _check_progress(
        self, sp: int, frame: Frame, rule: FrameRule, architecture: Architecture
    ) -> None:
        """Only a frame that knows the link register may be empty."""
        if not rule.ra.dereference:
            self._value(rule.ra, 0, frame, architecture)  # an unknown register says more than SP
        knows = architecture.LINK_REGISTER is not None and frame.others is not None
        if sp < frame.sp or not knows:
            raise _Stopped(StopReason.NO_PROGRESS)

    def _value(self, location: Location, cfa: int, frame: Frame, architecture: Architecture) -> int:
        """value = dereference ? *(base + offset) : base + offset."""
        register = location.register
        base: int | None
        if register == CFA:
            base = cfa
        elif register == architecture.SP:
            base = frame.sp
        elif register == architecture.FP:
            base = frame.fp
        else:
            base = frame.others.get(register) if frame.others else None
        if base is None:
            raise _Stopped(StopReason.UNSAFE_REGISTER)
        address = base + location.offset & ADDRESS_MASK
        if not location.dereference:
            return address
        word = self.read(address)
        if word is None:
            raise _Stopped(StopReason.OUTSIDE_STACK)
        return word

    def _fp(
        self, location: Location, cfa: int, frame: Frame, architecture: Architecture
    ) -> int | None:
        """As `_value`; None if a register is needed that is not known, or the slot not captured.

        Copies of a stack begin at SP. In an epilogue that has popped FP its slot lies below.
        """
        try:
            return self._value(location, cfa, frame, architecture)
        except _Stopped as stopped:
            if stopped.reason in (StopReason.UNSAFE_REGISTER, StopReason.OUTSIDE_STACK):
                return None
            raise


def _rule(section: SFrameSection, address: int) -> FrameRule:
    try:
        rule = section.rule_at(address)
    except SFrameError as error:
        raise _Stopped(StopReason.MALFORMED, error) from error
    if rule is None:
        raise _Stopped(StopReason.NO_ENTRY)
    return rule
