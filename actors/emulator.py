"""A whole machine of actors in one program: CPUs, tasks and tracers, and the mailboxes between them.

The program is an ordinary one: any driver runs it. What happens is what the mailboxes say: they may hold an agenda
from the start, and a host may put more into them while it runs. When the last task has ended the supervisor
ends the tracers' sessions, and with them the execution.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from stackweave.core import Mailbox, Program
from stackweave.core.kernel.properties import unwind_properties
from stackweave.core.kernel.structs import Task as Struct
from stackweave.core.kernel.system import System
from stackweave.core.kernel.unwind_user import Faults
from stackweave.wire.messages import (
    Cancel,
    Exit,
    Interrupt,
    Message,
    Nmi,
    Register,
    Stop,
    SystemCall,
)

from .cpu import Cpu
from .stacks import UserStacks
from .task import Task
from .tracer import Tracer

TASK_WEIGHT: Final = 24
"""Of a task against an interrupt's 1: interrupts come all along an execution, not in its first steps."""

CAPACITY: Final = 16
"""Messages that a mailbox has room for, unless its agenda is longer."""

EVERY_BIT: Final = (1 << 64) - 1

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Agenda:
    """What is in the mailboxes when the program starts, oldest first; where there is nothing, leave it out."""

    tasks: Sequence[Sequence[SystemCall | Exit]] = ()
    interrupts: Sequence[Sequence[Interrupt]] = ()
    """For each CPU."""
    nmis: Sequence[Sequence[Nmi]] = ()
    """For each CPU."""
    tracers: Sequence[Sequence[Register | Cancel]] = ()


NOTHING: Final = Agenda()


class Emulator:
    """CPUs, tasks and tracers, all tracers registered, as actors of `program`."""

    def __init__(
        self,
        name: str = "emulator",
        *,
        generation: str = "upstream",
        flavour: str | None = None,
        cpus: int = 2,
        tasks: int = 2,
        tracers: int = 3,
        faults: Faults = Faults.MEMORY,
        agenda: Agenda = NOTHING,
        capacity: int = CAPACITY,
        parameters: Mapping[str, int | str] | None = None,
    ) -> None:
        self.program = Program(name, cpus, parameters=parameters)
        self.stacks = UserStacks(tasks)
        self.system = System(
            self.program,
            generation,
            flavour=flavour,
            tasks=tasks,
            tracers=tracers,
            unwinder=self.stacks.unwind,
            stacks=[self.stacks.of_task(task) for task in range(tasks)],
            faults=faults,
            callback=self._callback,
        )
        self.system.start_all_registered()
        self._alive = self.program.layout.word("alive", tasks)
        self._capacity = capacity
        self.tracers = self._make_tracers(agenda)
        self.cpus = self._make_cpus(cpus, agenda)
        self.tasks = self._make_tasks(agenda)
        self._start()
        self.program.monitors += unwind_properties(
            self.system, tasks, lambda stack: self.stacks.acceptable(stack, faults)
        )

    async def _callback(
        self, tracer: int, task: Struct, cookie: int, nr: int, entries: int
    ) -> None:
        trace = self.system.deferral.unwind_user.program_counters(entries) if nr else ()
        await self.tracers[tracer].callback(task, cookie, trace)

    def _mailbox(self, name: str, agenda: Sequence[Sequence[Kind]], number: int) -> Mailbox[Kind]:
        initial = agenda[number] if number < len(agenda) else ()
        capacity = max(self._capacity, len(initial))
        box = self.program.layout.mailbox(name, capacity, object, initial)
        return cast("Mailbox[Kind]", box)

    def _make_tracers(self, agenda: Agenda) -> tuple[Tracer, ...]:
        made = []
        for number in range(len(self.system.tracers)):
            inbox: Mailbox[Message] = self._mailbox(f"tracer{number}.inbox", agenda.tracers, number)
            lost = self.program.layout.word(f"tracer{number}.lost")
            made.append(Tracer(self.system, number, inbox, lost, registered=True))
        return tuple(made)

    def _make_cpus(self, cpus: int, agenda: Agenda) -> tuple[Cpu, ...]:
        return tuple(
            Cpu(
                self.system,
                self.program.cpu(number),
                self.tracers,
                self._mailbox(f"cpu{number}.interrupts", agenda.interrupts, number),
                self._mailbox(f"cpu{number}.nmis", agenda.nmis, number),
            )
            for number in range(cpus)
        )

    def _make_tasks(self, agenda: Agenda) -> tuple[Task, ...]:
        made = []
        for number, struct in enumerate(self.system.tasks):
            inbox = self._mailbox(f"task{number}.inbox", agenda.tasks, number)
            made.append(Task(self.system, struct, self.tracers, inbox, self._alive))
        return tuple(made)

    def _start(self) -> None:
        """Every actor's loops as contexts of the program."""
        program, everywhere = self.program, range(len(self.cpus))
        for number, task in enumerate(self.tasks):
            context = program.task(f"task{number}", task.live, cpus=everywhere, weight=TASK_WEIGHT)
            self.system.runs(self.system.tasks[number], context)
        for number, cpu in enumerate(self.cpus):
            program.interrupt(f"irq{number}", cpu.take_interrupts, cpu=number)
            program.nmi(f"nmi{number}", cpu.take_nmis, cpu=number)
            program.interrupt(
                f"irq_work{number}", cpu.take_irq_work, cpu=number, weight=TASK_WEIGHT
            )
        for number, tracer in enumerate(self.tracers):
            program.task(f"tracer{number}", tracer.read, cpus=everywhere, weight=TASK_WEIGHT)
        program.thread("supervisor", self._supervise, weight=TASK_WEIGHT)

    async def _supervise(self) -> None:
        """End the tracers' sessions when the last task has ended and no interrupt is left to come.

        It runs on a CPU of its own, so that it takes none from the others while it waits.
        """
        await self._alive.wait(EVERY_BIT, 0)
        for cpu in self.cpus:
            await cpu.interrupts.ready.wait(1, 0)
            await cpu.nmis.ready.wait(1, 0)
        for tracer in self.tracers:
            await tracer.inbox.send(Stop())
