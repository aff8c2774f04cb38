"""What the tests of the kernel models share: a small kernel, and what its contexts saw."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from stackweave.core import (
    Context,
    Interpreter,
    Outcome,
    Program,
    RandomWalk,
    State,
    emit,
)
from stackweave.core.kernel.generation import Callback, Caller
from stackweave.core.kernel.life import Detach
from stackweave.core.kernel.system import System
from stackweave.core.kernel.unwind_user import Faults, Unwinder

Event = TypeVar("Event")


@dataclass(frozen=True, slots=True)
class Saw:
    """Something that a context saw."""

    what: str
    value: object


async def saw(what: str, value: object) -> None:
    """Note something for the test."""
    await emit(Saw(what, value))


def notes(outcome: Outcome, what: str) -> list[object]:
    """What was noted under a name, in order."""
    return [each.value for each in events(outcome, Saw) if each.what == what]


def events(outcome: Outcome, kind: type[Event]) -> list[Event]:
    """The events of one kind, in order."""
    return [each.event for each in outcome.events if isinstance(each.event, kind)]


def _counters(stack: int, readable: bool) -> tuple[int, ...]:
    return (100 + stack, 200 + stack) if readable else (100 + stack,)


class Kernel:
    """A system whose contexts a test adds."""

    def __init__(
        self,
        generation: str = "upstream",
        *,
        cpus: int = 1,
        tasks: int = 1,
        tracers: int = 2,
        stacks: int = 1,
        faults: Faults = Faults.NEVER,
        unwinder: Unwinder = _counters,
        registered: bool = True,
        callback: Callback | None = None,
        detach: Detach | None = None,
        flavour: str | None = None,
        bound: int = 20_000,
    ) -> None:
        self.program = Program("kernel", cpus, bound=bound)
        self.system = System(
            self.program,
            generation,
            tasks=tasks,
            tracers=tracers,
            unwinder=unwinder,
            stacks=[range(stacks * task, stacks * (task + 1)) for task in range(tasks)],
            faults=faults,
            callback=callback,
            detach=detach,
            flavour=flavour,
        )
        if registered:
            self.system.start_all_registered()

    def task(
        self,
        number: int,
        body: Callable[[], Awaitable[None]],
        *,
        cpus: tuple[int, ...] = (0,),
        live: bool = True,
    ) -> None:
        """A task's whole life."""

        async def live_on() -> None:
            await body()

        context = self.program.task(f"task{number}", live_on, cpus=cpus, live=live)
        self.system.runs(self.system.tasks[number], context)

    def asks(self, *tracers: int, calls: int = 1) -> None:
        """Task 0 makes system calls that ask for these tracers, one after the other, and exits."""
        task = self.system.tasks[0]

        async def handler(caller: Caller) -> None:
            for tracer in tracers:
                await self.system.request(tracer, caller)

        async def body() -> None:
            for _ in range(calls):
                await self.system.entry.syscall(task, handler)
            await self.system.entry.enter_from_user_mode(task)
            await self.system.life.do_exit(task)

        self.task(0, body)

    def asks_in_exit(self) -> None:
        """Task 0 asks for tracer 0 in the system call in which it ends."""
        task = self.system.tasks[0]

        async def body() -> None:
            await self.system.entry.enter_from_user_mode(task)
            await self.system.request(0, Caller(task))
            await self.system.life.do_exit(task)

        self.task(0, body)

    def nmi(self, body: Callable[[], Awaitable[None]], cpu: int = 0) -> None:
        """What an NMI context does; and the irq_work interrupt."""

        async def come() -> None:
            await body()

        async def irq_work() -> None:
            while True:
                await self.system.entry.irq_work_interrupt(self.system.cpus[cpu])

        self.program.nmi("nmi", come, cpu=cpu)
        self.program.interrupt("irq_work", irq_work, cpu=cpu)

    def run(self, seed: int = 0, execution: int = 0) -> Outcome:
        """One execution."""
        return Interpreter(self.program).run(RandomWalk(seed), execution)

    def runs(self, count: int, seed: int = 0) -> Iterator[Outcome]:
        """Many executions."""
        interpreter, strategy = Interpreter(self.program), RandomWalk(seed)
        return (interpreter.run(strategy, execution) for execution in range(count))


def everywhere(program: Program, victim: str, other: str) -> Iterator[Outcome]:
    """One execution for each step of `victim`: there `other` comes and runs until it waits or ends.

    Contexts besides these two run as soon as they may; every `choose` gives 0.
    """
    interpreter = Interpreter(program)
    at, steps = 0, 1
    while at < steps:
        interpreter.reset()
        met, steps = _drive(interpreter, victim, other, at)
        if met:
            assert interpreter.finished
            yield interpreter.finish()
        at += 1


def _drive(interpreter: Interpreter, victim: str, other: str, at: int) -> tuple[bool, int]:
    """Whether the other one could come there, and how many steps the victim took."""
    contexts = {context.name: context for context in interpreter.contexts}
    steps, met = 0, False
    while not interpreter.finished and contexts[victim].state is not State.DEAD:
        enabled = interpreter.enabled()
        if steps == at and not met and contexts[other] in enabled:
            met = True
            _run_out(interpreter, contexts[other])
            continue
        others = [each for each in enabled if each.name not in (victim, other)]
        if others:
            interpreter.step(others[0])
            continue
        interpreter.step(contexts[victim])
        steps += 1
    if met and contexts[other] in interpreter.enabled():
        _run_out(interpreter, contexts[other])  # it had to wait for the victim
    return met, steps


def _run_out(interpreter: Interpreter, context: Context) -> None:
    interpreter.step(context)
    while context.state is State.RUNNING and not interpreter.finished:
        interpreter.step(context)
