"""A toy in which tracer 0 hands its bit on to tracer 1 while the task runs, and bugs planted in it.

One lock covers a request, the callbacks, a cancel and a registration: what a subclass does outside of it, or
leaves behind in it, is the bug.
"""

from stackweave.core import emit
from stackweave.core.events import CancelBegin, CancelEnd, Registered

from .toy import ASKED, DONE_SHIFT, EINVAL, Toy, cookie_of

NOBODY = 0


class Handover(Toy):
    """Both tracers ask in each system call, tracer 1 also on the way out; who is no owner is refused."""

    callers = (0, 1)
    nmis = 0

    def __init__(self) -> None:
        super().__init__()
        self.program.thread("tracers", self.tracers, weight=8)

    def declare(self) -> None:
        self.owner = self.program.layout.word("owner")
        self.lock = self.program.layout.word("lock")

    async def tracers(self) -> None:
        await self.register(0)
        for _ in range(12):
            await self.work.load()
        await self.cancel(0)
        await self.register(1)

    async def register(self, tracer: int) -> None:
        await self.lock.acquire(0, 1)
        await self.owner.store(1 + tracer)
        await emit(Registered(tracer, 0))
        await self.lock.store(0)

    async def cancel(self, tracer: int) -> None:
        await emit(CancelBegin(tracer))
        await self.lock.acquire(0, 1)
        await self.owner.store(NOBODY)
        await self.state.fetch_andnot(self.cleared())
        await self.lock.store(0)
        await emit(CancelEnd(tracer))

    def cleared(self) -> int:
        return 1 | 1 << DONE_SHIFT

    async def ask(self, tracer: int) -> tuple[int, int]:
        await self.lock.acquire(0, 1)
        answer = await self.ask_as_owner(tracer)
        await self.lock.store(0)
        return answer

    async def ask_as_owner(self, tracer: int) -> tuple[int, int]:
        if await self.owner.load() == 1 + tracer:
            return await super().ask(0)
        return EINVAL, 0

    async def process(self) -> None:
        await self.call_owner()
        await self.request(1, outside=False)

    async def call_owner(self) -> None:
        await self.lock.acquire(0, 1)
        claimed, cookie = await self.claim()
        await self.before_owner_is_read()
        owner = await self.owner.load()
        await self.before_call()
        if claimed and owner != NOBODY:
            await self.call(owner - 1, cookie, await self.unwind())
        await self.lock.store(0)

    async def claim(self) -> tuple[int, int]:
        while True:
            old = await self.state.load()
            claimed = old & ASKED
            if await self.state.cmpxchg(old, old & ~claimed | claimed << DONE_SHIFT) == old:
                return claimed, cookie_of(old)

    async def before_owner_is_read(self) -> None:
        """The lock is held."""

    async def before_call(self) -> None:
        """The lock is held."""


class CallsUnlocked(Handover):
    """The lock is dropped and retaken between reading the owner and calling it."""

    async def before_call(self) -> None:
        await self.lock.store(0)
        await self.lock.acquire(0, 1)


class ReadsOwnerLate(Handover):
    """The lock is dropped and retaken between reading the task's bits and the bit's owner."""

    async def before_owner_is_read(self) -> None:
        await self.lock.store(0)
        await self.lock.acquire(0, 1)


class AsksUnlocked(Handover):
    """A request looks who owns the bit before it takes the lock."""

    async def ask(self, tracer: int) -> tuple[int, int]:
        if await self.owner.load() != 1 + tracer:
            return EINVAL, 0
        await self.lock.acquire(0, 1)
        answer = await Toy.ask(self, 0)
        await self.lock.store(0)
        return answer


class KeepsDone(Handover):
    """A cancel leaves behind that the tracer has been called in this entry."""

    def cleared(self) -> int:
        return 1


class GrantsCancelled(Handover):
    """A request of a cancelled tracer is granted."""

    def declare(self) -> None:
        super().declare()
        self.cancelled = self.program.layout.word("cancelled")

    async def cancel(self, tracer: int) -> None:
        await super().cancel(tracer)
        await self.cancelled.store(1 + tracer)

    async def ask_as_owner(self, tracer: int) -> tuple[int, int]:
        if await self.cancelled.load() == 1 + tracer:
            return 0, await self.counter.fetch_add(2)
        return await super().ask_as_owner(tracer)
