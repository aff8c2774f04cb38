"""Task work: a lock-free stack of works that a task runs on its way to user mode."""

from collections.abc import Awaitable, Callable

import pytest

from stackweave.core import Interpreter, Outcome, Program, RandomWalk, Verdict
from stackweave.core.kernel.structs import (
    EINVAL,
    ESRCH,
    PF_EXITING,
    TIF_NOTIFY_RESUME,
    CallbackHead,
    Task,
    TaskWorkMode,
)
from stackweave.core.kernel.task_work import TASK_WORK_EXITED

from .support import Kernel, notes, saw

RESUME, NMI = TaskWorkMode.TWA_RESUME, TaskWorkMode.TWA_NMI_CURRENT


class Works:
    """A kernel with works that note their number when they run."""

    def __init__(self, count: int = 3) -> None:
        self.kernel = Kernel(cpus=1, tracers=1)
        system = self.kernel.system
        self.task, self.task_work = system.tasks[0], system.task_work
        self.cpu = system.cpus[0]
        layout = self.kernel.program.layout
        self.works = [layout.place(f"work{number}", CallbackHead) for number in range(count)]
        for number, work in enumerate(self.works):
            self.task_work.declare(work, self.noting(number))

    def noting(self, number: int) -> Callable[[Task], Awaitable[None]]:
        async def run(task: Task) -> None:
            await saw("ran", number)

        return run

    async def add(self, number: int, mode: TaskWorkMode = RESUME) -> int:
        return await self.task_work.task_work_add(self.task, self.works[number], mode, None)

    def run(self, body: Callable[[], Awaitable[None]]) -> Outcome:
        self.kernel.task(0, body)
        outcome = self.kernel.run()
        assert outcome.verdict is Verdict.CLEAN
        return outcome


def test_newest_first() -> None:
    works = Works()

    async def body() -> None:
        for number in range(3):
            await works.add(number)
        await works.task_work.task_work_run(works.task)

    assert notes(works.run(body), "ran") == [2, 1, 0]


def test_until_none_comes() -> None:
    works = Works()

    async def adds_another(task: Task) -> None:
        await saw("ran", 0)
        await works.add(2)

    works.task_work.declare(works.works[0], adds_another)

    async def body() -> None:
        await works.add(0)
        await works.add(1)
        await works.task_work.task_work_run(works.task)

    assert notes(works.run(body), "ran") == [1, 0, 2]


def test_the_task_is_told() -> None:
    works = Works()

    async def body() -> None:
        await works.add(0)
        await saw("flags", await works.task.thread_flags.load())
        await saw("irq_work", await works.cpu.irq_work.load())
        added = await works.task_work.task_work_add(works.task, works.works[1], NMI, works.cpu)
        await saw("added", added)
        await saw("irq_work", await works.cpu.irq_work.load())

    outcome = works.run(body)
    assert notes(outcome, "flags") == [TIF_NOTIFY_RESUME]
    assert notes(outcome, "added") == [0]
    assert notes(outcome, "irq_work") == [0, 1]


def test_an_nmi_without_its_cpu_adds_nothing() -> None:
    works = Works()

    async def body() -> None:
        await saw("added", await works.add(0, NMI))
        await saw("works", await works.task.task_works.load())
        await saw("flags", await works.task.thread_flags.load())

    outcome = works.run(body)
    assert notes(outcome, "added") == [-EINVAL]
    assert notes(outcome, "works") == notes(outcome, "flags") == [0]


def test_an_exiting_task_closes_its_list() -> None:
    works = Works()

    async def body() -> None:
        await works.add(0)
        await works.task.flags.fetch_or(PF_EXITING)
        await saw("added", await works.add(1))
        await works.task_work.task_work_run(works.task)
        await saw("works", await works.task.task_works.load())
        await saw("added", await works.add(2))
        await saw("cancelled", await works.task_work.task_work_cancel(works.task, works.works[0]))

    outcome = works.run(body)
    assert notes(outcome, "ran") == [1, 0]
    assert notes(outcome, "added") == [0, -ESRCH]
    assert notes(outcome, "works") == [TASK_WORK_EXITED]
    assert notes(outcome, "cancelled") == [False]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_cancelled_work_does_not_run(number: int) -> None:
    works = Works()

    async def body() -> None:
        for each in range(3):
            await works.add(each)
        work = works.works[number]
        await saw("cancelled", await works.task_work.task_work_cancel(works.task, work))
        await saw("cancelled", await works.task_work.task_work_cancel(works.task, work))
        await works.task_work.task_work_run(works.task)
        await saw("cancelled", await works.task_work.task_work_cancel(works.task, work))

    outcome = works.run(body)
    assert notes(outcome, "ran") == [each for each in (2, 1, 0) if each != number]
    assert notes(outcome, "cancelled") == [True, False, False]


def test_a_detached_work_cannot_be_cancelled() -> None:
    works = Works()

    async def cancels(task: Task) -> None:
        for work in works.works:
            await saw("cancelled", await works.task_work.task_work_cancel(task, work))

    works.task_work.declare(works.works[1], cancels)

    async def body() -> None:
        await works.add(0)
        await works.add(1)
        await works.task_work.task_work_run(works.task)

    outcome = works.run(body)
    assert notes(outcome, "cancelled") == [False] * 3
    assert notes(outcome, "ran") == [0]


PUSHERS = 3


def _contended(cancels: bool) -> Program:
    """Others push while the task runs what there is, until it has run, or seen cancelled, all of them."""
    works = Works(PUSHERS)
    done = works.kernel.program.layout.word("done")

    async def push(number: int) -> None:
        await works.add(number)
        if cancels and number == 0:
            gone = await works.task_work.task_work_cancel(works.task, works.works[0])
            await saw("cancelled", gone)
            if gone:
                await done.fetch_add(1)

    def counting(number: int) -> Callable[[Task], Awaitable[None]]:
        async def run(task: Task) -> None:
            await saw("ran", number)
            await done.fetch_add(1)

        return run

    for number, work in enumerate(works.works):
        works.task_work.declare(work, counting(number))

    async def body() -> None:
        while await done.load() < PUSHERS:
            await works.task_work.task_work_run(works.task)

    works.kernel.task(0, body)
    for number in range(PUSHERS):
        works.kernel.program.thread(f"push{number}", push, number)
    works.kernel.program.bound = 5_000
    return works.kernel.program


@pytest.mark.parametrize("cancels", [False, True])
def test_everything_that_is_pushed_is_run_once_or_cancelled(cancels: bool) -> None:
    interpreter = Interpreter(_contended(cancels))
    orders, gone = set(), 0
    for execution in range(400):
        outcome = interpreter.run(RandomWalk(3), execution)
        assert outcome.verdict is Verdict.CLEAN
        ran = notes(outcome, "ran")
        cancelled = notes(outcome, "cancelled") == [True]
        assert sorted(map(str, ran)) == [str(each) for each in range(cancelled, PUSHERS)]
        orders.add(tuple(ran))
        gone += cancelled
    assert len(orders) >= 6
    assert (0 < gone < 400) is cancels
