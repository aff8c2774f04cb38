"""A word that is declared a context's own: what another one does to it is refused by every driver."""

from collections.abc import Awaitable, Callable

import pytest

from stackweave.core import (
    Interpreter,
    ModelError,
    Program,
    RandomWalk,
    SplitWord,
    Struct,
    Word,
    check,
    sleep_until,
)
from stackweave.core.explore.engine import Engine
from stackweave.core.explore.search import search

Use = Callable[[SplitWord], Awaitable[object]]

USES: dict[str, Use] = {
    "load": lambda word: word.load(),
    "store": lambda word: word.store(1),
    "add": lambda word: word.fetch_add(1),
    "half": lambda word: word.high.load(),
    "wait": lambda word: word.wait(1, 0),
    "blocked": lambda word: word.wait(1, 1),
    "acquire": lambda word: word.acquire(0, 1),
    "sleep": lambda word: sleep_until(word.address, 1, 0),
}


def walk(program: Program) -> None:
    for execution in range(20):
        Interpreter(program).run(RandomWalk(0), execution)


DRIVERS: dict[str, Callable[[Program], object]] = {
    "interpreter": walk,
    "engine": lambda program: Engine(program).run(0, 0, 20),
    "search": search,
    "reduced": lambda program: search(program, reductions=True),
}


def using(use: Use, users: int) -> Program:
    """Tasks that use one word, in the same way, and the first one owns it."""
    program = Program("owned", 2)
    word = program.layout.place("word", SplitWord)

    async def task() -> None:
        await use(word)

    tasks = [program.task(f"task{number}", task, cpus=[number]) for number in range(users)]
    program.owns(tasks[0], word)

    async def end() -> None:
        await check(await word.load() < 2, "two")

    program.finally_(end)
    return program


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("use", USES)
def test_another_one_s_use_is_the_program_s_error(use: str, driver: str) -> None:
    # the two share one automaton, since their bodies are equal: whose word it is is no property of a node
    with pytest.raises(ModelError, match=r"task1 uses word.*, which is another context's own"):
        DRIVERS[driver](using(USES[use], 2))


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("use", USES)
def test_its_owner_and_the_end_may_use_it(use: str, driver: str) -> None:
    DRIVERS[driver](using(USES[use], 1))


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_interrupt_line_is_used(driver: str) -> None:
    program = Program("line", 1)
    cpu = program.cpu(0)
    word = program.layout.word("word")

    async def interrupt() -> None:
        async with cpu.interrupt(word):
            pass

    async def task() -> None:
        await word.store(1)

    program.owns(program.task("task", task, cpus=[0]), word)
    program.interrupt("interrupt", interrupt, cpu=0)
    with pytest.raises(ModelError, match="interrupt uses word, which is another context's own"):
        DRIVERS[driver](program)


def test_an_owner_changes_no_execution() -> None:
    def made(*, owned: bool) -> Program:
        program = using(USES["add"], 1)
        shared = program.layout.word("shared")

        async def other() -> None:
            await shared.store(await shared.load() + 1)

        for number in range(2):
            own = program.layout.word(f"own{number}")
            thread = program.thread(f"thread{number}", other)
            if owned:
                program.owns(thread, own)
        return program

    for execution in range(20):
        assert Engine(made(owned=True)).trace(3, execution) == Engine(made(owned=False)).trace(
            3, execution
        )


class Pair(Struct):
    left: Word
    right: Word


async def nothing() -> None:
    """A context that does nothing."""


def test_what_cannot_be_owned() -> None:
    program = Program("not owned", 1)
    cpu = program.cpu(0)
    thread = program.thread("thread", nothing)
    pair = program.layout.place("pair", Pair)
    box = program.layout.mailbox("box", 1, int)
    pool = program.layout.pool("pool", Pair, 1)
    program.owns(thread, pair.left)
    for cell in (cpu.current, cpu.irq_work, box.ready, pool.objects[0], pair, pair.left):
        with pytest.raises(ModelError, match="cannot be a context's own"):
            program.owns(thread, cell)
    with pytest.raises(ModelError, match="no context 1"):
        program.owns(1, pair.right)
    walk(program)
    with pytest.raises(ModelError, match="before the program runs"):
        program.owns(thread, pair.right)
