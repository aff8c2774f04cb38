"""Frame pointers where no table has an entry: the kernel's order, its checks, and made stacks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackweave.core.sframe import (
    Backtrace,
    LoadedModule,
    Module,
    Registers,
    SFrameSection,
    StopReason,
    Unwinder,
    UnwindType,
    aarch64,
    amd64,
    s390x,
    unwind,
)
from stackweave.core.sframe.elf import EM_X86_64, ElfImage
from stackweave.core.sframe.rules import Architecture, Location

from .sections import FLEX, Function, row, section

BIAS = 0x7F0000000000
STACK = 0x7FFF0000
BOTH = (UnwindType.SFRAME, UnwindType.FP)
MODULE = Module(ElfImage("made", b"", 3, EM_X86_64, (), (), ()))
MODULE.sframe = SFrameSection(
    section(
        Function(0x1000, 0x1000, (row(0, 8),)),  # no frame pointer
        Function(0x2000, 0x1000, (row(0, 24, -24),)),  # saves the frame pointer
        Function(0x3000, 0x1000),  # outermost
        Function(0x4000, 0x10, (row(0, 10 << 3 | 1, 8),), info2=FLEX),  # CFA = R[10] + 8
        Function(0x4010, 0x10, (row(0, 8, 8, 8),)),  # damaged
    ),
    0,
)
LOADED = LoadedModule(MODULE, BIAS)
OUTERMOST = BIAS + 0x3008
UNKNOWN = BIAS + 0x9008
"""An address of the module that no table describes."""
NOWHERE = 0x5000_0008
"""An address outside the module."""


def unwound(
    memory: Mapping[int, int],
    pc: int = UNKNOWN,
    fp: int = STACK + 16,
    types: tuple[UnwindType, ...] = BOTH,
    architecture: Architecture | None = amd64,
) -> Backtrace:
    unwinder = Unwinder(
        memory.get, lambda a: LOADED if a >= BIAS else None, None, architecture, types
    )
    return unwinder.unwind(Registers(pc, STACK, fp))


CHAIN = {STACK + 16: STACK + 64, STACK + 24: OUTERMOST}


def test_frame_pointers_are_followed_on_request_only() -> None:
    assert unwound(CHAIN, types=(UnwindType.SFRAME,)).stop is StopReason.NO_ENTRY
    assert unwound(CHAIN, architecture=None).stop is StopReason.NO_ENTRY
    trace = unwound(CHAIN)
    assert [(f.pc, f.sp, f.fp, f.found_by) for f in trace.frames] == [
        (UNKNOWN, STACK, STACK + 16, None),
        (OUTERMOST, STACK + 32, STACK + 64, UnwindType.FP),
    ]
    assert trace.stop is StopReason.OUTERMOST


@pytest.mark.parametrize("architecture", [aarch64, s390x])
def test_only_where_the_kernel_knows_them(architecture: Architecture) -> None:
    assert unwound(CHAIN, architecture=architecture).stop is StopReason.NO_ENTRY


def test_tables_come_first() -> None:
    """CFA = SP + 8, though the frame pointer would say otherwise."""
    memory = {**CHAIN, STACK: UNKNOWN}
    trace = unwound(memory, pc=BIAS + 0x1008)
    assert [(f.pc, f.found_by) for f in trace.frames[1:]] == [
        (UNKNOWN, UnwindType.SFRAME),
        (OUTERMOST, UnwindType.FP),
    ]
    alone = unwound(memory, pc=BIAS + 0x1008, types=(UnwindType.FP,))
    assert [(f.pc, f.found_by) for f in alone.frames[1:]] == [(OUTERMOST, UnwindType.FP)]


@pytest.mark.parametrize(
    ("pc", "stop"),
    [
        (OUTERMOST, StopReason.OUTERMOST),
        (BIAS + 0x4000, StopReason.UNSAFE_REGISTER),
        (BIAS + 0x4010, StopReason.MALFORMED),
        (BIAS + 0x1000, StopReason.OUTSIDE_STACK),
    ],
)
def test_what_a_table_says_is_final(pc: int, stop: StopReason) -> None:
    trace = unwound(CHAIN, pc=pc)
    assert (len(trace.frames), trace.stop) == (1, stop)


@pytest.mark.parametrize("pc", [UNKNOWN, NOWHERE])
@pytest.mark.parametrize(
    ("fp", "memory", "stop"),
    [
        (STACK - 8, {STACK - 8: 1, STACK: OUTERMOST}, StopReason.BAD_FRAME_POINTER),
        (STACK + 20, {STACK + 20: 1, STACK + 28: OUTERMOST}, StopReason.BAD_FRAME_POINTER),
        (0, {0: 1, 8: OUTERMOST}, StopReason.BAD_FRAME_POINTER),
        (STACK + 16, {STACK + 24: OUTERMOST}, StopReason.OUTSIDE_STACK),
        (STACK + 16, {STACK + 16: STACK + 64}, StopReason.OUTSIDE_STACK),
        (STACK + 16, {**CHAIN, STACK + 24: 8}, StopReason.BAD_RETURN_ADDRESS),
    ],
)
def test_the_kernels_checks(pc: int, fp: int, memory: dict[int, int], stop: StopReason) -> None:
    trace = unwound(memory, pc=pc, fp=fp)
    assert (len(trace.frames), trace.stop) == (1, stop)


def test_a_frame_pointer_may_be_the_stack_pointer() -> None:
    trace = unwound({STACK: STACK + 64, STACK + 8: OUTERMOST}, fp=STACK)
    assert [(f.pc, f.sp) for f in trace.frames[1:]] == [(OUTERMOST, STACK + 16)]


def test_an_unknown_frame_pointer_is_not_followed() -> None:
    """The table's row needs a register for FP that only the topmost frame knows."""
    moved = Function(0x1000, 0x10, (row(0, 57, 8, 0, 12 << 3 | 1, 0),), info2=FLEX)
    module = Module(ElfImage("moved", b"", 3, EM_X86_64, (), (), ()))
    module.sframe = SFrameSection(section(moved), 0)
    memory = {STACK: BIAS + 0x9008, **CHAIN}
    unwinder = Unwinder(memory.get, lambda _: LoadedModule(module, BIAS), None, amd64, BOTH)
    trace = unwinder.unwind(Registers(BIAS + 0x1000, STACK, STACK + 16))
    assert (trace.frames[-1].fp, trace.stop) == (None, StopReason.UNSAFE_REGISTER)


Frames = list[tuple[int, int, int | None]]
"""pc, sp and fp, innermost first."""


@dataclass(frozen=True, slots=True)
class Made:
    """A stack built frame by frame, and what it was built from."""

    memory: dict[int, int]
    truth: Frames


PLAIN, SAVING = BIAS + 0x1008, BIAS + 0x2008
SIZES = {PLAIN: 8, SAVING: 24}


@st.composite
def stacks(draw: st.DrawFn) -> Made:
    """Calls of functions without, with saved and with followed frame pointers, in any order.

    Built from the outermost inwards: `sp` is where the caller's ends.
    """
    memory: dict[int, int] = {}
    pc, sp, fp = OUTERMOST, STACK, 0
    truth: Frames = [(pc, sp, fp)]
    for code in draw(st.lists(st.sampled_from([PLAIN, SAVING, UNKNOWN, NOWHERE]), max_size=12)):
        memory[sp - 8] = pc
        if code not in SIZES:
            memory[sp - 16], fp = fp, sp - 16
            sp -= 16 + 8 * draw(st.integers(0, 4))
        else:
            if code == SAVING:
                memory[sp - 24], fp = fp, draw(st.integers(0, (1 << 64) - 1))
            sp -= SIZES[code]
        pc = code
        truth.append((pc, sp, fp))
    return Made(memory, truth[::-1])


def found(made: Made) -> Frames:
    unwinder = Unwinder(made.memory.get, lambda a: LOADED if a >= BIAS else None, None, amd64, BOTH)
    pc, sp, fp = made.truth[0]
    trace = unwinder.unwind(Registers(pc, sp, fp or 0))
    return [(frame.pc, frame.sp, frame.fp) for frame in trace.frames]


EVERY_STACK = settings(max_examples=200, deadline=None, derandomize=True, database=None)


@EVERY_STACK
@given(stacks())
def test_made_stacks_are_unwound_to_the_end(made: Made) -> None:
    assert found(made) == made.truth


def caller_sp_is_the_frame_pointer(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = replace(amd64.FRAME_POINTER_RULE, cfa=Location(amd64.FP, 8, False))
    monkeypatch.setattr(amd64, "FRAME_POINTER_RULE", rule)


def saved_frame_pointer_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amd64, "FRAME_POINTER_RULE", replace(amd64.FRAME_POINTER_RULE, fp=None))


def frame_pointers_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = Unwinder._by_table

    def first(self: Unwinder, frame: unwind.Frame) -> unwind.Frame:
        try:
            return self._by_frame_pointer(frame, amd64.FRAME_POINTER_RULE, amd64)
        except unwind._Stopped:
            return tables(self, frame)

    monkeypatch.setattr(Unwinder, "_by_table", first)


def tables_are_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a frame pointer was followed, only frame pointers are."""
    tables = Unwinder._by_table

    def once(self: Unwinder, frame: unwind.Frame) -> unwind.Frame:
        if frame.found_by is UnwindType.FP:
            raise unwind._Stopped(StopReason.NO_ENTRY)
        return tables(self, frame)

    monkeypatch.setattr(Unwinder, "_by_table", once)


def no_frame_pointers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amd64, "FRAME_POINTER_RULE", None)


@pytest.mark.parametrize(
    "plant",
    [
        caller_sp_is_the_frame_pointer,
        saved_frame_pointer_is_kept,
        frame_pointers_come_first,
        tables_are_not_asked_again,
        no_frame_pointers,
    ],
)
def test_a_wrong_fallback_is_rejected(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)

    @EVERY_STACK
    @given(stacks())
    def property_(made: Made) -> None:
        assert found(made) == made.truth

    with pytest.raises(AssertionError):
        property_()
