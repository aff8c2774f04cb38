"""The search of every execution: it misses nothing that plain enumeration or random walks find."""

from itertools import islice

import pytest

from stackweave.core import FixedSchedule, Interpreter, Program, check, choose, schedule
from stackweave.gallery.entry import Case
from stackweave.gallery.exhaust import search
from stackweave.gallery.measure import outcomes
from stackweave.programs import Parameters
from tests.core.programs import mixed_program
from tests.core.test_exhaustive import executions


def sum_program(threads: int, times: int) -> Program:
    """Threads that lose updates; each final sum has its own signature."""
    program = Program("sums")
    word = program.layout.word("word")

    async def thread() -> None:
        for _ in range(times):
            await word.store(await word.load() + 1)

    async def end() -> None:
        await check(False, f"sum-{await word.load()}")

    for number in range(threads):
        program.thread(f"thread{number}", thread)
    program.finally_(end)
    return program


@pytest.mark.parametrize(
    ("threads", "times", "sums"),
    [(1, 3, {3}), (2, 1, {1, 2}), (2, 2, {2, 3, 4}), (3, 1, {1, 2, 3})],
)
def test_it_reaches_what_enumeration_reaches(threads: int, times: int, sums: set[int]) -> None:
    program = sum_program(threads, times)
    enumerated = {each.signature for run in executions(program) for each in run.violations}
    found = search(program)
    assert found.complete
    assert set(found.signatures) == enumerated == {f"sum-{value}" for value in sums}


def test_equal_states_are_visited_once() -> None:
    # two times five loads: 252 interleavings, and 6 x 6 states less the end
    program = Program("grid")
    word = program.layout.word("word")

    async def thread() -> None:
        for _ in range(5):
            await word.load()

    program.thread("a", thread)
    program.thread("b", thread)
    found = search(program)
    assert found.complete
    assert (found.states, len(list(executions(program)))) == (35, 252)


def test_what_a_context_was_told_tells_states_apart() -> None:
    # the choice leaves no trace in memory: a search that forgets it would follow one answer alone
    program = Program("memory of a choice")
    word = program.layout.word("word")

    async def thread() -> None:
        answer = await choose(3)
        await word.load()
        await check(answer != 2, "two")

    program.thread("thread", thread)
    found = search(program)
    assert found.complete
    assert found.signatures == ("two",)


def test_a_deadlock_is_found() -> None:
    program = Program("deadlock")
    first, second = program.layout.word("first"), program.layout.word("second")

    async def thread(mine: int) -> None:
        words = (first, second) if mine == 0 else (second, first)
        for word in words:
            await word.acquire(0, 1)
        for word in words:
            await word.store(0)

    for number in range(2):
        program.thread(f"thread{number}", thread, number)
    found = search(program)
    assert found.complete
    assert found.signatures == ("deadlock",)
    assert 1 < found.ends < found.states


def test_a_spin_without_end_is_not_complete() -> None:
    program = Program("spin", 1, bound=50)

    async def task() -> None:
        while True:
            await schedule()

    program.task("task", task, cpus=[0])
    assert not search(program).complete


def test_a_search_that_is_cut_short_says_so() -> None:
    program = sum_program(2, 2)
    whole = search(program)
    assert whole.complete
    assert not search(program, most=whole.states // 2).complete


def test_a_schedule_that_was_searched_for_replays() -> None:
    program = sum_program(2, 2)
    found = search(program, until=["sum-2"])
    assert not found.complete
    outcome = Interpreter(program).run(FixedSchedule(found.schedules["sum-2"]))
    assert outcome.schedule == found.schedules["sum-2"]
    assert [each.signature for each in outcome.violations] == ["sum-2"]


SMALL = [
    Case("spurious-callback"),
    Case("no-cache"),
    Case("cookie-zero"),
    Case("request-returns-bit"),
    Case("stale-snapshot", Parameters(generation="completed")),
]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.program)
def test_random_walks_show_nothing_that_it_misses(case: Case) -> None:
    found = search(case.subject().program)
    assert found.complete
    walked = {
        each.signature
        for outcome in islice(outcomes(case.subject(), 1), 3000)
        for each in outcome.violations
    }
    assert walked <= set(found.signatures)
    assert walked


def test_interrupts_mailboxes_and_choices_are_searched() -> None:
    program = mixed_program()
    found = search(program, most=3_000)
    again = search(program, most=3_000)
    assert (found.states, found.ends, found.signatures) == (
        again.states,
        again.ends,
        again.signatures,
    )
    assert found.states > 1000
