"""The programs as asyncio tasks, and the peers that order those: each step is a task's turn on the event loop."""

from asyncio import gather, sleep
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final

from workload import BASE, INCREMENTS, SHAPES, Tally, Word


async def increments(word: Word, number: int) -> None:
    """A thread of W1."""
    for done in range(INCREMENTS):
        if done:
            await sleep(0)
        seen = word.value
        await sleep(0)
        while not word.swap(seen, seen + 1):
            await sleep(0)
            seen = word.value
            await sleep(0)


async def increment(word: Word, number: int) -> None:
    """A thread of W2."""
    seen = word.value
    await sleep(0)
    word.value = seen + 1


async def push_and_pop(word: Word, number: int) -> None:
    """A thread of W3."""
    seen = word.value
    await sleep(0)
    while not word.swap(seen, seen * BASE + number):
        await sleep(0)
        seen = word.value
        await sleep(0)
    await sleep(0)
    seen = word.value
    await sleep(0)
    while not word.swap(seen, seen // BASE):
        await sleep(0)
        seen = word.value
        await sleep(0)


WORKERS: Final[dict[str, Callable[[Word, int], Awaitable[None]]]] = {
    "W1": increments,
    "W2": increment,
    "W3": push_and_pop,
}


def execution(
    program: str, tally: Tally, *, stop: bool
) -> Callable[[], Coroutine[object, object, None]]:
    """What a peer runs again and again; with `stop` it fails where the word is wrong."""

    async def main() -> None:
        word = Word()
        numbers = range(1, SHAPES[program].threads + 1)
        await gather(*(WORKERS[program](word, number) for number in numbers))
        right = tally.count(program, word.value, word.failures)
        assert right or not stop

    return main


def detangle(program: str, executions: int, seed: int, *, stop: bool) -> Tally:
    """Its random walk."""
    from detangle import BugFound, explore

    tally = Tally()
    main = execution(program, tally, stop=stop)
    options = {"strategy": "random", "seed": seed, "shrink": False, "database": False}
    try:
        explore(main, runs=executions, **options)
    except BugFound as found:
        tally.executions = found.report.runs  # it ran the failing one again
    return tally


def simloop(program: str, executions: int, seed: int, *, stop: bool) -> Tally:
    """Its random policy."""
    from simloop import explore

    tally = Tally()
    first = seed * executions
    explore(execution(program, tally, stop=stop), range(first, first + executions))
    return tally


def simloom(program: str, executions: int, seed: int, *, stop: bool) -> Tally:
    """Its random scheduler."""
    from simloom import explore

    tally = Tally()
    main = execution(program, tally, stop=stop)
    explore(main, runs=executions, start_seed=seed * executions, scheduler="random")
    return tally


def seedloop(program: str, executions: int, seed: int, *, stop: bool) -> Tally:
    """Its seeds, which change no order of tasks."""
    from seedloop import World, check

    tally = Tally()
    main = execution(program, tally, stop=stop)

    async def scenario(world: World) -> None:
        await main()

    first = seed * executions
    check(scenario, seeds=range(first, first + executions), on_failure="return")
    return tally
