"""What a reduction rests on: programs in which it would lose something, if it were made all the same."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from stackweave.core import (
    Program,
    check,
    pause,
    schedule,
    set_cpus_allowed,
    smp_processor_id,
    wake_up_new_task,
)
from stackweave.core.explore import reductions
from stackweave.core.explore.automaton import Awaited
from stackweave.core.explore.layout import Words
from stackweave.core.explore.reductions import Reductions
from stackweave.core.explore.search import Searcher, search
from stackweave.core.explore.search_layout import At


def spinning() -> Program:
    """One looks at a word of its own for ever; another one does wrong."""
    program = Program("spinning")
    own, word = program.layout.word("own"), program.layout.word("word")

    async def spins() -> None:
        while not await own.load():
            pass

    async def fails() -> None:
        await word.load()
        await check(False, "missed")

    program.owns(program.thread("spins", spins), own)
    program.thread("fails", fails)
    return program


def two_arguments() -> Program:
    """The second one does wrong if it comes before the first one."""
    program = Program("two arguments")
    word = program.layout.word("word")

    async def body(number: int) -> None:
        await check(await word.fetch_add(1) + 1 != number, "missed")

    for number in range(2):
        program.thread(f"thread{number}", body, number)
    return program


@pytest.mark.parametrize(
    ("program", "rests_on"), [(spinning(), At.PROVISO), (two_arguments(), At.NODES)]
)
def test_without_what_it_rests_on_a_violation_is_missed(program: Program, rests_on: At) -> None:
    sound = search(program, reductions=True)
    assert sound.reductions
    assert (sound.complete, sound.signatures) == (True, ("missed",))
    flawed = Searcher(program, reductions=True)
    flawed.space.at[rests_on] = 0
    flawed.explore()
    assert (flawed.result().complete, flawed.seen()) == (True, set())


def paused() -> Program:
    """A move on the other's own word lets whoever pauses go on, to see the word before it is stored to."""
    program = Program("paused")
    own, word = program.layout.word("own"), program.layout.word("word")

    async def pauses() -> None:
        await word.load()
        await pause()
        await check(await word.load() != 0, "missed")

    async def stores() -> None:
        await own.store(1)
        await word.store(1)

    program.thread("pauses", pauses)
    program.owns(program.thread("stores", stores), own)
    return program


def numbered_cpus() -> Program:
    """Threads that know their CPU's number."""
    program = Program("CPU")
    word = program.layout.word("word")

    async def body() -> None:
        earlier = await word.fetch_add(1)
        await check(earlier + await smp_processor_id() != 1 or earlier != 0, "missed")

    for number in range(2):
        program.thread(f"thread{number}", body)
    return program


def numbered_returns() -> Program:
    """Threads that are told the number of the CPU that they come back on."""
    program = Program("schedule")
    word = program.layout.word("word")

    async def body() -> None:
        earlier = await word.fetch_add(1)
        await check(await schedule() != 1 or earlier != 0, "missed")

    for number in range(2):
        program.thread(f"thread{number}", body)
    return program


def restricted() -> Program:
    """The second of two tasks is named: it may be done on the second CPU before the first one comes to its own."""
    program = Program("restricted", 2)
    ready, count, last = (program.layout.word(name) for name in ("ready", "count", "last"))

    async def task() -> None:
        await ready.wait(1, 1)
        await count.fetch_add(1)
        await last.store(await smp_processor_id())

    async def third() -> None:
        await check(await count.load() != 1, "missed")

    for number in range(2):
        program.task(f"task{number}", task, cpus=[0])
    forked = program.task("third", third, cpus=[0], live=False)

    async def names() -> None:
        await set_cpus_allowed(1, 2)
        await ready.store(1)
        await last.wait(1, 1)
        await wake_up_new_task(forked)

    program.thread("names", names)
    return program


def current() -> Program:
    """A CPU's word says which task is on it."""
    program = Program("current", 1)
    cpu = program.cpu(0)
    word = program.layout.word("word")

    async def task() -> None:
        earlier = await word.fetch_add(1)
        await check(await cpu.current.load() != 2 or earlier != 0, "missed")

    for number in range(2):
        program.task(f"task{number}", task, cpus=[0])
    return program


def interrupted() -> Program:
    """The first one's CPU is interrupted when either has begun: only the other one can then go on."""
    program = Program("interrupted")
    begun, ended = program.layout.word("begun"), program.layout.word("ended")

    async def thread() -> None:
        await begun.fetch_add(1)
        await ended.fetch_add(1)

    for number in range(2):
        program.thread(f"thread{number}", thread)
    cpu = program.cpu(0)

    async def handler() -> None:
        async with cpu.nmi(begun):
            if not await ended.load():
                await ended.wait(3, 1)
                await check(await begun.load() != 1, "missed")

    program.nmi("nmi", handler, cpu=0)
    return program


def keep_kin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take all contexts for each other's like."""

    def zeros(program: Program) -> Words:
        return np.zeros(len(program.contexts), dtype=np.int64)

    monkeypatch.setattr(reductions, "_kin", zeros)


@pytest.mark.parametrize(
    "make", [paused, numbered_cpus, numbered_returns, restricted, current, interrupted]
)
def test_a_reduction_that_does_not_apply_is_not_made(
    make: Callable[[], Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    full, reduced = search(make()), search(make(), reductions=True)
    assert "missed" in full.signatures
    assert reduced.signatures == full.signatures
    assert (reduced.reductions, reduced.states) == ((), full.states)
    keep_kin(monkeypatch)

    def keep(self: Reductions, nodes: Sequence[Awaited]) -> bool:
        return False

    monkeypatch.setattr(Reductions, "withdraw", keep)
    flawed = search(make(), reductions=True)
    assert flawed.complete
    assert "missed" not in flawed.signatures
