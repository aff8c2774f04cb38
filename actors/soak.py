"""The work of a live run of an emulator: what time brings to its mailboxes, and when it is enough.

Tasks are given system calls, CPUs interrupts and NMIs, and the last tracer leaves and comes back; every source
at its own pace. The gaps are in operations, of a machine with two CPUs and two tasks; they grow with it, since
operations are shared among CPUs. Tasks are kept busy, every few system calls one is interrupted, and the tracer is
away half of the time.
"""

from typing import Final

from stackweave.core.events import KernelExit
from stackweave.wire.messages import Cancel, Exit, Interrupt, Nmi, Register, SystemCall

from .emulator import Emulator
from .listener import Listener
from .live import Live
from .timetable import Arrival, Source

SYSTEM_CALL_GAP: Final = 100
INTERRUPT_GAP: Final = 400
NMI_GAP: Final = 300
CHURN_GAP: Final = 3000


def sources(emulator: Emulator) -> list[Source]:
    """What time brings."""
    events = range(len(emulator.tracers)) or range(-1, 0)
    cpus, tasks = len(emulator.cpus), len(emulator.tasks)
    call_gap = SYSTEM_CALL_GAP * max(cpus, tasks) // 2
    made = [
        Source(task.inbox, [SystemCall(event) for event in _from(events, number)], call_gap)
        for number, task in enumerate(emulator.tasks)
    ]
    for number, cpu in enumerate(emulator.cpus):
        ticks = [Interrupt(event, resched=True) for event in _from(events, number + 1)]
        strikes = [Nmi(event) for event in _from(events, number + 2)]
        made.append(Source(cpu.interrupts, ticks, INTERRUPT_GAP * cpus // 2))
        made.append(Source(cpu.nmis, strikes, NMI_GAP * cpus // 2))
    if emulator.tracers:
        made.append(Source(emulator.tracers[-1].inbox, [Cancel(), Register()], CHURN_GAP))
    return made


def _from(events: range, first: int) -> list[int]:
    """All of them in turn, each source beginning with another one."""
    return [events[(first + each) % len(events)] for each in range(len(events))]


def farewell(emulator: Emulator) -> list[Arrival]:
    """What ends the program: every task exits, and the supervisor ends the rest."""
    return [Arrival(task.inbox, Exit()) for task in emulator.tasks]


class Entries(Listener):
    """Counts the kernel entries of a live run, each at its end, and stops it after so many; give it as `watch`."""

    def __init__(self, enough: int | None = None) -> None:
        super().__init__(self._count)
        self.count = 0
        self._enough = enough

    def __call__(self, live: Live) -> None:
        super().__call__(live)
        if self._enough is not None and self.count >= self._enough:
            live.stop()

    def _count(self, event: object) -> None:
        self.count += type(event) is KernelExit
