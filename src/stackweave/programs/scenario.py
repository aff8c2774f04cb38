"""The default program: everything at once, as a machine under several tracers has it."""

from stackweave.actors import Agenda
from stackweave.core import Program
from stackweave.wire.messages import Cancel, Exit, Interrupt, Nmi, Register, SystemCall

from .machine import emulator
from .parameters import Parameters
from .sizes import sizes


def scenario(parameters: Parameters) -> Program:
    """Tasks that make system calls and migrate, interrupts and NMIs on every CPU, a tracer that comes and goes.

    The events of tracer k are hit by the system calls of tasks, the interrupts and the NMIs whose turn it is. The
    last tracer leaves and comes back while its sources still fire. Reading a user stack may sleep or fail.
    Each tracer reads its records and stitches them; what finds no room in its buffer is lost.
    """
    size = sizes(parameters, generation="upstream", cpus=2, tasks=2, tracers=3, syscalls=2)
    last = size.tracers - 1
    agenda = Agenda(
        tasks=[
            [*(SystemCall(task % size.tracers) for _ in range(size.syscalls)), Exit()]
            for task in range(size.tasks)
        ],
        interrupts=[
            [Interrupt((cpu + 1) % size.tracers, resched=True)] * 2 for cpu in range(size.cpus)
        ],
        nmis=[[Nmi((last - cpu) % size.tracers)] * 2 for cpu in range(size.cpus)],
        tracers=[*([] for _ in range(last)), [Cancel(), Register()]],
    )
    return emulator("default", size, agenda).program
