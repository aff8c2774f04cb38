"""perf's reader, which puts callchains to samples (tools/perf/util/session.c; M:54511368486).

Here the tracer is an actor whose records go through a buffer to a reader of its own, as perf's do.
"""

from dataclasses import dataclass, replace
from typing import Self

from stackweave.actors import Agenda
from stackweave.actors.events import Delivered
from stackweave.core import Monitor, Program, violate
from stackweave.core.events import CallbackBegin
from stackweave.core.monitors.specification import sliced
from stackweave.wire.messages import Exit, Interrupt, SystemCall

from .machine import emulator
from .parameters import Parameters
from .sizes import sizes


def perf_backward(parameters: Parameters) -> Program:
    """A sample of a system call, and one of an interrupt, perhaps after the first one's callback.

    The second request then returns 1: its callchain is in a record that the reader has had.
    """
    size = sizes(parameters)
    agenda = Agenda(
        tasks=[[*[SystemCall(0)] * size.syscalls, Exit()] for _ in range(size.tasks)],
        interrupts=[[Interrupt(0, resched=False)]],
    )
    program = emulator("perf-backward", size, agenda).program
    program.monitors += [
        unmerged(task, tracer) for task in range(size.tasks) for tracer in range(size.tracers)
    ]
    return program


@dataclass(frozen=True, slots=True)
class Unmerged:
    """`unmerged`: a reader hands on a sample without its callchain, though a callback brought one.

    That there was no callback is `lost`, and no reader can help it.
    """

    called: frozenset[int] = frozenset()
    """Cookies of the callbacks."""

    def after(self, event: object) -> Self:
        match event:
            case CallbackBegin(cookie=cookie):
                return replace(self, called=self.called | {cookie})
            case Delivered(cookie=cookie, merged=False) if cookie in self.called:
                violate("unmerged", f"a sample without the callchain of its cookie {cookie:#x}")
        return self


def unmerged(task: int, tracer: int) -> Monitor:
    """Every sample gets the callchain that there is for it."""
    return sliced("unmerged", Unmerged(), CallbackBegin, Delivered, task=task, tracer=tracer)
