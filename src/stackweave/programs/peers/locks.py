"""Programs whose locks do not hold what they should."""

from types import TracebackType

from stackweave.core import Program, Word, check


class _Lock:
    """`async with`: a spin lock over one word."""

    def __init__(self, program: Program, name: str) -> None:
        self._word = program.layout.word(name)

    async def __aenter__(self) -> None:
        await self._word.acquire(0, 1)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            await self._word.store(0)


async def _add(word: Word, addend: int) -> None:
    """An increment of C: a load and a store."""
    await word.store(await word.load() + addend)


def twostage(name: str, writers: int) -> Program:
    """Two words that belong together, each under a lock of its own: a reader comes between them."""
    program = Program(name)
    first, second = program.layout.word("data1"), program.layout.word("data2")
    one, two = _Lock(program, "mutex1"), _Lock(program, "mutex2")

    async def write() -> None:
        async with one:
            await first.store(1)
        async with two:
            await second.store(await first.load() + 1)

    async def read() -> None:
        async with one:
            seen = await first.load()
        if seen:
            async with two:
                await check(await second.load() == seen + 1, "half-written")

    for number in range(writers):
        program.thread(f"writer{number}", write)
    program.thread("reader", read)
    return program


_OTHERS = 7


def wronglock() -> Program:
    """One thread increments under one lock, and seven others under another."""
    program = Program("wronglock")
    value = program.layout.word("value")
    right, wrong = _Lock(program, "data_lock"), _Lock(program, "this_lock")

    async def checks() -> None:
        async with right:
            before = await value.load()
            await _add(value, 1)
            await check(await value.load() == before + 1, "lost-or-extra")

    async def increments() -> None:
        async with wrong:
            await _add(value, 1)

    program.thread("checker", checks)
    for number in range(_OTHERS):
        program.thread(f"other{number}", increments)
    return program


def account() -> Program:
    """A deposit, a withdrawal, and a check that takes the deposit for a withdrawal: wrong whenever it is last."""
    program = Program("account")
    balance = program.layout.word("balance", 100)
    deposited, withdrawn = program.layout.word("deposited"), program.layout.word("withdrawn")
    lock = _Lock(program, "lock")

    async def move(amount: int, done: Word) -> None:
        async with lock:
            await _add(balance, amount)
            await done.store(1)

    async def checks() -> None:
        async with lock:
            if await deposited.load() and await withdrawn.load():
                await check(await balance.load() == 100 - 20 - 10, "balance")

    program.thread("deposit", move, 20, deposited)
    program.thread("withdrawal", move, -10, withdrawn)
    program.thread("checker", checks)
    return program


def lazy01() -> Program:
    """One thread adds 1, another 2, and a third must not see 3."""
    program = Program("lazy01")
    data = program.layout.word("data")
    lock = _Lock(program, "mutex")

    async def add(addend: int) -> None:
        async with lock:
            await _add(data, addend)

    async def checks() -> None:
        async with lock:
            await check(await data.load() < 3, "three")

    program.thread("one", add, 1)
    program.thread("two", add, 2)
    program.thread("three", checks)
    return program


def deadlock01() -> Program:
    """Two threads that take two locks in opposite orders."""
    program = Program("deadlock01")
    counter = program.layout.word("counter")
    a, b = _Lock(program, "a"), _Lock(program, "b")

    async def both(first: _Lock, second: _Lock) -> None:
        async with first, second:
            await _add(counter, 1)

    program.thread("one", both, a, b)
    program.thread("two", both, b, a)
    return program
