"""Hosts that drive an interpreter themselves: steps, messages, snapshots."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackweave.core import (
    Interpreter,
    Program,
    State,
    UsageError,
    Verdict,
    emit,
    schedule,
)

from .programs import cas_program, mixed_program
from .random_programs import BODIES, random_program
from .running import drive, enabled, finish_by_hand, state_of


@given(bodies=BODIES, seed=st.integers(0, 2**64 - 1), cut=st.integers(0, 30))
@settings(max_examples=100, deadline=None)
def test_a_restored_execution_goes_on_as_the_first_did(
    bodies: list[list[tuple[int, int, int]]], seed: int, cut: int
) -> None:
    interpreter = Interpreter(random_program(bodies, points=False))
    finish_by_hand(interpreter, Random(seed), cut)
    at_cut, snapshot = state_of(interpreter), interpreter.snapshot()
    finish_by_hand(interpreter, Random(seed + 1), 60)
    at_end = state_of(interpreter)
    interpreter.restore(snapshot)
    assert state_of(interpreter) == at_cut
    finish_by_hand(interpreter, Random(seed + 1), 60)
    assert state_of(interpreter) == at_end
    interpreter.discard()


def test_a_host_steps_through_an_execution() -> None:
    interpreter = Interpreter(cas_program(2, 1))
    one, two = interpreter.contexts
    assert interpreter.enabled() == [one, two]
    assert [interpreter.step(c) for c in (one, two, one)] == [0, 0, 0]
    assert one.state is State.DEAD
    assert interpreter.enabled() == [two]
    with pytest.raises(UsageError, match="thread0 is not enabled"):
        interpreter.step(one)
    # its word has changed: the compare fails, and it begins anew
    assert [interpreter.step(two) for _ in range(3)] == [1, 1, 1]
    assert interpreter.finished
    outcome = interpreter.finish()
    assert (outcome.verdict, outcome.operations, outcome.words[-1]) == (Verdict.CLEAN, 6, 2)


def test_a_host_injects_messages() -> None:
    program = Program("host")
    box = program.layout.mailbox("box", 1, str)
    received: list[str] = []

    async def thread() -> None:
        received.extend([await box.receive() for _ in range(2)])
        await emit(tuple(received))

    program.thread("thread", thread)
    interpreter = Interpreter(program)
    assert interpreter.enabled() == []
    assert interpreter.has_room(box)
    interpreter.inject(box, "one")
    assert not interpreter.has_room(box)
    with pytest.raises(UsageError, match="mailbox box is full"):
        interpreter.inject(box, "two")
    drive(interpreter, "thread")
    interpreter.inject(box, "two")
    before = interpreter.snapshot()
    drive(interpreter, "thread")
    assert interpreter.finished
    # a snapshot holds what was injected, in its place
    interpreter.restore(before)
    assert enabled(interpreter) == ["thread"]
    received.clear()
    interpreter.restore(before)
    drive(interpreter, "thread")
    assert interpreter.events[-1].event == ("one", "two")
    assert interpreter.snapshot().injected == ((0, 0, "one"), (1, 0, "two"))


def test_a_host_is_told_on_which_cpu_a_context_will_move() -> None:
    program = Program("cpus", 3)
    word = program.layout.word("word")
    last = program.cpu(2)

    async def task() -> None:
        await word.load()
        await schedule()

    async def interrupt() -> None:
        async with last.interrupt():
            await word.load()

    program.task("anywhere", task, cpus=[0, 1, 2])
    program.task("elsewhere", task, cpus=[1, 2])
    program.interrupt("irq", interrupt, cpu=2)
    interpreter = Interpreter(program)

    def said() -> dict[str, list[int]]:
        return {context.name: interpreter.cpus_of(context) for context in interpreter.enabled()}

    assert said() == {"anywhere": [0, 1, 2], "elsewhere": [1, 2], "irq": [2]}
    drive(interpreter, "anywhere")
    assert said() == {"anywhere": [0], "elsewhere": [1, 2], "irq": [2]}
    drive(interpreter, "irq")
    assert said() == {"anywhere": [0], "elsewhere": [1], "irq": [2]}
    drive(interpreter, "elsewhere")
    assert said() == {"anywhere": [0], "elsewhere": [1], "irq": [2]}
    drive(interpreter, "anywhere", "anywhere")
    assert said() == {"anywhere": [0], "elsewhere": [1], "irq": [2]}
    while enabled(interpreter):
        context = interpreter.enabled()[-1]
        cpus = interpreter.cpus_of(context)
        interpreter.step(context)
        assert context.cpu == cpus[0]  # nobody chooses: the first one
    assert interpreter.finished


def test_a_snapshot_of_the_end_and_of_the_start() -> None:
    interpreter = Interpreter(mixed_program())
    start = interpreter.snapshot()
    at_start = state_of(interpreter)
    finish_by_hand(interpreter, Random(1))
    end, at_end = interpreter.snapshot(), state_of(interpreter)
    interpreter.restore(start)
    assert state_of(interpreter) == at_start
    interpreter.restore(end)
    assert state_of(interpreter) == at_end
    assert interpreter.finished
