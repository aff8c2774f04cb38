"""Single steps, and every reason to stop, on hand-made code and memory."""

from collections.abc import Callable, Mapping

import pytest

from stackweave.core.sframe import (
    Backtrace,
    Frame,
    LoadedModule,
    Module,
    Registers,
    SFrameError,
    SFrameSection,
    StopReason,
    Unwinder,
)
from stackweave.core.sframe.elf import EM_X86_64, ElfImage

from .sections import FLEX, FP, SIGNAL, Function, row, section

BIAS = 0x7F0000000000
STACK = 0x7FFF0000


def loaded(contents: bytes | None) -> LoadedModule:
    module = Module(ElfImage("made", b"", 3, EM_X86_64, (), (), ()))
    module.sframe = None if contents is None else SFrameSection(contents, 0)
    return LoadedModule(module, BIAS)


def unwound(
    contents: bytes | None,
    memory: Mapping[int, int],
    pc: int = 0x1000,
    fp: int = 0xF0,
    others: Mapping[int, int] | None = None,
    is_code: Callable[[int], bool] | None = None,
    limit: int = 50,
) -> Backtrace:
    """Unwind with `contents` as the only module's section; addresses count from its bias."""
    module = loaded(contents)
    unwinder = Unwinder(memory.get, lambda address: module if address >= BIAS else None, is_code)
    return unwinder.unwind(Registers(BIAS + pc, STACK, fp, others or {}), limit)


def pcs(trace: Backtrace) -> list[int]:
    return [frame.pc - BIAS for frame in trace.frames]


LEAF = Function(0x1000, 0x10, (row(0, 8),))
MIDDLE = Function(0x2000, 0x10, (row(0, 8), row(1, 16, -16), row(8, 32, -16)))
START = Function(0x3000, 0x10)
RETURNS = {STACK: BIAS + 0x2003, STACK + 8: 0xAA, STACK + 16: BIAS + 0x3008}


def test_frames_carry_pc_sp_and_fp() -> None:
    trace = unwound(section(LEAF, MIDDLE, START), RETURNS)
    assert [(f.pc - BIAS, f.sp - STACK, f.fp, f.is_exact) for f in trace.frames] == [
        (0x1000, 0, 0xF0, True),
        (0x2003, 8, 0xF0, False),
        (0x3008, 24, 0xAA, False),
    ]
    assert trace.stop is StopReason.OUTERMOST


def test_a_return_address_belongs_to_the_call_before_it() -> None:
    """A call that never returns may be a function's last instruction."""
    memory = {STACK: BIAS + 0x2010, STACK + 8 + 16: 0xAA, STACK + 8 + 24: BIAS + 0x3008}
    after = Function(0x2010, 0x10, (row(0, 8),))
    trace = unwound(section(LEAF, MIDDLE, after, START), memory)
    assert pcs(trace) == [0x1000, 0x2010, 0x3008]


def test_a_return_address_belongs_to_the_calls_module() -> None:
    """The call may be the last instruction of its module."""
    low, high = loaded(section(LEAF, MIDDLE)), loaded(None)
    memory = {STACK: BIAS + 0x2010, STACK + 24: 0xAA, STACK + 32: BIAS + 0x9000}
    unwinder = Unwinder(memory.get, lambda address: low if address < BIAS + 0x2010 else high)
    trace = unwinder.unwind(Registers(BIAS + 0x1000, STACK, 0))
    assert [frame.module is low for frame in trace.frames] == [True, True, False]


def test_single_steps_give_what_unwinding_gives() -> None:
    module = loaded(section(LEAF, MIDDLE, START))
    unwinder = Unwinder(RETURNS.get, lambda _: module)
    frames = [unwinder.top(Registers(BIAS + 0x1000, STACK, 0xF0))]
    while isinstance(step := unwinder.step(frames[-1]), Frame):
        frames.append(step)
    assert step is StopReason.OUTERMOST
    assert tuple(frames) == unwinder.unwind(Registers(BIAS + 0x1000, STACK, 0xF0)).frames


def test_no_module() -> None:
    trace = unwound(section(LEAF), {STACK: 0x5000})
    assert ([f.pc for f in trace.frames][1:], trace.stop) == ([0x5000], StopReason.NO_MODULE)


def test_no_sframe() -> None:
    assert unwound(None, {}).stop is StopReason.NO_SFRAME


@pytest.mark.parametrize("pc", [0xFFF, 0x1010])
def test_no_entry(pc: int) -> None:
    assert unwound(section(LEAF), {}, pc).stop is StopReason.NO_ENTRY


@pytest.mark.parametrize("base", [7, 12])
def test_registers_are_known_only_on_top(base: int) -> None:
    """CFA = R[base] + 16: fine for SP in every frame, for r12 only in the topmost."""
    moved = Function(0x1000, 0x10, (row(0, base << 3 | 1, 16),), info2=FLEX)
    memory = {STACK + 8: BIAS + 0x1008, STACK + 24: BIAS + 0x3008}
    trace = unwound(section(moved, START), memory, others={12: STACK})
    if base == 7:
        assert (pcs(trace), trace.stop) == ([0x1000, 0x1008, 0x3008], StopReason.OUTERMOST)
    else:
        assert (pcs(trace), trace.stop) == ([0x1000, 0x1008], StopReason.UNSAFE_REGISTER)
    missing = unwound(section(moved, START), memory)
    assert (len(missing.frames) == 1) == (base == 12)


def test_only_fp_unknown_does_not_stop() -> None:
    """CFA = SP + 8, FP = r12, in a frame that is not the topmost."""
    keeps = Function(0x2000, 0x10, (row(0, 57, 8, 0, 12 << 3 | 1, 0),), info2=FLEX)
    memory = {STACK: BIAS + 0x2004, STACK + 8: BIAS + 0x2008, STACK + 16: BIAS + 0x4008}
    needs_fp = Function(0x4000, 0x10, (row(0, 16, base=FP),))
    trace = unwound(section(LEAF, keeps, needs_fp), memory, others={12: 0xBB})
    assert [frame.fp for frame in trace.frames] == [0xF0, 0xF0, None, None]
    assert trace.stop is StopReason.UNSAFE_REGISTER


def test_outside_the_stack() -> None:
    assert unwound(section(LEAF), {}).stop is StopReason.OUTSIDE_STACK
    saved = {STACK: BIAS + 0x2003, STACK + 8: 0xBB}
    trace = unwound(section(LEAF, MIDDLE, START), saved)
    assert (pcs(trace), trace.stop) == ([0x1000, 0x2003], StopReason.OUTSIDE_STACK)


def test_a_slot_of_fp_that_was_not_captured_leaves_only_fp_unknown() -> None:
    """In an epilogue that has popped FP its slot lies below SP, where a copied stack begins."""
    saved = {STACK: BIAS + 0x2003, STACK + 16: BIAS + 0x3008}
    trace = unwound(section(LEAF, MIDDLE, START), saved)
    assert (pcs(trace), trace.stop) == ([0x1000, 0x2003, 0x3008], StopReason.OUTERMOST)
    assert [frame.fp for frame in trace.frames] == [0xF0, 0xF0, None]


@pytest.mark.parametrize("offset", [0, -8])
def test_no_progress(offset: int) -> None:
    still = Function(0x1000, 0x10, (row(0, offset),))
    trace = unwound(section(still), {STACK + offset - 8: BIAS + 0x1008})
    assert (len(trace.frames), trace.stop) == (1, StopReason.NO_PROGRESS)


@pytest.mark.parametrize("address", [0, 1, 0xFFF, 1 << 63, (1 << 64) - 1])
def test_return_addresses_that_cannot_be_code(address: int) -> None:
    trace = unwound(section(LEAF), {STACK: address})
    assert (len(trace.frames), trace.stop) == (1, StopReason.BAD_RETURN_ADDRESS)


def test_return_addresses_outside_executable_memory() -> None:
    trace = unwound(section(LEAF, MIDDLE, START), RETURNS, is_code=lambda a: a - BIAS != 0x2002)
    assert (len(trace.frames), trace.stop) == (1, StopReason.BAD_RETURN_ADDRESS)


def test_a_damaged_entry() -> None:
    broken = Function(0x1000, 0x10, (row(0, 8, 8, 8),))
    trace = unwound(section(broken), {})
    assert trace.stop is StopReason.MALFORMED
    assert isinstance(trace.cause, SFrameError)


def test_the_limit_ends_endless_recursion() -> None:
    memory = dict.fromkeys(range(STACK, STACK + 800, 8), BIAS + 0x1008)
    trace = unwound(section(LEAF), memory, limit=20)
    assert (len(trace.frames), trace.stop) == (20, StopReason.LIMIT)


def ucontext(at: int, pc: int, sp: int) -> dict[int, int]:
    """What the kernel saved: every register tells its own offset."""
    saved = {at + offset: 0x9000 + offset for offset in range(40, 176, 8)}
    return {**saved, at + 160: sp, at + 168: pc}


def test_a_signal_entry_without_rows_is_crossed() -> None:
    """The handler's frame returns into the trampoline; SP then points to the context."""
    trampoline = Function(0x4FFF, 0x10, info=SIGNAL)
    moved = Function(0x1100, 0x10, (row(0, 10 << 3 | 1, 8),), info2=FLEX)
    elsewhere = 0x8000
    memory = {STACK: BIAS + 0x5000, **ucontext(STACK + 8, BIAS + 0x1100, elsewhere)}
    memory[0x9000 + 56] = BIAS + 0x3008
    trace = unwound(section(LEAF, trampoline, moved, START), memory)
    assert pcs(trace) == [0x1000, 0x5000, 0x1100, 0x3008]
    interrupted = trace.frames[2]
    assert (interrupted.sp, interrupted.fp, interrupted.is_exact) == (elsewhere, 0x9078, True)
    expected = {8: 40, 9: 48, 10: 56, 11: 64, 12: 72, 13: 80, 14: 88, 15: 96}
    expected |= {5: 104, 4: 112, 3: 128, 1: 136, 0: 144, 2: 152, 6: 120}
    saved = {n: 0x9000 + offset for n, offset in expected.items()}
    assert interrupted.others == {**saved, 7: elsewhere}


def test_an_unreadable_signal_context_stops() -> None:
    trampoline = Function(0x4FFF, 0x10, info=SIGNAL)
    trace = unwound(section(LEAF, trampoline), {STACK: BIAS + 0x5000})
    assert (pcs(trace), trace.stop) == ([0x1000, 0x5000], StopReason.SIGNAL_ENTRY)


def test_a_signal_entry_with_rows_interrupts_exactly() -> None:
    """Its caller may be at a function's first instruction, before any call."""
    trampoline = Function(0x4FFF, 0x10, (row(0, 16),), info=SIGNAL)
    memory = {STACK: BIAS + 0x5000, STACK + 16: BIAS + 0x3000}
    trace = unwound(section(LEAF, trampoline, START), memory)
    assert pcs(trace) == [0x1000, 0x5000, 0x3000]
    assert (trace.frames[-1].is_exact, trace.stop) == (True, StopReason.OUTERMOST)
