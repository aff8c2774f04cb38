"""Work that a task does on its way to user mode (kernel/task_work.c).

`task_works` is a lock-free stack: anyone pushes with a cmpxchg, the task itself takes the whole list.
`TASK_WORK_EXITED` in its place refuses every later push. A cancel searches the list under `pi_lock`, which the
runner takes and drops between detaching the list and walking it.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from ..operations import ACQUIRE, RELEASE
from ..program import Cpu
from .structs import (
    EINVAL,
    ESRCH,
    PF_EXITING,
    TIF_NOTIFY_RESUME,
    CallbackHead,
    Task,
    TaskWorkMode,
)

TASK_WORK_EXITED: Final = 1
"""work_exited: in `task_works`, no pointer to any work."""

TaskWorkFunction = Callable[[Task], Awaitable[None]]


class TaskWork:
    """The works of all tasks: which function each `CallbackHead` has."""

    def __init__(self, irq_work: bool) -> None:
        self._irq_work = irq_work
        self._works: dict[int, CallbackHead] = {}
        self._functions: dict[int, TaskWorkFunction] = {}

    def declare(self, work: CallbackHead, function: TaskWorkFunction) -> None:
        """init_task_work(): what the work does when it runs."""
        self._works[work.address] = work
        self._functions[work.address] = function

    async def task_work_add(
        self, task: Task, work: CallbackHead, mode: TaskWorkMode, cpu: Cpu | None
    ) -> int:
        """Push the work and make the task notice. 0, -ESRCH for a task that has exited.

        `TWA_NMI_CURRENT`: the task must be the current one of `cpu`, whose irq_work is raised so that an
        interrupt comes as soon as it may; -EINVAL without a CPU or irq_work.
        """
        if mode is TaskWorkMode.TWA_NMI_CURRENT and (cpu is None or not self._irq_work):
            return -EINVAL
        head = await task.task_works.load()
        while True:
            if head == TASK_WORK_EXITED:
                return -ESRCH
            await work.next.store(head)
            seen = await task.task_works.cmpxchg(head, work.address)
            if seen == head:
                break
            head = seen
        await task.thread_flags.fetch_or(TIF_NOTIFY_RESUME)
        if mode is TaskWorkMode.TWA_NMI_CURRENT and cpu is not None:
            await cpu.irq_work.store(1)
        return 0

    async def task_work_run(self, task: Task) -> None:
        """Take the list and call each work, newest first, until no more come. A task that exits closes it."""
        while work := await self._detach(task):
            await task.pi_lock.acquire(0, 1)
            await task.pi_lock.store(0, RELEASE)
            while work:
                following = await self._works[work].next.load()
                await self._functions[work](task)
                work = following

    async def _detach(self, task: Task) -> int:
        work = await task.task_works.load()
        while True:
            replacement = 0
            if not work:
                if not await task.flags.load() & PF_EXITING:
                    return 0
                replacement = TASK_WORK_EXITED
            seen = await task.task_works.cmpxchg(work, replacement)
            if seen == work:
                return work
            work = seen

    async def task_work_cancel(self, task: Task, work: CallbackHead) -> bool:
        """Take the work off the list; False once the list was detached, or for a work that is not on it."""
        if not await task.task_works.load(ACQUIRE):
            return False
        await task.pi_lock.acquire(0, 1)
        found = await self._unlink(task, work.address)
        await task.pi_lock.store(0, RELEASE)
        return found

    async def _unlink(self, task: Task, wanted: int) -> bool:
        link = task.task_works
        pending = await link.load()
        while pending in self._works:
            if pending == wanted:
                following = await self._works[pending].next.load()
                seen = await link.cmpxchg(pending, following)
                if seen == pending:
                    return True
                pending = seen
            else:
                link = self._works[pending].next
                pending = await link.load()
        return False
