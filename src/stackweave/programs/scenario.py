"""The default program: everything at once, as a machine under several tracers has it."""

from stackweave.core import Program
from stackweave.core.kernel.entry import Handler
from stackweave.core.kernel.generation import Caller
from stackweave.core.kernel.unwind_user import Faults

from .parameters import Parameters
from .stage import Stage, asks, reschedule


def scenario(parameters: Parameters) -> Program:
    """Tasks that make system calls and migrate, interrupts and NMIs on every CPU, a tracer that comes and goes.

    Tracer k is asked for by the system calls of tasks, the interrupts and the NMIs whose turn it is. The last
    tracer leaves and comes back while its sources still fire. Reading a user stack may sleep or fail.
    """
    stage = Stage(
        "default",
        parameters,
        cpus=2,
        tasks=2,
        tracers=3,
        syscalls=2,
        faults=Faults.MEMORY,
    )
    stage.system.start_registered(stage.first_bits())
    everywhere = range(len(stage.system.cpus))
    last = stage.tracers - 1
    for task in range(stage.user_tasks):
        stage.task(task, asks(stage, task % stage.tracers), cpus=everywhere)
    for cpu in everywhere:
        stage.interrupt(cpu, _interrupt(stage, (cpu + 1) % stage.tracers), times=2)
        stage.nmi(cpu, asks(stage, (last - cpu) % stage.tracers), times=2)
    stage.churn(last, (last,), cpus=everywhere)
    return stage.finish()


def _interrupt(stage: Stage, tracer: int) -> Handler:
    ask = asks(stage, tracer)

    async def tick(caller: Caller) -> None:
        await ask(caller)
        await reschedule(caller)

    return tick
