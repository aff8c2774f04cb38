"""perf as a user of deferred unwinding (kernel/events/core.c @ c69993ecdd4d).

perf registers one work at boot. Its one callback gives the record to every session of the current task, and of the
CPU that it runs on, whoever asked (perf_iterate_sb()). Here a session is a tracer by number, so that the monitors
tell them apart; all of them ask with the work of tracer 0, and a session that is attached is `enabled`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from stackweave.core import Program, local_irq_restore, local_irq_save, schedule, smp_processor_id
from stackweave.core.kernel.generation import Caller
from stackweave.core.kernel.structs import Task

from .parameters import Parameters
from .sizes import sizes
from .stage import Stage, asks, each


@dataclass(frozen=True, slots=True)
class _Session:
    """An event with deferred call chains: of task 0, or of a CPU and whoever runs there."""

    cpu: int | None = None


_OF_TASK = _Session()


def perf_everybody(parameters: Parameters) -> Program:
    """Two sessions of one task, and one of them asks."""
    stage = _stage("perf-everybody", parameters, (_OF_TASK, _OF_TASK))
    stage.task(0, asks(stage, 0))
    return stage.finish()


def perf_last_record(parameters: Parameters) -> Program:
    """A session of a task that is sampled, perhaps in its last system call: its events go before its records."""
    stage = _stage("perf-last-record", parameters, (_OF_TASK,))
    stage.task(0)
    stage.interrupt(0, asks(stage, 0), times=stage.syscalls)
    return stage.finish()


def perf_migration(parameters: Parameters) -> Program:
    """A session of each CPU; a task is sampled on one, and goes back to user mode on the other."""
    stage = _stage("perf-migration", parameters, (_Session(0), _Session(1)), cpus=2)

    async def sample(caller: Caller) -> None:
        flags = await local_irq_save()
        cpu = await smp_processor_id()
        await asks(stage, cpu)(caller)
        await local_irq_restore(flags)

    async def move(caller: Caller) -> None:
        await schedule()

    stage.task(0, each(sample, move), cpus=(0, 1))
    return stage.finish()


def _stage(name: str, parameters: Parameters, sessions: Sequence[_Session], cpus: int = 1) -> Stage:
    """A kernel with perf's work registered, and these sessions attached."""

    async def event_deferred(
        task_work: int, task: Task, cookie: int, nr: int, entries: int
    ) -> None:
        cpu = await smp_processor_id()
        for number, session in enumerate(sessions):
            attached = await stage.system.tracers[number].enabled.load()
            if attached and session.cpu in (None, cpu):
                await stage.system.deliver(number, task, cookie, nr, entries)

    async def perf_event_exit_task(task: Task) -> None:
        for number, session in enumerate(sessions):
            if session.cpu is None:
                await stage.system.tracers[number].enabled.store(0)

    stage = Stage(
        name,
        sizes(parameters, cpus=cpus, tracers=len(sessions)),
        callback=event_deferred,
        detach=perf_event_exit_task,
    )
    system = stage.system
    system.start_registered([(0, system.first_bit)])
    for tracer in system.tracers[: len(sessions)]:
        tracer.work = system.tracers[0].work
        stage.program.layout.initialise(tracer.enabled, 1)
    return stage
