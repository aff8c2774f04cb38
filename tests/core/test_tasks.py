"""Tasks that fork makes live, and threads that leave their CPU."""

from stackweave.core import (
    Program,
    Verdict,
    emit,
    fence,
    schedule,
    wake_up_new_task,
)

from .running import outcome_of


def test_a_thread_may_leave_its_cpu_and_comes_back_to_it() -> None:
    program = Program("thread")
    came: list[int] = []

    async def thread() -> None:
        came.append(await schedule())
        came.append(await schedule())

    program.thread("zero", thread)
    program.thread("one", thread)
    assert outcome_of(program).verdict is Verdict.CLEAN
    assert sorted(came) == [0, 0, 1, 1]


def test_what_comes_before_the_first_operation_belongs_to_the_spawning() -> None:
    program = Program("fork", 2)
    word = program.layout.word("word")

    async def child() -> None:
        await emit("child begins")
        await word.load()

    async def parent() -> None:
        await emit("parent begins")
        await word.load()
        assert await wake_up_new_task(slot) == 1
        await emit("forked")
        assert await wake_up_new_task(slot) == 0

    slot = program.task("child", child, cpus=[1], live=False)
    program.task("parent", parent, cpus=[0])
    events = [(event.step, event.event) for event in outcome_of(program).events]
    assert events == [(0, "parent begins"), (3, "child begins"), (3, "forked")]


def test_a_slot_that_nobody_forks_does_nothing() -> None:
    program = Program("no fork", 1)

    async def child() -> None:
        raise AssertionError

    program.task("child", child, cpus=[0], live=False)

    async def parent() -> None:
        await fence()

    program.task("parent", parent, cpus=[0])
    assert outcome_of(program).verdict is Verdict.CLEAN


def test_a_forked_task_may_outlive_its_parent() -> None:
    program = Program("orphan", 2)
    word = program.layout.word("word")

    async def child() -> None:
        for _ in range(5):
            await word.fetch_add(1)

    async def parent() -> None:
        await wake_up_new_task(slot)

    slot = program.task("child", child, cpus=[1], live=False)
    program.task("parent", parent, cpus=[0])
    assert {outcome_of(program, seed).words[word.address] for seed in range(20)} == {5}
