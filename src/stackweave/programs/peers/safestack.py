"""SafeStack: a lock-free pool of places, in which two threads come to hold one place.

Vyukov's example, posted to the CHESS forum and kept in SCTBench: a stack of indexes in an array. To pop is to swap
the head's `next` for -1, and then to move the head on; who fails to do the latter puts `next` back. A thread that
comes back late puts back what is no longer so. It takes three threads and at least five preemptions.
"""

from typing import Final

from stackweave.core import Program, SignedWord, as_long, check

THREADS: Final = 3
PLACES: Final = 3
_TURNS: Final = 2
_TRIES: Final = 4
"""Of one turn: the original tries for ever, which takes strategies that are fair."""
_NONE: Final = -1


class _Stack:
    def __init__(self, program: Program) -> None:
        layout = program.layout
        self._head = layout.place("head", SignedWord)
        self._count = layout.word("count", PLACES)
        self._next = [layout.place(f"next[{place}]", SignedWord) for place in range(PLACES)]
        self._value = [layout.word(f"value[{place}]") for place in range(PLACES)]
        for place, word in enumerate(self._next):
            layout.initialise(word, place + 1 if place + 1 < PLACES else _NONE)

    async def pop(self) -> int:
        """A place, or `_NONE`."""
        for _ in range(_TRIES):
            if await self._count.load() <= 1:
                break
            head = await self._head.load()
            following = as_long(await self._next[head].xchg(_NONE))
            if following >= 0:
                if await self._head.cmpxchg(head, following) == head:
                    await self._count.fetch_add(-1)
                    return head
                await self._next[head].xchg(following)
        return _NONE

    async def push(self, place: int) -> None:
        head = await self._head.load()
        while True:
            await self._next[place].store(head)
            seen = await self._head.cmpxchg(head, place)
            if seen == head:
                break
            head = seen
        await self._count.fetch_add(1)

    async def use(self, thread: int) -> None:
        """Take places and put them back; each is ours meanwhile. A turn that finds none is given up."""
        for _ in range(_TURNS):
            place = await self.pop()
            if place == _NONE:
                continue
            await self._value[place].store(thread)
            await check(await self._value[place].load() == thread, "shared-place")
            await self.push(place)


def safestack() -> Program:
    """Three threads, three places."""
    program = Program("safestack")
    stack = _Stack(program)
    for thread in range(THREADS):
        program.thread(f"thread{thread}", stack.use, thread)
    return program
