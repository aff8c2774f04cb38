"""Ways into the kernel and out of it (kernel/entry/common.c, include/linux/resume_user_mode.h).

In user mode a task awaits the exchange of its `regs` by which it enters. An interrupt that comes before that marks
them, so the task first leaves by the interrupt's way out, irqentry_exit(). An NMI has no such way out: it returns
to user mode, but if it raised the irq_work interrupt that comes before the next user instruction, so the registers
are marked at once. Both ways out run the exit loop with interrupts off at its start and end, then the reset, then
the return.

How far the user's code came meanwhile is a choice of who enters: its stack is the next one captured, or, for
interrupts and NMIs, perhaps still the same. That holds for an irq_work interrupt too that an NMI raised in
the kernel and that is still pending at the return: machines may deliver it a few instructions late.

The way out has events of its own that a tracer may ask at: whenever interrupts go off in the exit loop, and once
when they are about to go on for the return. The flavour says whether the latter comes before the reset.

Left out: signals, ptrace, seccomp, and preemption inside the kernel: a task gives its CPU up in the exit
loop and where it sleeps.
"""

from collections.abc import Awaitable, Callable

from ..events import ExitRound, KernelEntry, KernelExit
from ..machine import Level
from ..memory import Word
from ..operations import (
    choose,
    emit,
    local_irq_restore,
    local_irq_save,
    schedule,
)
from ..program import Cpu
from .flavour import IrqOnEvent, Reset
from .generation import Caller, Generation
from .structs import (
    MODE_MASK,
    TIF_NEED_RESCHED,
    TIF_NOTIFY_RESUME,
    Mode,
    Task,
    mode_of,
    regs_at,
    stack_of,
)
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
        self._flavour = generation.flavour
        self._tasks = tasks_by_context
        self._irq_off: Handler | None = None
        self._irq_on: Handler | None = None

    def exit_events(self, irq_off: Handler | None = None, irq_on: Handler | None = None) -> None:
        """What the way out's own events do: interrupts off (trace_hardirqs_off() in the exit loop), and on."""
        self._irq_off, self._irq_on = irq_off, irq_on

    # system calls

    async def syscall(self, task: Task, handler: Handler) -> None:
        """One system call of a task that is in user mode, until it is there again."""
        await self.enter_from_user_mode(task)
        await handler(Caller(task))
        await self.do_syscall_64(task)

    async def enter_from_user_mode(self, task: Task) -> None:
        """A system call begins; first the task leaves what an interrupt made of its user mode."""
        while True:
            regs = await task.regs.load()
            if mode_of(regs) is Mode.INTERRUPTED:
                await self.irqentry_exit(task)
                continue
            if self._flavour.reset is Reset.EXIT:
                entered = await self._enter_by_syscall(task, regs)
            else:
                # there is more to be done before interrupts go on
                await local_irq_save()
                entered = await self._enter_by_syscall(task, regs)
                await local_irq_restore(1)
            if entered:
                return

    async def _enter_by_syscall(self, task: Task, regs: int) -> bool:
        """False, with nothing changed, where an interrupt or NMI was faster."""
        stack = _following(task, stack_of(regs))
        if await task.regs.cmpxchg(regs, regs_at(stack, Mode.KERNEL)) != regs:
            return False
        await emit(KernelEntry(task.number, stack))
        await self._enter_from_user_mode(task)
        return True

    async def _enter_from_user_mode(self, task: Task) -> None:
        if self._flavour.reset is Reset.ENTRY:
            await self._generation.unwind_reset_info(task)

    async def do_syscall_64(self, task: Task) -> None:
        """The way out of a system call."""
        await local_irq_save()
        await _fire(self._irq_off, task)
        await self._exit_to_user_mode(task)

    async def irqentry_exit(self, task: Task) -> None:
        """The way out of an interrupt that came in user mode: they went off when it came."""
        await local_irq_save()
        await self._exit_to_user_mode(task)

    async def _exit_to_user_mode(self, task: Task) -> None:
        await self.exit_to_user_mode_loop(task)
        if self._flavour.irq_on_event is IrqOnEvent.BEFORE_RESET:
            await _fire(self._irq_on, task)
        if self._flavour.reset is Reset.EXIT:
            await self._generation.unwind_reset_info(task)
        if self._flavour.irq_on_event is IrqOnEvent.AFTER_RESET:
            await _fire(self._irq_on, task)
        await task.regs.fetch_andnot(MODE_MASK)
        await emit(KernelExit(task.number))
        await local_irq_restore(1)

    async def exit_to_user_mode_loop(self, task: Task) -> None:
        """Work until no flag asks for any: the last look is with interrupts off."""
        while (work := await task.thread_flags.load()) & EXIT_WORK:
            await local_irq_restore(1)
            if work & TIF_NEED_RESCHED:
                await task.thread_flags.fetch_andnot(TIF_NEED_RESCHED)
                await schedule()
            if work & TIF_NOTIFY_RESUME:
                await self._resume_user_mode_work(task)
            await local_irq_save()
            await _fire(self._irq_off, task)

    async def _resume_user_mode_work(self, task: Task) -> None:
        await task.thread_flags.fetch_andnot(TIF_NOTIFY_RESUME)
        await emit(ExitRound(task.number))
        if await task.task_works.load():
            await self._task_work.task_work_run(task)

    # interrupts

    async def current(self, cpu: Cpu) -> Task | None:
        """The CPU's current task; None for the idle task."""
        return self._tasks.get(await cpu.current.load())

    async def interrupt(self, cpu: Cpu, handler: Handler, line: Word | None = None) -> None:
        """One device interrupt; with a line, one that comes while that word is not 0."""
        async with cpu.interrupt(line):
            await self._handle_interrupt(cpu, handler)

    async def irq_work_interrupt(self, cpu: Cpu) -> None:
        """One irq_work interrupt: unwinding queues an empty work, whose interrupt alone matters."""
        async with cpu.irq_work_interrupt():
            await self._handle_interrupt(cpu, _do_nothing)

    async def _handle_interrupt(self, cpu: Cpu, handler: Handler) -> None:
        task = await self.current(cpu)
        if task is not None:
            regs = await task.regs.load()
            if mode_of(regs) is Mode.USER:
                await self._arrive_from_user(task, regs, Mode.INTERRUPTED, await _run_on(task))
                await self._enter_from_user_mode(task)
        await handler(Caller(task))

    async def nmi(self, cpu: Cpu, handler: Handler, line: Word | None = None) -> None:
        """One NMI. From user mode it returns there at once, unless it raised an interrupt."""
        async with cpu.nmi(line) as below:
            task = await self.current(cpu)
            caller = Caller(task, cpu)
            regs = await task.regs.load() if task is not None else Mode.KERNEL
            if task is None or mode_of(regs) is not Mode.USER:
                await handler(caller)
            elif below is not Level.TASK:
                # an interrupt has come from user mode and has not yet marked it: it will find it marked
                await self._arrive_from_user(task, regs, Mode.INTERRUPTED, run_on=False)
                await self._enter_from_user_mode(task)
                await handler(caller)
            else:
                await self._arrive_from_user(task, regs, Mode.USER, await _run_on(task))
                await handler(caller)
                if await cpu.irq_work.load():
                    await task.regs.fetch_or(Mode.INTERRUPTED)
                else:
                    await emit(KernelExit(task.number))

    async def _arrive_from_user(self, task: Task, regs: int, mode: Mode, run_on: bool) -> None:
        stack = _following(task, stack_of(regs)) if run_on else stack_of(regs)
        if await task.regs.cmpxchg(regs, regs_at(stack, mode)) == regs:
            await emit(KernelEntry(task.number, stack))


async def _fire(source: Handler | None, task: Task) -> None:
    if source is not None:
        await source(Caller(task))


async def _run_on(task: Task) -> bool:
    """Whether the user's code ran on before an interrupt or NMI came."""
    return len(task.stacks) > 1 and await choose(2) == 1


def _following(task: Task, stack: int) -> int:
    """Where the user's code is when it has run on."""
    return task.stacks[(task.stacks.index(stack) + 1) % len(task.stacks)]


async def _do_nothing(caller: Caller) -> None:
    """irq_work whose function is empty (task_work_set_notify_irq() in kernel/task_work.c)."""
