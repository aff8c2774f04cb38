"""What the built-in programs are made of: a kernel whose tasks carry captured stacks, sources, monitors."""

from collections.abc import Sequence
from typing import Final

from stackweave.core import Cpu, Program, UsageError, Word, pause
from stackweave.core.kernel.entry import Handler
from stackweave.core.kernel.generation import Caller
from stackweave.core.kernel.properties import unwind_properties
from stackweave.core.kernel.structs import PF_EXITING, PF_KTHREAD, TIF_NEED_RESCHED, Mode, Task
from stackweave.core.kernel.system import GENERATIONS, System, requests
from stackweave.core.kernel.unwind_user import Faults
from stackweave.core.sframe.packed import CapturedState, load, unwind_pcs

from .parameters import Parameters

CAPTURED: Final = ("mini-v3", "recur-v3", "plt-v3", "recur-v2", "mini-v1")
"""Packed programs that tasks run, in turn."""

STATES: Final = 4
"""Captured states that each task goes through."""

TASK_WEIGHT: Final = 24
"""Of a task against an interrupt's 1: interrupts come all along an execution, not in its first steps."""


class Stage:
    """A program under construction; the sizes are defaults that `parameters` may change."""

    def __init__(
        self,
        name: str,
        parameters: Parameters,
        *,
        generation: str = "upstream",
        cpus: int = 1,
        tasks: int = 1,
        tracers: int = 1,
        syscalls: int = 1,
        faults: Faults = Faults.NEVER,
    ) -> None:
        self.generation = parameters.generation or generation
        if self.generation not in GENERATIONS:
            raise UsageError(
                f"no generation {self.generation!r}: there are {', '.join(GENERATIONS)}"
            )
        self.syscalls = _size("syscalls", parameters.syscalls, syscalls, 1)
        self.user_tasks = _size("tasks", parameters.tasks, tasks, tasks)
        self.tracers = _size("tracers", parameters.tracers, tracers, tracers)
        bits = 64 - GENERATIONS[self.generation].reserved.bit_count()
        if self.tracers > bits:
            raise UsageError(f"generation {self.generation} has {bits} bits for tracers")
        cpus = _size("cpus", parameters.cpus, cpus, cpus)
        given: dict[str, int | str] = {
            "generation": self.generation,
            "cpus": cpus,
            "tasks": self.user_tasks,
            "tracers": self.tracers,
            "syscalls": self.syscalls,
        }
        self.program = Program(name, cpus, parameters=given)
        self._states = _captured(self.user_tasks)
        self.system = System(
            self.program,
            self.generation,
            tasks=self.user_tasks + 1,
            tracers=self.tracers,
            unwinder=self._unwind,
            stacks=[_stacks_of(task, self.user_tasks) for task in range(self.user_tasks + 1)],
            faults=faults,
        )
        self._may_fault = faults in (Faults.MEMORY, Faults.BOTH)
        self.program.layout.initialise(self.kernel_thread.flags, PF_KTHREAD)
        self.program.layout.initialise(self.kernel_thread.regs, Mode.KERNEL)

    # what it has

    @property
    def kernel_thread(self) -> Task:
        """The task of a thread without user memory."""
        return self.system.tasks[self.user_tasks]

    def first_bits(self) -> list[tuple[int, int]]:
        """All tracers registered one after the other: (tracer, bit), newest first."""
        first = self.system.first_bit
        return [(tracer, first + tracer) for tracer in reversed(range(self.tracers))]

    def _unwind(self, stack: int, readable: bool) -> tuple[int, ...]:
        return unwind_pcs(self._states[stack], readable=readable)

    def _truth(self, stack: int) -> Sequence[tuple[int, ...]]:
        truth = self._states[stack].truth
        return (truth, truth[:1]) if self._may_fault else (truth,)

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


async def reschedule(caller: Caller) -> None:
    """A timer interrupt: another task should have the CPU."""
    if caller.task is not None:
        await caller.task.thread_flags.fetch_or(TIF_NEED_RESCHED)


def _size(name: str, given: int | None, default: int, least: int) -> int:
    size = default if given is None else given
    if size < least:
        raise UsageError(f"this program needs at least {least} {name}")
    return size


def _captured(tasks: int) -> tuple[CapturedState, ...]:
    states: list[CapturedState] = []
    for task in range(tasks):
        states += load(CAPTURED[task % len(CAPTURED)]).states[:STATES]
    return tuple(states)


def _stacks_of(task: int, user_tasks: int) -> range:
    """A kernel thread has none of its own, and is never unwound."""
    return range(task * STATES, (task + 1) * STATES) if task < user_tasks else range(1)
