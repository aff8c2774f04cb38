"""Ways into the kernel and out of it (kernel/entry/common.c, include/linux/resume_user_mode.h).

In user mode a task awaits one operation, the exchange of its `mode` by which it enters. An interrupt that comes
before that marks the mode, so the task first leaves by the interrupt's way out, irqentry_exit(); an NMI
has no such way out. Both ways run the exit loop with interrupts off at its start and end, then the reset, then the
return. How far the user's code came meanwhile is a choice of who enters: its stack is the next one captured,
or, for interrupts and NMIs, perhaps still the same.

Left out: signals, ptrace, seccomp, and preemption inside the kernel: a task gives its CPU up in the exit
loop and where it sleeps.
"""

from collections.abc import Awaitable, Callable

from ..events import ExitRound, KernelEntry, KernelExit
from ..operations import (
    choose,
    emit,
    local_irq_restore,
    local_irq_save,
    schedule,
    smp_processor_id,
)
from ..program import Cpu
from .generation import Caller, Generation
from .structs import TIF_NEED_RESCHED, TIF_NOTIFY_RESUME, Mode, Task
from .task_work import TaskWork

EXIT_WORK = TIF_NEED_RESCHED | TIF_NOTIFY_RESUME

Handler = Callable[[Caller], Awaitable[None]]
"""What a system call, interrupt or NMI does."""


class Entry:
    """Entry and exit of every task of one program."""

    def __init__(
        self,
        generation: Generation,
        task_work: TaskWork,
        tasks_by_context: dict[int, Task],
    ) -> None:
        self._generation = generation
        self._task_work = task_work
        self._tasks = tasks_by_context

    # system calls

    async def syscall(self, task: Task, cpus: tuple[Cpu, ...], handler: Handler) -> None:
        """One system call of a task that is in user mode, until it is there again."""
        await self._enter_from_user_mode(task, cpus)
        await handler(Caller(task))
        await self.do_syscall_64(task)

    async def _enter_from_user_mode(self, task: Task, cpus: tuple[Cpu, ...]) -> None:
        while await task.mode.cmpxchg(Mode.USER, Mode.KERNEL) == Mode.INTERRUPTED:
            await self.irqentry_exit(task)
        # an interrupt that is still pending would have come before another user instruction
        if await cpus[await smp_processor_id()].irq_work.load():
            stack = await task.user_stack.load()
        else:
            stack = await self._run_user(task)
        await emit(KernelEntry(task.number, stack))

    async def do_syscall_64(self, task: Task) -> None:
        """The way out of a system call."""
        await self._exit_to_user_mode(task)

    async def irqentry_exit(self, task: Task) -> None:
        """The way out of an interrupt that came in user mode."""
        await self._exit_to_user_mode(task)

    async def _exit_to_user_mode(self, task: Task) -> None:
        await local_irq_save()
        await self.exit_to_user_mode_loop(task)
        await self._generation.unwind_reset_info(task)
        await task.mode.store(Mode.USER)
        await emit(KernelExit(task.number))
        await local_irq_restore(1)

    async def exit_to_user_mode_loop(self, task: Task) -> None:
        """Work until no flag asks for any: the last look is with interrupts off."""
        while (work := await task.thread_flags.load()) & EXIT_WORK:
            await local_irq_restore(1)
            await emit(ExitRound(task.number))
            if work & TIF_NEED_RESCHED:
                await task.thread_flags.fetch_andnot(TIF_NEED_RESCHED)
                await schedule()
            if work & TIF_NOTIFY_RESUME:
                await self._resume_user_mode_work(task)
            await local_irq_save()

    async def _resume_user_mode_work(self, task: Task) -> None:
        await task.thread_flags.fetch_andnot(TIF_NOTIFY_RESUME)
        if await task.task_works.load():
            await self._task_work.task_work_run(task)

    # interrupts

    async def current(self, cpu: Cpu) -> Task | None:
        """The CPU's current task; None for the idle task."""
        return self._tasks.get(await cpu.current.load())

    async def interrupt(self, cpu: Cpu, handler: Handler) -> None:
        """One device interrupt."""
        async with cpu.interrupt():
            await self._handle_interrupt(cpu, handler)

    async def irq_work_interrupt(self, cpu: Cpu) -> None:
        """One irq_work interrupt: unwinding queues an empty work, whose interrupt alone matters."""
        async with cpu.irq_work_interrupt():
            await self._handle_interrupt(cpu, _do_nothing)

    async def _handle_interrupt(self, cpu: Cpu, handler: Handler) -> None:
        task = await self.current(cpu)
        if task is not None and await task.mode.load() == Mode.USER:
            await task.mode.store(Mode.INTERRUPTED)
            await self._arrive_from_user(task)
        await handler(Caller(task))

    async def nmi(self, cpu: Cpu, handler: Handler) -> None:
        """One NMI. From user mode it returns there at once, unless it raised an interrupt."""
        async with cpu.nmi():
            task = await self.current(cpu)
            caller = Caller(task, cpu)
            if task is None or await task.mode.load() != Mode.USER:
                await handler(caller)
                return
            await self._arrive_from_user(task)
            await handler(caller)
            if not await cpu.irq_work.load():
                await emit(KernelExit(task.number))

    async def _arrive_from_user(self, task: Task) -> None:
        if len(task.stacks) > 1 and await choose(2):
            stack = await self._run_user(task)
        else:
            stack = await task.user_stack.load()
        await emit(KernelEntry(task.number, stack))

    async def _run_user(self, task: Task) -> int:
        """The user's code ran on to its next captured stack."""
        position = task.stacks.index(await task.user_stack.load())
        stack = task.stacks[(position + 1) % len(task.stacks)]
        await task.user_stack.store(stack)
        return stack


async def _do_nothing(caller: Caller) -> None:
    """irq_work whose function is empty (task_work_set_notify_irq() in kernel/task_work.c)."""
