"""Ends that once were mistaken for something else, and who is to blame."""

import pytest

from stackweave.core import (
    Interpreter,
    ModelError,
    Monitor,
    Program,
    RandomWalk,
    Struct,
    Verdict,
    Word,
    emit,
    next_event,
)


class Node(Struct):
    """One word."""

    value: Word


def test_a_task_that_does_nothing_ends_where_it_begins() -> None:
    async def nothing() -> None:
        """No operation at all."""

    program = Program("nothing", cpus=1)
    program.task("task", nothing, cpus=[0])
    program.thread("thread", nothing)
    outcome = Interpreter(program).run(RandomWalk(0))
    assert (outcome.verdict, outcome.operations) == (Verdict.CLEAN, 0)


def test_to_wait_on_a_freed_object_is_a_use_of_it() -> None:
    program = Program("freed")
    pool = program.layout.pool("node", Node, 1)

    async def waits() -> None:
        node = await pool.alloc()
        await pool.free(node)
        await pool.at(node).value.wait(1, 1)

    program.thread("waits", waits)
    [violation] = Interpreter(program).run(RandomWalk(0)).violations
    assert violation.signature == "use-after-free:node"


def test_a_monitor_that_fails_is_to_blame_itself() -> None:
    async def fails() -> None:
        await next_event()
        raise KeyError("lost")

    program = Program("monitor")
    program.monitors.append(Monitor("fails", "all", fails, lambda event: True))

    async def emits() -> None:
        await emit("event")

    program.thread("emits", emits)
    with pytest.raises(ModelError, match="monitor fails failed: KeyError"):
        Interpreter(program).run(RandomWalk(0))
