"""What a reduced search leaves out makes no difference: against the full search."""

from random import Random

import pytest

from stackweave.core import (
    Program,
    UsageError,
    Word,
    check,
    schedule,
    sleep_until,
    smp_processor_id,
)
from stackweave.core.explore.search import Search, Searcher, search
from stackweave.programs import BUILTIN, Parameters

from .models import Line, random_codes, thread
from .showing import replays

Finals = set[tuple[int, ...]]


def visited(program: Program, *, reduced: bool) -> tuple[Search, Finals]:
    """A whole search, and the memories that executions end with."""
    searcher = Searcher(program, keep=True, reductions=reduced)
    searcher.explore()
    found = searcher.result()
    assert found.complete
    finals = set(map(tuple, searcher.final_words().tolist()))
    searcher.discard()
    return found, finals


def agreed(program: Program) -> tuple[Search, Search]:
    """The full search and the reduced one, which come to the same."""
    (full, ends), (reduced, reduced_ends) = (
        visited(program, reduced=False),
        visited(program, reduced=True),
    )
    assert reduced.signatures == full.signatures
    assert reduced_ends == ends
    assert reduced.states <= full.states
    replays(program, reduced)
    return full, reduced


def counted(threads: int, times: int) -> Program:
    """Each counts in a word of its own and adds that to a shared one."""
    program = Program("private counters")
    shared = program.layout.word("shared")

    async def body(own: Word) -> None:
        for _ in range(times):
            await own.fetch_add(1)
            await shared.fetch_add(await own.load())

    for number in range(threads):
        own = program.layout.word(f"own{number}")
        program.owns(program.thread(f"thread{number}", body, own), own)
    return program


def alike(threads: int, times: int) -> Program:
    """Threads that lose updates."""
    program = Program("alike")
    word = program.layout.word("word")

    async def body() -> None:
        for _ in range(times):
            await word.store(await word.load() + 1)

    for number in range(threads):
        program.thread(f"thread{number}", body)

    async def end() -> None:
        await check(await word.load() != 1, "one")

    program.finally_(end)
    return program


@pytest.mark.parametrize(
    ("program", "applied", "states", "left"),
    [
        (counted(2, 2), ("owners",), 49, 25),
        (counted(3, 2), ("owners",), 343, 87),
        (alike(2, 1), ("symmetry",), 12, 8),
        (alike(4, 2), ("symmetry",), 17231, 2491),
    ],
    ids=["2 owners", "3 owners", "2 alike", "4 alike"],
)
def test_fewer_states_show_the_same(
    program: Program, applied: tuple[str, ...], states: int, left: int
) -> None:
    full, reduced = agreed(program)
    assert (reduced.reductions, full.reductions) == (applied, ())
    assert (full.states, reduced.states) == (states, left)


def some_own(random: Random, code: tuple[Line, ...]) -> tuple[Line, ...]:
    """The same code with some of its words replaced by number 2, which is the thread's own."""
    return tuple(
        line if line[0] == "jump" or random.random() < 0.4 else (line[0], 2, line[2])
        for line in code
    )


def random_program(seed: int) -> Program:
    """Two threads with words of their own, and two that are alike."""
    random = Random(seed)
    first, second, both = (*random_codes(seed), *random_codes(seed + 1000))[:3]
    program = Program("random")
    words = [program.layout.word(f"word{number}") for number in range(2)]
    for number, code in enumerate((first, second)):
        own = program.layout.word(f"own{number}")
        code = some_own(random, code)
        program.owns(program.thread(f"thread{number}", thread, [*words, own], code), own)
    for number in range(random.randrange(3)):
        program.thread(f"alike{number}", thread, words, both[:3])
    return program


def test_random_programs_come_to_the_same() -> None:
    found = [agreed(random_program(seed)) for seed in range(120)]
    assert sum(reduced.states < full.states for full, reduced in found) > 70
    assert {reduced.reductions for _, reduced in found} == {("owners",), ("owners", "symmetry")}
    assert {name for full, _ in found for name in full.signatures} > {"deadlock"}


def interrupted(seed: int) -> Program:
    """Two tasks with words of their own; on the first one's CPU an interrupt with its own, and NMIs alike."""
    random = Random(seed)
    codes = (*random_codes(seed), *random_codes(seed + 1000))
    program = Program("interrupted", 2)
    cpu = program.cpu(0)
    words = [program.layout.word(f"word{number}") for number in range(2)]
    owns = [program.layout.word(f"own{number}") for number in range(3)]

    async def nmi(code: tuple[Line, ...]) -> None:
        async with cpu.nmi():
            await thread(words, code)

    async def interrupt(own: Word, code: tuple[Line, ...]) -> None:
        async with cpu.interrupt():
            await thread([*words, own], code)

    for number in range(2):
        code = some_own(random, codes[number])
        made = program.task(f"task{number}", thread, [*words, owns[number]], code, cpus=[number])
        program.owns(made, owns[number])
    code = some_own(random, codes[2])
    program.owns(program.interrupt("interrupt", interrupt, owns[2], code, cpu=0), owns[2])
    for number in range(random.randrange(1, 3)):
        program.nmi(f"nmi{number}", nmi, codes[3][:3], cpu=0)
    return program


def test_owners_that_are_interrupted_come_to_the_same() -> None:
    found = [agreed(interrupted(seed)) for seed in range(60)]
    assert sum(reduced.states < full.states for full, reduced in found) > 40
    assert {name for full, _ in found for name in full.signatures} > {"deadlock"}


def test_what_an_end_cuts_short_is_not_done_first() -> None:
    # the interrupt's CPU has no task, and the only task's end is the end: with and without the interrupt's stores
    program = Program("cut short", 1)
    cpu = program.cpu(0)
    own, word = program.layout.word("own"), program.layout.word("word")

    async def handler() -> None:
        async with cpu.interrupt():
            for number in range(1, 4):
                await own.store(number)

    program.owns(program.interrupt("interrupt", handler, cpu=0), own)
    program.thread("thread", thread, [word], (("load", 0, 0),))
    full, reduced = agreed(program)
    assert (reduced.reductions, reduced.states) == (("owners",), full.states)


def migrating(seed: int) -> Program:
    """Three tasks that share two CPUs, two of them alike, and leave them between their operations."""
    codes = (*random_codes(seed), *random_codes(seed + 1000))
    program = Program("migrating", 2)
    words = [program.layout.word(f"word{number}") for number in range(2)]

    async def task(code: tuple[Line, ...], leaves: int) -> None:
        await thread(words, code)
        cpu = 0
        if leaves == 1:
            cpu = await schedule()
        elif leaves == 2:
            cpu = await sleep_until(words[0].address, 1, 1)
        await words[1].fetch_add(cpu)
        await check(cpu + await smp_processor_id() != 2, "second CPU")

    for number in range(3):
        kind = min(number, 1)
        program.task(f"task{number}", task, codes[kind], (seed + kind) % 3, cpus=[0, 1])
    return program


def test_tasks_that_share_cpus_come_to_the_same() -> None:
    found = [agreed(migrating(seed)) for seed in range(40)]
    assert all(reduced.states < full.states for full, reduced in found)
    assert {name for full, _ in found for name in full.signatures} >= {"deadlock", "second CPU"}


@pytest.mark.parametrize("name", ["spurious-callback", "two-lists", "perf-migration"])
def test_built_in_programs_come_to_the_same(name: str) -> None:
    full, reduced = agreed(BUILTIN[name](Parameters()))
    assert reduced.states == full.states, "no contexts alike, and no owners: to be declared"


def test_neither_switches_nor_cycles() -> None:
    with pytest.raises(UsageError, match="fewest switches"):
        search(alike(2, 1), switches=True, reductions=True)
    with pytest.raises(UsageError, match="fair cycles"):
        Searcher(alike(2, 1), progress=lambda event: False, reductions=True)
