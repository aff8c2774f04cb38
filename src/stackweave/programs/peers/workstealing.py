"""A work-stealing queue in which the owner and a thief get the same item.

The queue is the one of Cilk (Frigo, Leiserson, Randall, "The implementation of the Cilk-5 multithreaded language",
PLDI 1998, section 5), which CHESS was tried on: the owner pushes and pops at the tail without a lock, thieves take
from the head under one. The owner must give up the last place before it looks at the head; here it looks first.
"""

from typing import Final

from stackweave.core import Program, Word, check

ITEMS: Final = 3
_STEALS: Final = 2


class _Queue:
    def __init__(self, program: Program, look_first: bool) -> None:
        layout = program.layout
        self._look_first = look_first
        self._head = layout.word("head")
        self._tail = layout.word("tail")
        self._lock = layout.word("lock")
        self._items = [layout.word(f"items[{place}]") for place in range(ITEMS)]
        self._taken = [layout.word(f"taken[{item}]") for item in range(ITEMS)]

    async def push(self, item: int) -> None:
        tail = await self._tail.load()
        await self._items[tail].store(item)
        await self._tail.store(tail + 1)

    async def pop(self) -> None:
        """The owner takes the newest item, if there is one."""
        tail = await self._tail.load() - 1
        if self._look_first:
            head = await self._head.load()
            await self._tail.store(tail)
        else:
            await self._tail.store(tail)
            head = await self._head.load()
        if head <= tail:
            await self._take(self._items[tail])
            return
        await self._lock.acquire(0, 1)
        if await self._head.load() <= tail:
            await self._take(self._items[tail])
        else:
            await self._tail.store(tail + 1)
        await self._lock.store(0)

    async def steal(self) -> None:
        """A thief takes the oldest item, if there is one."""
        await self._lock.acquire(0, 1)
        head = await self._head.load()
        await self._head.store(head + 1)
        if head + 1 <= await self._tail.load():
            await self._take(self._items[head])
        else:
            await self._head.store(head)
        await self._lock.store(0)

    async def _take(self, place: Word) -> None:
        item = await place.load()
        await check(await self._taken[item].fetch_add(1) == 0, "taken-twice")


def workstealing(look_first: bool = True) -> Program:
    """An owner that pushes all items and pops as many, and a thief."""
    program = Program("workstealing")
    queue = _Queue(program, look_first)

    async def own() -> None:
        for item in range(ITEMS):
            await queue.push(item)
        for _ in range(ITEMS):
            await queue.pop()

    async def rob() -> None:
        for _ in range(_STEALS):
            await queue.steal()

    program.thread("owner", own)
    program.thread("thief", rob)
    return program
