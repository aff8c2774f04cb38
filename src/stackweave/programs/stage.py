"""What the built-in programs are made of: a kernel whose tasks carry captured stacks, sources, monitors."""

from collections.abc import Sequence
from typing import Final

from stackweave.actors import TASK_WEIGHT, UserStacks
from stackweave.core import Cpu, Program, Word, pause
from stackweave.core.kernel.entry import Handler
from stackweave.core.kernel.generation import Callback, Caller
from stackweave.core.kernel.life import Detach
from stackweave.core.kernel.properties import unwind_properties
from stackweave.core.kernel.structs import PF_EXITING, PF_KTHREAD, Mode, Task
from stackweave.core.kernel.system import System, requests
from stackweave.core.kernel.unwind_user import Faults
from stackweave.core.monitors import Trace

from .sizes import Sizes

_FEW: Final = 3


class Stage:
    """A program under construction."""

    def __init__(
        self,
        name: str,
        size: Sizes,
        *,
        faults: Faults = Faults.NEVER,
        callback: Callback | None = None,
        detach: Detach | None = None,
    ) -> None:
        self.user_tasks = size.tasks
        self.syscalls = size.syscalls
        self.program = Program(name, size.cpus, parameters=size.given())
        self._stacks = UserStacks(size.tasks)
        self.system = System(
            self.program,
            size.generation,
            flavour=size.flavour,
            tasks=self.user_tasks + 1,
            tracers=size.tracers,
            unwinder=self._stacks.unwind,
            stacks=[self._stacks.of_task(task) for task in range(self.user_tasks + 1)],
            faults=faults,
            callback=callback,
            detach=detach,
        )
        self._faults = faults
        self.program.layout.initialise(self.kernel_thread.flags, PF_KTHREAD)
        self.program.layout.initialise(self.kernel_thread.regs, Mode.KERNEL)

    # what it has

    @property
    def kernel_thread(self) -> Task:
        """The task of a thread without user memory."""
        return self.system.tasks[self.user_tasks]

    def _truth(self, stack: int) -> Sequence[Trace]:
        return self._stacks.acceptable(stack, self._faults)

    # contexts

    def task(self, number: int, *handlers: Handler, cpus: Sequence[int] = (0,)) -> None:
        """A user task: `syscalls` times each handler as one system call, then its exit."""
        task = self.system.tasks[number]
        context = self.program.task(
            f"task{number}", self._live, task, handlers, cpus=cpus, weight=TASK_WEIGHT
        )
        self.system.runs(task, context)

    async def _live(self, task: Task, handlers: Sequence[Handler]) -> None:
        if task.number == 0:
            await self.system.report_registered()
        for _ in range(self.syscalls):
            for handler in handlers:
                await self.system.entry.syscall(task, handler)
        await self.system.entry.enter_from_user_mode(task)
        await self.system.life.do_exit(task)

    def churn(
        self,
        leaves: int,
        comes: Sequence[int],
        *,
        cpus: Sequence[int],
        weight: int = TASK_WEIGHT,
        once: tuple[Word, int, int] | None = None,
    ) -> None:
        """A kernel thread that cancels a tracer and then registers others.

        `once`: it waits until (word & mask) == value, or until task 0 ends without.
        """
        context = self.program.task(
            "churn", self._churn, leaves, comes, once, cpus=cpus, weight=weight
        )
        self.system.runs(self.kernel_thread, context)

    async def _churn(
        self, leaves: int, comes: Sequence[int], once: tuple[Word, int, int] | None
    ) -> None:
        if once is not None:
            word, mask, value = once
            flags = self.system.tasks[0].flags
            while await word.load() & mask != value and not await flags.load() & PF_EXITING:
                await pause()
        await self.system.cancel(leaves)
        for tracer in comes:
            await self.system.init(tracer)

    def nmi(self, cpu: int, handler: Handler, times: int = 1) -> None:
        """An NMI that comes up to so many times, at any moment; and the irq_work interrupt that it may raise."""
        handle = self.system.cpus[cpu]
        self.program.nmi(f"nmi{cpu}", self._nmi, handle, handler, times, cpu=cpu)
        self.program.interrupt(
            f"irq_work{cpu}", self._irq_work, handle, cpu=cpu, weight=TASK_WEIGHT
        )

    async def _nmi(self, cpu: Cpu, handler: Handler, times: int) -> None:
        for _ in range(times):
            await self.system.entry.nmi(cpu, handler)

    async def _irq_work(self, cpu: Cpu) -> None:
        while True:
            await self.system.entry.irq_work_interrupt(cpu)

    def interrupt(self, cpu: int, handler: Handler, times: int = 1) -> None:
        """A device or timer interrupt that comes up to so many times, while interrupts are on."""
        handle = self.system.cpus[cpu]
        self.program.interrupt(f"irq{cpu}", self._interrupt, handle, handler, times, cpu=cpu)

    async def _interrupt(self, cpu: Cpu, handler: Handler, times: int) -> None:
        for _ in range(times):
            await self.system.entry.interrupt(cpu, handler)

    # the program

    def finish(self) -> Program:
        """The program with every property of deferred unwinding watched."""
        self.program.monitors += unwind_properties(self.system, self.user_tasks, self._truth)
        return self.program


def asks(stage: Stage, tracer: int) -> Handler:
    """A source of the tracer fires, if the tracer is enabled."""
    return requests(stage.system, tracer)


def insists(stage: Stage, tracer: int) -> Handler:
    """A source that asks whether its tracer is enabled or not."""

    async def fire(caller: Caller) -> None:
        await stage.system.request(tracer, caller)

    return fire


def a_few_times(stage: Stage, tracer: int) -> Handler:
    """A source on the way out, until its tracer has had a few callbacks.

    Its callback makes the way out longer, and so another event: in some generations for ever.
    """
    ask = requests(stage.system, tracer, outside=False)

    async def fire(caller: Caller) -> None:
        if await stage.system.tracers[tracer].records.load() < _FEW:
            await ask(caller)

    return fire


def closes(stage: Stage, tracer: int) -> Handler:
    """A system call that cancels the tracer."""

    async def close(caller: Caller) -> None:
        await stage.system.cancel(tracer)

    return close


def opens(stage: Stage, tracer: int) -> Handler:
    """A system call that registers the tracer."""

    async def open(caller: Caller) -> None:
        await stage.system.init(tracer)

    return open


def each(*handlers: Handler) -> Handler:
    """Several sources or steps in one system call, interrupt or NMI."""

    async def fire(caller: Caller) -> None:
        for handler in handlers:
            await handler(caller)

    return fire
