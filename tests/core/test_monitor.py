"""The framework of monitors: slices, one report an instance and execution, and whose fault a wrong report is."""

import pytest

from stackweave.core import (
    Interpreter,
    ModelError,
    Monitor,
    Program,
    RandomWalk,
    Verdict,
    emit,
    next_event,
    violate,
)


async def counts_to_two() -> None:
    await next_event()
    violate("two:again", f"after one comes {await next_event()}")


async def ends_early() -> None:
    await next_event()


def emitting(*monitors: Monitor) -> Program:
    program = Program("emitting")
    word = program.layout.word("word")
    program.monitors += monitors

    async def thread() -> None:
        for number in range(6):
            await word.load()
            await emit(number)

    program.thread("thread", thread)
    return program


def even(event: object) -> bool:
    return event in (0, 2, 4)


def odd(event: object) -> bool:
    return event in (1, 3, 5)


def test_each_slice_has_an_instance_that_reports_once() -> None:
    program = emitting(
        Monitor("two", "even", counts_to_two, even), Monitor("two", "odd", counts_to_two, odd)
    )
    interpreter = Interpreter(program)
    for execution in range(2):
        outcome = interpreter.run(RandomWalk(1), execution)
        # a monitor's violation does not end the execution
        assert (outcome.verdict, outcome.operations) == (Verdict.VIOLATION, 6)
        found = [(v.property, v.signature, v.explanation, v.step) for v in outcome.violations]
        assert found == [
            ("two", "two:again", "even: after one comes 2", 3),
            ("two", "two:again", "odd: after one comes 3", 4),
        ]


def test_a_monitor_may_end_without_a_report() -> None:
    program = emitting(Monitor("none", "even", ends_early, even))
    assert Interpreter(program).run(RandomWalk(1)).verdict is Verdict.CLEAN


def test_a_monitor_that_reports_for_another_property_is_the_programs_fault() -> None:
    program = emitting(Monitor("three", "even", counts_to_two, even))
    with pytest.raises(ModelError, match="monitor three reports two:again"):
        Interpreter(program).run(RandomWalk(1))


def test_a_monitor_starts_at_its_first_event() -> None:
    started = []

    async def notes() -> None:
        started.append("never")
        await next_event()

    program = emitting(Monitor("never", "none", notes, lambda event: event == "none such"))
    Interpreter(program).run(RandomWalk(1))
    assert started == []
