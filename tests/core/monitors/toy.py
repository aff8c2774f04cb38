"""A toy of deferred unwinding that is right, for planting one bug at a time.

One task runs three system calls; tracer 0 asks in each, tracer 1 asks from NMIs. All state lies in one word, so
one cmpxchg asks, claims or resets, and an NMI between any two operations does no harm. What
a subclass overrides is the bug.
"""

from typing import ClassVar, Final

from stackweave.core import Program, emit
from stackweave.core.events import (
    CallbackBegin,
    CallbackEnd,
    ExitRound,
    KernelEntry,
    KernelExit,
    RequestBegin,
    RequestEnd,
    TaskExit,
    UnwindReset,
)
from stackweave.core.monitors import Trace, unwind_monitors

TRACERS: Final = (0, 1)
ASKED: Final = 0x3
"""One bit a tracer."""
DONE_SHIFT: Final = 8
"""From a tracer's bit to the one that says that it has been called in this entry."""
INSIDE: Final = 1 << 16
"""The task is in the kernel."""
COOKIE_SHIFT: Final = 32
CALLS: Final = 3
EINVAL: Final = -22


def trace_of(stack: int) -> Trace:
    """The true backtrace of a stack."""
    return (0x1000 + stack, 0x2000)


def cookie_of(state: int) -> int:
    return state >> COOKIE_SHIFT


class Toy:
    """The program, and its protocols as methods."""

    callers: ClassVar[tuple[int, ...]] = (0,)
    """Tracers that ask in each system call."""
    nmis: ClassVar = 2
    bound: ClassVar = 2000

    def __init__(self) -> None:
        self.program = Program(type(self).__name__, bound=self.bound)
        layout = self.program.layout
        self.state = layout.word("state")
        self.counter = layout.word("counter", 3)
        self.stack = layout.word("stack")
        self.work = layout.word("work")
        self.declare()
        # an interrupt of equal weight would come within the first few steps, nearly always
        self.program.thread("task", self.task, weight=8)
        self.cpu = self.program.cpu(0)
        for number in range(self.nmis):
            self.program.nmi(f"nmi{number}", self.nmi, cpu=0)
        self.program.monitors += unwind_monitors(1, 2, (0,), (EINVAL,), lambda s: {trace_of(s)})

    def declare(self) -> None:
        """More memory and contexts."""

    async def task(self) -> None:
        for stack in range(CALLS):
            await self.enter(stack)
            for tracer in self.callers:
                await self.request(tracer)
            await self.leave()
        await self.finish()
        await emit(TaskExit(0))

    async def nmi(self) -> None:
        async with self.cpu.nmi():
            if await self.state.load() & INSIDE:
                await self.request(1)

    async def enter(self, stack: int) -> None:
        await self.stack.store(stack)
        await self.state.fetch_or(INSIDE)
        await emit(KernelEntry(0, stack))

    async def finish(self) -> None:
        """What is left when the last system call has returned."""

    async def request(self, tracer: int, *, outside: bool = True) -> None:
        await emit(RequestBegin(0, tracer, outside))
        returned, cookie = await self.ask(tracer)
        await emit(RequestEnd(0, tracer, returned, cookie, returned >= 0))

    async def ask(self, tracer: int) -> tuple[int, int]:
        bit = 1 << tracer
        while True:
            old = await self.state.load()
            cookie = cookie_of(old) or await self.counter.fetch_add(2)
            seen = old & (bit | bit << DONE_SHIFT)
            new = (old | (0 if seen else bit)) & (INSIDE * 2 - 1) | cookie << COOKIE_SHIFT
            if await self.state.cmpxchg(old, new) == old:
                return self.returned(seen), cookie

    def returned(self, seen: int) -> int:
        return 1 if seen else 0

    async def leave(self) -> None:
        while True:
            old = await self.state.load()
            if self.has_work(old):
                await emit(ExitRound(0))
                await self.process()
            elif await self.reset(old):
                return

    def has_work(self, state: int) -> bool:
        return state & ASKED != 0

    async def process(self) -> None:
        while True:
            old = await self.state.load()
            claimed = old & ASKED
            new = old & ~claimed | claimed << DONE_SHIFT
            if await self.state.cmpxchg(old, new) == old:
                break
        trace = await self.unwind()
        for tracer in TRACERS:
            if claimed >> tracer & 1:
                await self.call(tracer, cookie_of(old), trace)

    async def unwind(self) -> Trace:
        return trace_of(await self.stack.load())

    async def call(self, tracer: int, cookie: int, trace: Trace) -> None:
        await emit(CallbackBegin(0, tracer, cookie, trace))
        await self.work.fetch_add(1)
        await emit(CallbackEnd(0, tracer))

    async def reset(self, old: int) -> bool:
        if await self.state.cmpxchg(old, 0) != old:
            return False
        await emit(UnwindReset(0))
        await emit(KernelExit(0))
        return True
