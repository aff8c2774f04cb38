"""The programs of the Promela files beside this one, operation for operation."""

from collections.abc import Callable, Mapping
from typing import Final

from stackweave.core import Program, Word, check

Constants = Mapping[str, int]


class Pair:
    """A program under construction: its words, in the order in which the Promela one prints them."""

    def __init__(self, name: str, constants: Constants, *, checked: bool) -> None:
        self.program = Program(name)
        self.constants = constants
        self.addresses: list[int] = []
        """Of the words."""
        self._checked = checked

    def words(self, *names: str) -> list[Word]:
        """Words of memory."""
        words = [self.program.layout.word(name) for name in names]
        self.addresses += [word.address for word in words]
        return words

    async def check(self, condition: bool) -> None:
        """CHECK() of check.h."""
        if self._checked:
            await check(condition, "check")


def counter(pair: Pair) -> None:
    """counter.pml"""
    (word,) = pair.words("word")
    threads, times = pair.constants["THREADS"], pair.constants["TIMES"]

    async def thread() -> None:
        left = times
        while left:
            old = await word.load()
            left -= await word.cmpxchg(old, old + 1) == old

    for number in range(threads):
        pair.program.thread(f"thread{number}", thread)

    async def end() -> None:
        await pair.check(await word.load() == threads * times)

    pair.program.finally_(end)


def lock(pair: Pair) -> None:
    """lock.pml"""
    lock, word = pair.words("lock", "word")
    threads, times = pair.constants["THREADS"], pair.constants["TIMES"]
    locked = pair.constants["LOCKED"]

    async def thread() -> None:
        left = times
        while left:
            if locked:
                await lock.acquire(0, 1)
            await word.store(await word.load() + 1)
            if locked:
                await lock.store(0)
            left -= 1

    for number in range(threads):
        pair.program.thread(f"thread{number}", thread)

    async def end() -> None:
        await pair.check(await word.load() == threads * times)

    pair.program.finally_(end)


def seqlock(pair: Pair) -> None:
    """seqlock.pml"""
    seq, a, b, seen_a, seen_b = pair.words("seq", "a", "b", "seen_a", "seen_b")
    again = pair.constants["AGAIN"]

    async def writer() -> None:
        for n in range(1, pair.constants["TIMES"] + 1):
            await seq.fetch_add(1)
            await a.store(n)
            await b.store(n)
            await seq.fetch_add(1)

    async def copy() -> bool:
        before = await seq.load()
        if before & 1:
            return False
        before *= again
        await seen_a.store(await a.load())
        await seen_b.store(await b.load())
        return not again or await seq.load() == before

    async def reader() -> None:
        while True:
            if await copy():
                break
        x = await seen_a.load()
        await pair.check(x == await seen_b.load())

    pair.program.thread("writer", writer)
    pair.program.thread("reader", reader)


def treiber(pair: Pair) -> None:
    """treiber.pml"""
    (top,) = pair.words("top")
    next_ = pair.words("next0", "next1", "next2")
    got = pair.words("got0", "got1", "got2")
    atomic = pair.constants["ATOMIC"]

    async def push(node: int) -> None:
        while True:
            old = await top.load()
            await next_[node - 1].store(old)
            if await top.cmpxchg(old, node) == old:
                return

    async def pop() -> int:
        while True:
            old = await top.load()
            if not old:
                return 0
            after = await next_[old - 1].load()
            if not atomic:
                await top.store(after)
                return old
            if await top.cmpxchg(old, after) == old:
                return old

    async def thread(number: int) -> None:
        await push(number + 1)
        node = await pop()
        if node:
            await got[number].store(node)

    for number in range(pair.constants["THREADS"]):
        pair.program.thread(f"thread{number}", thread, number)

    async def end() -> None:
        popped = [node for word in got if (node := await word.load())]
        await pair.check(len(popped) == len(set(popped)))

    pair.program.finally_(end)


def srcu(pair: Pair) -> None:
    """srcu.pml"""
    (index,) = pair.words("index")
    locks, unlocks = pair.words("locks0", "locks1"), pair.words("unlocks0", "unlocks1")
    gone, freed = pair.words("gone", "freed")

    async def no_readers(i: int) -> None:
        while True:
            ended = await unlocks[i].load()
            if await locks[i].load() == ended:
                return

    async def updater() -> None:
        await gone.store(1)
        i = 1 - await index.load()
        await no_readers(i)
        if pair.constants["FLIP"]:
            await index.store(i)
            await no_readers(1 - i)
        await freed.store(1)

    async def reader() -> None:
        i = await index.load()
        await locks[i].fetch_add(1)
        if not await gone.load():
            await pair.check(not await freed.load())
        await unlocks[i].fetch_add(1)

    pair.program.thread("updater", updater)
    for number in range(pair.constants["THREADS"]):
        pair.program.thread(f"reader{number}", reader)


def bitmask(pair: Pair) -> None:
    """bitmask.pml"""
    mask, work = pair.words("mask", "work")
    called = pair.words("called0", "called1")
    times, clear = pair.constants["TIMES"], pair.constants["CLEAR"]

    async def request(bit: int) -> None:
        if await mask.load() & bit:
            return
        if not await mask.fetch_or(1 | bit) & 1:
            await work.store(1)

    async def tracer(bit: int) -> None:
        left = times
        while left:
            await request(bit)
            left -= 1

    async def call_back() -> None:
        bits = await mask.fetch_and(~1) & ~1
        await pair.check(bits != 0)
        for tracer in range(2):
            if bits & 2 << tracer:
                await called[tracer].fetch_add(1)
        if clear:
            await mask.fetch_and(1)

    async def worker() -> None:
        left = times
        while left:
            if await work.cmpxchg(1, 0) == 1:
                await call_back()
            left -= 1

    for number in range(pair.constants["THREADS"]):
        pair.program.thread(f"tracer{number}", tracer, 2 << number)
    pair.program.thread("worker", worker)


MAKERS: Final[dict[str, Callable[[Pair], None]]] = {
    "counter": counter,
    "lock": lock,
    "seqlock": seqlock,
    "treiber": treiber,
    "srcu": srcu,
    "bitmask": bitmask,
}


def make(name: str, constants: Constants, *, checked: bool = False) -> Pair:
    """One of the programs."""
    pair = Pair(name, constants, checked=checked)
    MAKERS[name](pair)
    return pair
