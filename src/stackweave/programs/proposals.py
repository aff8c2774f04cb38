"""Unwinding a task that sleeps, as the review of `per_work` proposed it: by the next task, or by itself later."""

from stackweave.actors import TASK_WEIGHT
from stackweave.core import RELEASE, Program, Word, check, pause, schedule, smp_processor_id
from stackweave.core.kernel.entry import Handler
from stackweave.core.kernel.generation import Caller
from stackweave.core.kernel.structs import Task, stack_of
from stackweave.core.operations import set_cpus_allowed, sleep_until

from .parameters import Parameters
from .sizes import sizes
from .stage import Stage

_HOME, _OTHER = 0, 1
"""The CPU that a task is switched out on, and the one that runs it on."""


def next_unwinds(parameters: Parameters) -> Program:
    """The next task unwinds the one before it, whose on_cpu has been released."""
    stage = Stage("next-unwinds", sizes(parameters, cpus=2))
    on_cpu = stage.program.layout.word("on_cpu")
    stage.task(0, _switches(stage, on_cpu))
    _finishes(stage, on_cpu, unwinds=True)
    return stage.finish()


def prev_unwinds(parameters: Parameters) -> Program:
    """A task unwinds itself when it is back on a CPU."""
    stage = Stage("prev-unwinds", sizes(parameters, cpus=2))
    on_cpu = stage.program.layout.word("on_cpu")
    switches = _switches(stage, on_cpu)

    async def call(caller: Caller) -> None:
        await switches(caller)
        if caller.task is not None:
            await _unwind(stage, caller.task)

    stage.task(0, call)
    _finishes(stage, on_cpu, unwinds=False)
    return stage.finish()


def _switches(stage: Stage, on_cpu: Word) -> Handler:
    """A system call in which task 0 is switched out, and woken up on another CPU."""

    async def call(caller: Caller) -> None:
        if await smp_processor_id() != _HOME:
            return
        await set_cpus_allowed(prev, 1 << _OTHER)
        await on_cpu.store(1)
        await schedule()
        while await on_cpu.load():  # try_to_wake_up()
            await pause()

    prev = len(stage.program.contexts)
    return call


def _finishes(stage: Stage, on_cpu: Word, *, unwinds: bool) -> None:
    """The next task on that CPU, from finish_task() on."""

    async def live() -> None:
        await sleep_until(on_cpu.address, 1, 1)
        await on_cpu.store(0, RELEASE)
        if unwinds:
            await _unwind(stage, stage.system.tasks[0])

    context = stage.program.task("next", live, cpus=(_HOME,), weight=TASK_WEIGHT)
    stage.system.runs(stage.kernel_thread, context)


async def _unwind(stage: Stage, task: Task) -> None:
    """The program counter, then what the stack's memory holds, as it is by then."""
    counters = stage.system.deferral.unwind_user.program_counters
    first = counters(2 * stack_of(await task.regs.load()))
    then = counters(2 * stack_of(await task.regs.load()))
    await check(first[:1] + then[1:] == first, "torn-trace")
