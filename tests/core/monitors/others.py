"""Programs for the properties that are not about unwinding; each right, or with its bug."""

from stackweave.core import Program, SignedWord, emit
from stackweave.core.events import (
    GracePeriodBegin,
    GracePeriodEnd,
    ProbeCalled,
    ReaderBegin,
    ReaderEnd,
    ShadowStackFreed,
    ShadowStackRelease,
    ShadowStackUse,
    UndefinedBehaviour,
)
from stackweave.core.monitors import grace_periods, probe_data, shadow_stack, undefined_behaviour


def grace_period_program(*, planted: bool) -> Program:
    """Readers count themselves in one of two counters; the bug is to wait for one of them only.

    A reader that has picked a counter and not yet counted is missed by one flip, as in SRCU.
    """
    program = Program("grace period")
    index = program.layout.word("index")
    counters = [program.layout.word(f"counter{i}") for i in range(2)]

    async def reader() -> None:
        for _ in range(2):
            counter = counters[await index.load() & 1]
            await counter.fetch_add(1)
            await emit(ReaderBegin("toy", 0))
            await index.load()
            await emit(ReaderEnd("toy", 0))
            await counter.fetch_add(-1)

    async def updater() -> None:
        for _ in range(2):
            await index.load()
            await emit(GracePeriodBegin("toy", 0))
            for _ in range(1 if planted else 2):
                old = await index.fetch_add(1)
                await counters[old & 1].wait(~0, 0)
            await emit(GracePeriodEnd("toy", 0))

    program.thread("reader", reader)
    program.thread("updater", updater)
    program.monitors += grace_periods("toy", [0], [0])
    return program


def tracepoint_program(*, planted: bool) -> Program:
    """A tracepoint's probe is replaced; the bug is to store probe and data one after the other."""
    program = Program("tracepoint")
    site = program.layout.word("site", 0x100A)
    probe, data = program.layout.word("probe", 1), program.layout.word("data", 0xA)

    async def call() -> None:
        for _ in range(3):
            if planted:
                called, with_data = await probe.load(), await data.load()
            else:
                called, with_data = divmod(await site.load(), 0x1000)
            await emit(ProbeCalled(0, called, with_data))

    async def replace() -> None:
        await probe.store(2)
        await data.store(0xB)
        await site.store(0x200B)

    program.thread("caller", call)
    program.thread("tracer", replace)
    program.monitors.append(probe_data(0, {(1, 0xA), (2, 0xB)}))
    return program


def shadow_stack_program(*, planted: bool) -> Program:
    """A task's shadow stack is taken away; the bug is not to wait until the task has returned."""
    program = Program("shadow stack")
    pointer = program.layout.word("pointer", 1)
    busy = program.layout.word("busy")

    async def task() -> None:
        for _ in range(3):
            if not planted:
                await busy.acquire(0, 1)
            if await pointer.load():
                await busy.load()
                await emit(ShadowStackUse(0, 7))
                await pointer.load()
                await emit(ShadowStackRelease(0, 7))
            await busy.store(0)

    async def unregister() -> None:
        await pointer.store(0)
        if not planted:
            await busy.acquire(0, 1)
        await busy.store(0)
        await emit(ShadowStackFreed(7))

    program.thread("task", task)
    program.thread("tracer", unregister)
    program.monitors.append(shadow_stack(7))
    return program


def shift_program(*, planted: bool) -> Program:
    """A work's bit becomes -1 while another context shifts by it; the bug is not to look."""
    program = Program("shift")
    bit, mask = program.layout.place("bit", SignedWord), program.layout.word("mask")

    async def marks() -> None:
        for _ in range(3):
            shift = await bit.load()
            if shift >= 0:
                await mask.fetch_or(1 << shift)
            elif planted:
                await emit(UndefinedBehaviour("shift"))

    async def cancels() -> None:
        await bit.store(-1)

    program.thread("marks", marks)
    program.thread("cancels", cancels)
    program.monitors.append(undefined_behaviour("shift"))
    return program
