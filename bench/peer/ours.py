"""The programs as ours, in the engine and in the interpreter. Operations are steps."""

from collections.abc import Callable, Coroutine
from functools import cache
from typing import Final

from workload import BASE, INCREMENTS, SHAPES, Tally

from stackweave.core import Interpreter, Program, RandomWalk, Word, check
from stackweave.core.explore.engine import Engine


async def increments(word: Word, number: int) -> None:
    """A thread of W1."""
    for _ in range(INCREMENTS):
        seen = await word.load()
        while await word.cmpxchg(seen, seen + 1) != seen:
            seen = await word.load()


async def increment(word: Word, number: int) -> None:
    """A thread of W2."""
    seen = await word.load()
    await word.store(seen + 1)


async def push_and_pop(word: Word, number: int) -> None:
    """A thread of W3."""
    seen = await word.load()
    while await word.cmpxchg(seen, seen * BASE + number) != seen:
        seen = await word.load()
    seen = await word.load()
    while await word.cmpxchg(seen, seen // BASE) != seen:
        seen = await word.load()


WORKERS: Final[dict[str, Callable[[Word, int], Coroutine[object, object, None]]]] = {
    "W1": increments,
    "W2": increment,
    "W3": push_and_pop,
}


def make(name: str) -> Program:
    """One of the programs."""
    program = Program(name)
    word = program.layout.word("word")
    shape = SHAPES[name]
    for number in range(1, shape.threads + 1):
        program.thread(f"thread{number}", WORKERS[name], word, number)

    async def whole() -> None:
        await check(await word.load() == shape.end, "lost-update")

    program.finally_(whole)
    return program


@cache
def _engine(program: str) -> Engine:
    return Engine(make(program))


@cache
def _interpreter(program: str) -> Interpreter:
    return Interpreter(make(program))


def engine(program: str, executions: int, seed: int, *, stop: bool) -> Tally:
    """A random walk, compiled."""
    tally = _engine(program).run(seed, 0, executions)
    if stop and tally.breaches:
        return Tally(tally.breaches[0].first + 1)
    broken = sum(breach.executions for breach in tally.breaches)
    return Tally(executions, tally.operations, broken)


def interpreter(program: str, executions: int, seed: int, *, stop: bool) -> Tally:
    """A random walk, interpreted."""
    walk, tally = RandomWalk(seed), Tally()
    for number in range(executions):
        outcome = _interpreter(program).run(walk, number)
        tally.executions += 1
        tally.steps += outcome.operations
        tally.broken += bool(outcome.violations)
        if stop and outcome.violations:
            break
    return tally
