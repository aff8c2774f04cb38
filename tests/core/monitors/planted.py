"""Bugs planted in the toy, one a class: what is overridden is what is wrong."""

from stackweave.core import emit
from stackweave.core.events import KernelEntry, KernelExit, UnwindReset
from stackweave.core.monitors import Trace

from .toy import ASKED, CALLS, COOKIE_SHIFT, DONE_SHIFT, INSIDE, TRACERS, Toy, cookie_of, trace_of


class CallsEverybody(Toy):
    """Whoever asked, all tracers are called."""

    async def process(self) -> None:
        state = await self.state.fetch_or(ASKED << DONE_SHIFT)
        await self.state.fetch_andnot(ASKED)
        for tracer in TRACERS:
            if not state >> DONE_SHIFT >> tracer & 1:
                await self.call(tracer, cookie_of(state), await self.unwind())


class ForgetsCalls(Toy):
    """Nobody remembers who has been called in this entry."""

    async def process(self) -> None:
        await super().process()
        await self.state.fetch_andnot(ASKED << DONE_SHIFT)


class GivesUp(Toy):
    """A request whose cmpxchg fails says that it was granted."""

    async def ask(self, tracer: int) -> tuple[int, int]:
        old = await self.state.load()
        cookie = cookie_of(old) or await self.counter.fetch_add(2)
        if old >> tracer & 1 or old >> DONE_SHIFT >> tracer & 1:
            return 1, cookie
        await self.state.cmpxchg(old, old & (INSIDE * 2 - 1) | 1 << tracer | cookie << COOKIE_SHIFT)
        return 0, cookie


class Postpones(Toy):
    """Callbacks come at the beginning of the next entry, with their own cookie and stack."""

    def declare(self) -> None:
        self.saved = self.program.layout.word("saved")

    async def enter(self, stack: int) -> None:
        await super().enter(stack)
        await self.deliver(stack - 1)

    async def deliver(self, stack: int) -> None:
        saved = await self.saved.xchg(0)
        for tracer in TRACERS:
            if saved >> tracer & 1:
                await self.call(tracer, cookie_of(saved), trace_of(stack))

    def has_work(self, state: int) -> bool:
        return False

    async def reset(self, old: int) -> bool:
        left = await super().reset(old)
        if left:
            await self.saved.store(old)
        return left

    async def finish(self) -> None:
        await self.stack.store(CALLS)
        await emit(KernelEntry(0, CALLS))
        await self.deliver(CALLS - 1)
        await emit(KernelExit(0))


class PostponesWithoutReset(Postpones):
    """As `Postpones`, and the entry is left without a reset."""

    async def reset(self, old: int) -> bool:
        if await self.state.cmpxchg(old, 0) != old:
            return False
        await emit(KernelExit(0))
        await self.saved.store(old)
        return True


class AsksAfterReset(Postpones):
    """The last thing before user mode is an event that tracer 1 asks at."""

    nmis = 0

    def has_work(self, state: int) -> bool:
        return state & ASKED != 0

    async def reset(self, old: int) -> bool:
        if await self.state.cmpxchg(old, INSIDE) != old:
            return False
        await emit(UnwindReset(0))
        await self.request(1, outside=False)
        pending = await self.state.xchg(0)
        await emit(KernelExit(0))
        await self.saved.store(pending)
        return True


class ReturnsTheBit(Toy):
    """A request returns its bit instead of 1 while the callback is pending."""

    def returned(self, seen: int) -> int:
        return seen & ASKED or super().returned(seen)


class FirstCookieIsZero(Toy):
    """The first cookie is the one that means "none yet"."""

    def declare(self) -> None:
        self.program.layout.initial[self.counter.address] = 0


class ReadsTheCounter(Toy):
    """Callbacks get the last cookie made, even if the cmpxchg that should have published it failed."""

    async def call(self, tracer: int, cookie: int, trace: Trace) -> None:
        await super().call(tracer, await self.counter.load() - 2, trace)


class KeepsTheCookie(Toy):
    """The reset leaves the cookie to the next entry."""

    async def reset(self, old: int) -> bool:
        if await self.state.cmpxchg(old, cookie_of(old) << COOKIE_SHIFT) != old:
            return False
        await emit(UnwindReset(0))
        await emit(KernelExit(0))
        return True


class KeepsTheTrace(Toy):
    """The trace is unwound once and never again."""

    def declare(self) -> None:
        self.cache = self.program.layout.word("cache")

    async def unwind(self) -> Trace:
        cached = await self.cache.load()
        if not cached:
            cached = 1 + await self.stack.load()
            await self.cache.store(cached)
        return trace_of(cached - 1)


class NeverDone(Toy):
    """The exit loop takes "has been called" for work."""

    bound = 200

    def has_work(self, state: int) -> bool:
        return state & (ASKED | ASKED << DONE_SHIFT) != 0
