"""Two CPUs in a SimPy model: the host owns the clock, and every operation takes its time.

Each CPU of the emulator is a SimPy process that lets what may move there perform one operation, and is then busy
for as long as that takes. Users and devices are processes too: they put system calls, interrupts and NMIs into
mailboxes. There is no event loop, and nothing waits for real: the interpreter does what its host asks it to.
"""

from collections.abc import Generator
from random import Random
from statistics import median
from typing import Final, TypeAlias, TypeVar

import simpy

from stackweave.actors import Emulator
from stackweave.actors.events import Delivered
from stackweave.core import Context, Interpreter, Kind, Mailbox, State
from stackweave.core.events import CallbackBegin, RequestEnd
from stackweave.wire.messages import Exit, Interrupt, Nmi, SystemCall

NANOSECONDS: Final = {
    Kind.LOAD: 1,
    Kind.STORE: 1,
    Kind.FENCE: 1,
    Kind.ENTER_ASSERTED: 500,
    Kind.ENTER_PENDING: 500,
    Kind.LEAVE: 200,
    Kind.SEND: 100,
    Kind.TRY_SEND: 100,
    Kind.RECEIVE: 100,
    Kind.SLEEP: 1000,
    Kind.SCHEDULE: 1000,
}
ATOMIC: Final = 20
"""Of everything else."""

CPUS: Final = 2
CALLS: Final = 40
"""System calls of each task."""
CALL_GAP: Final = 15_000
TICK_GAP: Final = 20_000
NMI_GAP: Final = 12_000

Process: TypeAlias = Generator[simpy.Event, object, None]
Letter = TypeVar("Letter")


class Machine:
    """An emulator, and the simulated time that its CPUs have been busy for."""

    def __init__(self, environment: simpy.Environment, emulator: Emulator) -> None:
        self.environment = environment
        self.interpreter = Interpreter(emulator.program)
        self.busy = [0] * emulator.program.cpus
        self.latencies: list[int] = []
        """From the end of a request to the callback it asked for, in nanoseconds."""
        self.delivered = 0
        self.merged = 0
        self._happened = environment.event()
        self._seen = 0
        self._asked: dict[tuple[int, int], int] = {}
        running = [
            environment.process(self._run(number)) for number in range(emulator.program.cpus)
        ]
        self.ended = environment.all_of(running)

    def send(self, mailbox: Mailbox[Letter], message: Letter) -> Process:
        """Put a message into a mailbox, as soon as there is room."""
        while not self.interpreter.has_room(mailbox):
            yield self._happened
        self.interpreter.inject(mailbox, message)
        self._tell()

    def _run(self, number: int) -> Process:
        """One CPU: it performs an operation, or waits until something has happened elsewhere."""
        while not self.interpreter.finished:
            context = self._next(number)
            if context is None:
                yield self._happened
                continue
            # a context that comes to a CPU pays for that, and not yet for the operation that it awaits
            arrives = context.state in (State.RUNNABLE, State.SLEEPING)
            kind = Kind.SCHEDULE if arrives else Kind(context.pending[0] & ~3)
            self.interpreter.step(context)
            self._look()
            self._tell()
            nanoseconds = NANOSECONDS.get(kind, ATOMIC)
            self.busy[number] += nanoseconds
            yield self.environment.timeout(nanoseconds)

    def _next(self, number: int) -> Context | None:
        """What moves on a CPU: an NMI before an interrupt, and that before a task."""
        here = [
            context
            for context in self.interpreter.enabled()
            if self.interpreter.cpus_of(context)[0] == number
        ]
        return max(here, key=lambda context: context.level, default=None)

    def _tell(self) -> None:
        happened, self._happened = self._happened, self.environment.event()
        happened.succeed()

    def _look(self) -> None:
        """Note the time of what was emitted."""
        events = self.interpreter.events
        now = int(self.environment.now)
        for event in (occurrence.event for occurrence in events[self._seen :]):
            match event:
                case RequestEnd(granted=True):
                    self._asked.setdefault((event.tracer, event.cookie), now)
                case CallbackBegin() if (event.tracer, event.cookie) in self._asked:
                    self.latencies.append(now - self._asked.pop((event.tracer, event.cookie)))
                case Delivered():
                    self.delivered += 1
                    self.merged += event.merged
        self._seen = len(events)


def user(machine: Machine, mailbox: Mailbox[SystemCall | Exit], random: Random) -> Process:
    """A task's work: it thinks, makes a system call, and exits in the end."""
    for _ in range(CALLS):
        yield machine.environment.timeout(random.randrange(1, 2 * CALL_GAP))
        yield from machine.send(mailbox, SystemCall(random.randrange(2)))
    yield from machine.send(mailbox, Exit())


def device(machine: Machine, mailbox: Mailbox[Letter], message: Letter, gap: int) -> Process:
    """A timer or a performance counter: it fires at equal gaps, and what finds no room is lost."""
    while not machine.ended.triggered:
        yield machine.environment.timeout(gap)
        if machine.interpreter.has_room(mailbox):
            yield from machine.send(mailbox, message)


def simulate(seed: int) -> Machine:
    """One simulated run, until every task has exited and all that waits has been read."""
    environment = simpy.Environment()
    emulator = Emulator("simpy", cpus=CPUS, tasks=3, tracers=2)
    machine = Machine(environment, emulator)
    for number, task in enumerate(emulator.tasks):
        environment.process(user(machine, task.inbox, Random(seed + number)))
    for cpu in emulator.cpus:
        environment.process(device(machine, cpu.interrupts, Interrupt(0, resched=True), TICK_GAP))
        environment.process(device(machine, cpu.nmis, Nmi(1), NMI_GAP))
    environment.run(until=machine.ended)
    return machine


def main() -> None:
    """Run it and say what was seen."""
    machine = simulate(seed=3)
    outcome = machine.interpreter.finish()
    now = int(machine.environment.now)
    print(f"{now:,} ns, {outcome.operations:,} operations")
    for number in range(CPUS):
        print(f"cpu{number} was busy for {machine.busy[number] / now:.1%}")
    print(f"{machine.delivered} samples, {machine.merged} stitched to a deferred stack")
    latencies = machine.latencies
    print(f"from request to callback {median(latencies):,.0f} ns, at most {max(latencies):,} ns")
    for violation in outcome.violations:
        print(f"broken: {violation.signature}: {violation.explanation}")
    # a CPU that has just ended is busy for a little longer
    assert all(busy <= now + max(NANOSECONDS.values()) for busy in machine.busy)
    assert 0 < machine.merged <= machine.delivered
    assert machine.interpreter.finished


if __name__ == "__main__":
    main()
