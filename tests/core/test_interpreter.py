"""Executions by a strategy: each replays from its schedule, and says how it ended and where things happened."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackweave.core import (
    FixedSchedule,
    Interpreter,
    ModelError,
    Outcome,
    Program,
    RandomWalk,
    UsageError,
    Verdict,
    Word,
    check,
    choose,
    emit,
    pause,
)
from stackweave.core.context import functions_of

from .programs import cas_program, mixed_program
from .random_programs import BODIES, random_program
from .running import by_name, drive


@given(bodies=BODIES, points=st.booleans(), seed=st.integers(0, 2**64 - 1))
@settings(max_examples=150, deadline=None)
def test_a_schedule_replays_to_the_same_execution(
    bodies: list[list[tuple[int, int, int]]], points: bool, seed: int
) -> None:
    first = Interpreter(random_program(bodies, points)).run(RandomWalk(seed))
    again = Interpreter(random_program(bodies, points)).run(FixedSchedule(first.schedule))
    assert again == first


def test_every_execution_of_one_interpreter_is_a_fresh_one() -> None:
    interpreter = Interpreter(mixed_program())
    walk = RandomWalk(5)
    runs = [interpreter.run(walk, execution) for execution in range(20)]
    fresh = [Interpreter(mixed_program()).run(RandomWalk(5), execution) for execution in range(20)]
    assert runs == fresh
    assert len({run.schedule for run in runs}) > 10


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ([0, 0], "ends where a context is needed"),
        ([0, 7], "entry 2 is 7, enabled are thread0, thread1"),
        ([~0], "entry 1 is -1, enabled are"),
    ],
)
def test_a_schedule_that_does_not_fit(schedule: list[int], message: str) -> None:
    interpreter = Interpreter(cas_program(2, 1))
    with pytest.raises(UsageError, match=message):
        interpreter.run(FixedSchedule(schedule))
    interpreter.discard()


def chooser() -> Program:
    program = Program("chooser")
    word = program.layout.word("word")

    async def thread() -> None:
        await word.store(await choose(3))

    program.thread("thread", thread)
    return program


@pytest.mark.parametrize(
    ("entries", "message"), [([0], "no choice among 3"), ([~3], "no choice"), ([], "ends")]
)
def test_a_choice_that_does_not_fit(entries: list[int], message: str) -> None:
    interpreter = Interpreter(chooser())
    with pytest.raises(UsageError, match=message):
        interpreter.run(FixedSchedule(entries))
    interpreter.discard()


def test_choices_are_recorded_and_may_be_points() -> None:
    outcome = Interpreter(chooser()).run(FixedSchedule([~2, 0]))
    assert (outcome.schedule, outcome.operations, outcome.words[-1]) == ((~2, 0), 1, 2)
    program = Program("points", choices_are_points=True)
    word = program.layout.word("word")

    async def thread() -> None:
        await word.store(await choose(3))

    program.thread("thread", thread)
    outcome = Interpreter(program).run(FixedSchedule([0, ~2, 0]))
    assert (outcome.schedule, outcome.operations, outcome.words[-1]) == ((0, ~2, 0), 2, 2)


# the end


def test_the_end_is_judged_by_a_protocol_of_its_own() -> None:
    def program(wanted: int) -> Program:
        made = cas_program(2, 2)
        word = Word(len(made.layout.initial) - 1, "word")

        async def end() -> None:
            await emit("end")
            await check(await word.load() == wanted, "sum")

        made.finally_(end)
        return made

    outcome = Interpreter(program(4)).run(RandomWalk(1))
    assert (outcome.verdict, outcome.events[-1].event) == (Verdict.CLEAN, "end")
    outcome = Interpreter(program(5)).run(RandomWalk(1))
    (violation,) = outcome.violations
    assert (violation.signature, violation.context, violation.step) == (
        "sum",
        "end",
        outcome.operations,
    )


@pytest.mark.parametrize(("failure", "signature"), [(KeyError("x"), "crash:KeyError"), (None, "")])
def test_a_crash_at_the_end(failure: Exception | None, signature: str) -> None:
    program = cas_program(1, 1)

    async def end() -> None:
        if failure is not None:
            raise failure

    program.finally_(end)
    outcome = Interpreter(program).run(RandomWalk(1))
    assert [violation.signature for violation in outcome.violations] == [signature] * bool(
        signature
    )


def test_the_end_may_not_wait() -> None:
    program = cas_program(1, 1)

    async def end() -> None:
        await pause()

    program.finally_(end)
    with pytest.raises(ModelError, match="the end awaits pause"):
        Interpreter(program).run(RandomWalk(1))


# where it stands


def test_the_functions_that_a_protocol_stands_in() -> None:
    program = Program("functions")
    word = program.layout.word("word")

    async def inner() -> None:
        await word.load()
        await word.load()

    async def outer() -> None:
        await word.load()
        await inner()

    program.thread("thread", outer)
    interpreter = Interpreter(program)
    thread = by_name(interpreter, "thread").coroutine
    assert functions_of(thread) == ("outer",)
    drive(interpreter, "thread")
    assert functions_of(thread) == ("outer", "inner")
    drive(interpreter, "thread", "thread")
    assert interpreter.finished


def test_an_outcome_says_where_each_event_happened() -> None:
    program = Program("events")
    word = program.layout.word("word")

    async def thread(name: str) -> None:
        await emit(f"{name} begins")
        await word.load()
        await emit(f"{name} has loaded")

    program.thread("one", thread, "one")
    program.thread("two", thread, "two")
    outcome: Outcome = Interpreter(program).run(FixedSchedule([1, 0]))
    assert [(event.step, event.context, event.event) for event in outcome.events] == [
        (0, "one", "one begins"),
        (0, "two", "two begins"),
        (1, "two", "two has loaded"),
        (2, "one", "one has loaded"),
    ]
