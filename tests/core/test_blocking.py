"""What waits and for what: words, locks, pause; deadlocks and bounds."""

import pytest

from stackweave.core import (
    Interpreter,
    Program,
    RandomWalk,
    Verdict,
    Word,
    check,
    pause,
    sleep_until,
)

from .running import drive, enabled, outcome_of, violation_of


def test_wait_is_enabled_while_its_condition_holds() -> None:
    program = Program("wait")
    word = program.layout.word("word")
    seen: list[int] = []

    async def waits() -> None:
        seen.append(await word.wait(0xF0, 0x20))

    async def stores() -> None:
        for value in (0x20, 0x31, 0x2F):
            await word.store(value)

    program.thread("waits", waits)
    program.thread("stores", stores)
    interpreter = Interpreter(program)
    assert enabled(interpreter) == ["stores"]
    drive(interpreter, "stores")
    assert enabled(interpreter) == ["waits", "stores"]
    drive(interpreter, "stores")
    assert enabled(interpreter) == ["stores"]
    drive(interpreter, "stores", "waits")
    assert seen == [0x2F]
    assert interpreter.finished


def test_acquire_waits_and_swaps_in_one_step() -> None:
    program = Program("lock")
    lock = program.layout.word("lock", -1)
    inside = program.layout.word("inside")

    async def worker() -> None:
        for _ in range(3):
            await lock.acquire(-1, 1)
            await check(await inside.fetch_add(1) == 0, "mutual-exclusion")
            await inside.fetch_add(-1)
            await lock.store(-1)

    program.thread("one", worker)
    program.thread("two", worker)
    interpreter = Interpreter(program)
    drive(interpreter, "one")
    assert enabled(interpreter) == ["one"]
    walk = RandomWalk(1)
    assert {interpreter.run(walk, i).verdict for i in range(100)} == {Verdict.CLEAN}


@pytest.mark.parametrize(
    ("value", "wanted"), [(-1, -1), ((1 << 64) - 1, -1), (1 << 63, -(1 << 63))]
)
def test_what_is_waited_for_is_taken_modulo_2_64(value: int, wanted: int) -> None:
    program = Program("negative")
    word = program.layout.word("word", value)

    async def thread() -> None:
        await word.wait(-1, wanted)
        await sleep_until(word.address, -1, wanted)
        await word.acquire(wanted, 0)

    program.thread("thread", thread)
    assert outcome_of(program).verdict is Verdict.CLEAN


def test_pause_is_enabled_again_when_another_context_has_moved() -> None:
    program = Program("pause")
    word = program.layout.word("word")

    async def spins() -> None:
        while not await word.load():
            await pause()

    async def stores() -> None:
        await word.load()
        await word.store(1)

    program.thread("spins", spins)
    program.thread("stores", stores)
    interpreter = Interpreter(program)
    drive(interpreter, "spins")
    assert enabled(interpreter) == ["stores"]
    drive(interpreter, "stores")
    assert enabled(interpreter) == ["spins", "stores"]
    drive(interpreter, "spins", "spins")
    assert enabled(interpreter) == ["stores"]


def test_a_context_that_pauses_alone_is_a_deadlock_and_two_go_on_to_the_bound() -> None:
    async def spins(word: Word) -> None:
        while not await word.load():
            await pause()

    alone = Program("alone", bound=50)
    alone.thread("one", spins, alone.layout.word("word"))
    assert violation_of(alone).signature == "deadlock"
    both = Program("both", bound=50)
    word = both.layout.word("word")
    both.thread("one", spins, word)
    both.thread("two", spins, word)
    outcome = outcome_of(both)
    assert (outcome.verdict, outcome.operations, outcome.violations) == (Verdict.INCOMPLETE, 50, ())


def test_a_deadlock_says_who_waits_where() -> None:
    program = Program("deadlock")
    locks = [program.layout.word(f"lock{i}") for i in range(2)]

    async def take_both(first: int) -> None:
        await locks[first].acquire(0, 1)
        await locks[1 - first].acquire(0, 1)

    async def worker(first: int) -> None:
        await take_both(first)
        await locks[0].store(0)
        await locks[1].store(0)

    for i in range(2):
        program.thread(f"worker{i}", worker, i)
    interpreter = Interpreter(program)
    walk = RandomWalk(1)
    outcomes = [interpreter.run(walk, i) for i in range(50)]
    assert {outcome.verdict for outcome in outcomes} == {Verdict.CLEAN, Verdict.VIOLATION}
    found = {violation for outcome in outcomes for violation in outcome.violations}
    assert {(v.property, v.signature, v.context, v.step) for v in found} == {
        ("deadlock", "deadlock", "", 2)
    }
    explanation = "worker0 at acquire in take_both; worker1 at acquire in take_both"
    assert {v.explanation for v in found} == {explanation}


def test_a_task_that_waits_for_a_cpu_is_no_deadlock_and_one_that_sleeps_for_ever_is() -> None:
    program = Program("sleep", 1)
    word = program.layout.word("word")

    async def sleeps() -> None:
        await sleep_until(word.address, 1, 1)

    async def works() -> None:
        await word.store(2)

    program.task("sleeps", sleeps, cpus=[0])
    program.task("works", works, cpus=[0])
    violation = violation_of(program)
    assert (violation.signature, violation.explanation) == (
        "deadlock",
        "sleeps at sleep in sleeps",
    )
