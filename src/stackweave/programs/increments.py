"""Two threads count one word up with compare-and-swap."""

from typing import Final

from stackweave.core import Program, Word, check

from .parameters import Parameters

THREADS: Final = 2
INCREMENTS: Final = 5


async def increment(counter: Word) -> None:
    """Add one, `INCREMENTS` times."""
    for _ in range(INCREMENTS):
        while True:
            old = await counter.load()
            if await counter.cmpxchg(old, old + 1) == old:
                break


async def no_update_is_lost(counter: Word) -> None:
    """What must hold at the end."""
    await check(await counter.load() == THREADS * INCREMENTS, "lost-update")


def cas_increments(parameters: Parameters) -> Program:
    """The benchmark of every engine: short, contended, and right."""
    program = Program("cas-increments")
    counter = program.layout.word("counter")
    for number in range(THREADS):
        program.thread(f"thread{number}", increment, counter)
    program.finally_(no_update_is_lost, counter)
    return program
