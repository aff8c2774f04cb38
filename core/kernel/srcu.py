"""Sleepable read-copy update, tree SRCU's protocol (kernel/rcu/srcutree.c).

A reader adds one to `locks[i]` of the CPU it is on, i being the index it found, and later one to `unlocks[i]` of
the CPU it is on then. An updater knows that no reader of index i is left when the sum of all unlocks equals the
sum of all locks, summed in that order: the other order can miss a reader. A reader may be held up between
fetching i and counting itself, so a grace period scans the inactive index, flips, and scans the other one.
`seq` counts grace periods: its two low bits are the state, IDLE, SCAN1 or SCAN2.

A grace period is driven by its updater here, under a mutex, where the kernel has a work queue. The kernel's fences
are at A to E, as its comments name them. Left out: the tree, callbacks, expediting, and the fast flavours,
whose readers have no fence.

Where readers are left the kernel's worker looks again after a while. There is no time here, and who looks over and
over is never deadlocked: so an updater marks the counters of unlocks and sleeps, and a reader that finds the mark
on what it has counted wakes it. A reader that finds none does what the kernel's does, and no more.
"""

from collections.abc import Sequence
from typing import Final

from ..memory import Layout, PerCpu, Struct, Word
from ..operations import RELEASE, fence, sleep_until, smp_processor_id
from .mutex import Mutex

SEQ_STATE: Final = 3
"""Mask of the state in `seq`: 0 IDLE, 1 SCAN1, 2 SCAN2."""

SLEEPER: Final = 1 << 63
"""In a counter of unlocks: an updater sleeps until it changes."""


class _Counters(Struct):
    """struct srcu_ctr, for both indexes."""

    locks0: Word
    locks1: Word
    unlocks0: Word
    unlocks1: Word


class SrcuReader:
    """`async with srcu.read_lock():` the scope of a reader."""

    __slots__ = ("_index", "_srcu")

    def __init__(self, srcu: "Srcu") -> None:
        self._srcu = srcu
        self._index = 0

    async def __aenter__(self) -> None:
        self._index = await self._srcu.srcu_read_lock()

    async def __aexit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is None:
            await self._srcu.srcu_read_unlock(self._index)


class Srcu:
    """struct srcu_struct."""

    def __init__(self, layout: Layout, name: str) -> None:
        self._ctrp = layout.word(f"{name}.ctrp")
        self._seq = layout.word(f"{name}.seq")
        self._gp_mutex = Mutex(layout.word(f"{name}.gp_mutex"))
        self._wake = layout.word(f"{name}.wake")
        counters: PerCpu[_Counters] = layout.per_cpu(f"{name}.ctrs", _Counters)
        self._locks = tuple((each.locks0, each.locks1) for each in counters)
        self._unlocks = tuple((each.unlocks0, each.unlocks1) for each in counters)

    def read_lock(self) -> SrcuReader:
        """A reader's scope."""
        return SrcuReader(self)

    async def srcu_read_lock(self) -> int:
        """Begin to read; the index to give back to `srcu_read_unlock`."""
        index = await self._ctrp.load()
        cpu = await smp_processor_id()
        await self._locks[cpu][index].fetch_add(1)
        await fence()  # B: the count before what is read
        return index

    async def srcu_read_unlock(self, index: int) -> None:
        """End to read."""
        await fence()  # C: what was read before the count
        cpu = await smp_processor_id()
        if await self._unlocks[cpu][index].fetch_add(1) & SLEEPER:
            await self._wake.store(1)

    async def synchronize(self) -> None:
        """synchronize_srcu(): wait until every reader there is now has ended. Inside a reader: deadlock."""
        async with self._gp_mutex:
            seq = await self._seq.load()
            await self._seq.store(seq + 1)
            inactive = await self._ctrp.load() ^ 1
            await self._await_readers(inactive)
            await fence()  # E: the scan before the flip
            await self._ctrp.store(inactive, RELEASE)
            await fence()  # D: the flip before the next scan
            await self._seq.store(seq + 2)
            await self._await_readers(inactive ^ 1)
            await self._seq.store(seq + SEQ_STATE + 1)

    async def get_state(self) -> int:
        """get_state_synchronize_srcu(): the `seq` at which a grace period that begins now has ended."""
        await fence()
        return (await self._seq.load() + 2 * SEQ_STATE + 1) & ~SEQ_STATE

    async def poll(self, cookie: int) -> bool:
        """poll_state_synchronize_srcu(): whether that grace period has ended."""
        ended = await self._seq.load() >= cookie
        await fence()
        return ended

    async def _await_readers(self, index: int) -> None:
        if await self._readers_are_gone(index):
            return
        for pair in self._unlocks:
            await pair[index].fetch_or(SLEEPER)
        while True:
            # whoever counts after this scan finds the mark
            await self._wake.store(0)
            if await self._readers_are_gone(index):
                break
            await sleep_until(self._wake.address, 1, 1)
        for pair in self._unlocks:
            await pair[index].fetch_andnot(SLEEPER)

    async def _readers_are_gone(self, index: int) -> bool:
        unlocks = await _sum(self._unlocks, index)
        await fence()  # A: unlocks before locks
        return await _sum(self._locks, index) == unlocks


async def _sum(counters: Sequence[tuple[Word, Word]], index: int) -> int:
    total = 0
    for pair in counters:
        total += await pair[index].load()
    return total & SLEEPER - 1  # counters wrap, and marks are no counts
