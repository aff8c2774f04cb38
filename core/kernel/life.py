"""The life of a task: fork, exec, exit (kernel/fork.c, fs/exec.c, kernel/exit.c), as unwinding sees it."""

from collections.abc import Awaitable, Callable

from ..events import KernelEntry, TaskExit
from ..operations import emit, wake_up_new_task
from .flavour import ExitHook
from .generation import Generation
from .structs import NO_STACK, PF_EXITING, PF_USER_WORKER, Mode, Task, regs_at
from .task_work import TaskWork

Detach = Callable[[Task], Awaitable[None]]
"""What perf_event_exit_task() does: take the task's own events away."""


class Life:
    """What begins and ends tasks. Contexts are declared slots: fork makes one live."""

    def __init__(
        self,
        generation: Generation,
        task_work: TaskWork,
        contexts: dict[int, int],
        detach: Detach | None = None,
    ) -> None:
        self._generation = generation
        self._task_work = task_work
        self._contexts = contexts
        self._detach = detach

    async def fork(self, child: Task) -> bool:
        """Start a declared task: nothing of the parent's unwind state is inherited. False if it is live."""
        return await self._copy_process(child, 0, regs_at(child.stacks[0], Mode.USER))

    async def create_io_thread(self, child: Task) -> bool:
        """Start a declared task as a user worker: it shares the user's memory and never goes to user mode.

        Its kernel entry, as the monitors see it, is its whole life, and no trace is true in it.
        """
        await emit(KernelEntry(child.number, NO_STACK))
        return await self._copy_process(child, PF_USER_WORKER, regs_at(NO_STACK, Mode.KERNEL))

    async def _copy_process(self, child: Task, flags: int, regs: int) -> bool:
        info = child.unwind_info
        for word in (info.unwind_mask, info.pending, info.cache, info.id):
            await word.store(0)
        for word in (child.task_works, child.thread_flags):
            await word.store(0)
        await child.flags.store(flags)
        await child.mm.store(1)
        await child.regs.store(regs)
        return await wake_up_new_task(self._contexts[child.number]) == 1

    async def exec(self, task: Task, stack: int) -> None:
        """begin_new_exec(): a new image, so another stack. Unwinding has no hook here: a cookie from before
        receives the new image's stack, and cached entries survive."""
        await task.regs.store(regs_at(stack, Mode.KERNEL))

    async def sigreturn(self, task: Task, stack: int) -> None:
        """rt_sigreturn(): the registers are those of the interrupted code again, so the stack is another one
        within one system call. Unwinding has no hook here either."""
        await task.regs.store(regs_at(stack, Mode.KERNEL))

    async def do_exit(self, task: Task) -> None:
        """A task that has entered the kernel ends itself.

        Its requests are refused, its own events are detached, the works left are run, then none is taken. Its
        cache is freed with its structure, an RCU grace period later: after any walk over the tasks.
        """
        hook = self._generation.flavour.exit_hook
        await task.flags.fetch_or(PF_EXITING)
        if hook is ExitHook.BEFORE_PERF_EVENT_EXIT:
            await self._generation.unwind_deferred_task_exit(task)
        if self._detach is not None:
            await self._detach(task)
        if hook is ExitHook.AFTER_PERF_EVENT_EXIT:
            await self._generation.unwind_deferred_task_exit(task)
        await task.mm.store(0)
        await self._task_work.task_work_run(task)
        await emit(TaskExit(task.number))
