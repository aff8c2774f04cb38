"""Races on a few words without locks."""

from stackweave.core import Program, SignedWord, Word, check


async def _set(a: Word, b: Word) -> None:
    await a.store(1)
    await b.store(-1)


async def _check_both(a: Word, b: Word) -> None:
    """(0, 0) or (1, -1), read as C's && and || do: no further than needed."""
    before = await a.load() == 0 and await b.load() == 0
    await check(before or (await a.load() == 1 and await b.load() == -1), "reordered")


def reorder(name: str, setters: int, checkers: int) -> Program:
    """Every setter sets a, then b; a checker must not see the first without the second.

    It does where it comes between the first store to a and all stores to b, so that more setters make it rarer.
    """
    program = Program(name)
    a = program.layout.place("a", SignedWord)
    b = program.layout.place("b", SignedWord)
    for number in range(setters):
        program.thread(f"setter{number}", _set, a, b)
    for number in range(checkers):
        program.thread(f"checker{number}", _check_both, a, b)
    return program


async def _stop(flag: Word, pending: Word, event: Word, stopped: Word) -> None:
    await flag.store(1)
    if await pending.fetch_add(-1) == 1:
        await event.store(1)
    await event.wait(1, 1)
    await stopped.store(1)


async def _add(flag: Word, pending: Word, event: Word, stopped: Word) -> None:
    if await flag.load():
        return
    await pending.fetch_add(1)
    await check(await stopped.load() == 0, "works-when-stopped")
    if await pending.fetch_add(-1) == 1:
        await event.store(1)


def bluetooth() -> Program:
    """A driver is stopped between a worker's look at the stopping flag and its count of pending work.

    Source: Qadeer, Wu, "KISS: keep it simple and sequential", PLDI 2004.
    """
    program = Program("bluetooth")
    layout = program.layout
    flag, pending = layout.word("stopping_flag"), layout.word("pending_io", 1)
    event, stopped = layout.word("stopping_event"), layout.word("stopped")
    program.thread("stopper", _stop, flag, pending, event, stopped)
    program.thread("adder", _add, flag, pending, event, stopped)
    return program
