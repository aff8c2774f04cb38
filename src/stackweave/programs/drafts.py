"""What the withdrawn drafts of the mask do, and merged generations do not."""

from stackweave.actors import TASK_WEIGHT
from stackweave.core import Program
from stackweave.core.kernel.generation import Caller
from stackweave.core.kernel.structs import MODE_MASK, Mode, Task

from .parameters import Parameters
from .sizes import sizes
from .stage import Stage, a_few_times, asks


def alternation(parameters: Parameters) -> Program:
    """Two tracers: one asks at the event of the exit loop, and what its callback does is an event of the other.

    Whoever asks takes the place of the one who was served, so each finds that it has not been called yet.
    """

    async def deliver(tracer: int, task: Task, cookie: int, nr: int, entries: int) -> None:
        await stage.system.deliver(tracer, task, cookie, nr, entries)
        if tracer == 0:
            await a_few_times(stage, 1)(Caller(task))

    stage = Stage(
        "alternation", sizes(parameters, generation="bitmask_v12", tracers=2), callback=deliver
    )
    stage.system.start_all_registered()
    stage.system.entry.exit_events(irq_off=a_few_times(stage, 0))
    stage.task(0, asks(stage, 0))
    return stage.finish()


def spoilt_swap(parameters: Parameters) -> Program:
    """A cancel takes a bit away between a request's look at the mask and its swap, which fails for that.

    The request takes it that an NMI has set PENDING, and only adds its bit.
    """
    stage = Stage("spoilt-swap", sizes(parameters, generation="bitmask_v12", cpus=2, tracers=2))
    stage.system.start_all_registered()
    served = stage.system.tracers[1].records

    async def after_the_other(caller: Caller) -> None:
        if await served.load():
            await a_few_times(stage, 0)(caller)

    stage.system.entry.exit_events(irq_off=after_the_other)
    stage.task(0, asks(stage, 1))
    stage.churn(1, (), cpus=(1,), weight=2 * TASK_WEIGHT, once=(served, 1, 1))
    return stage.finish()


def registers_again(parameters: Parameters) -> Program:
    """A tracer leaves and comes back, and one of its sources, which had looked before, asks in between.

    A registration clears the work before it takes a bit: what the request reads then is bit 0, and in the drafts
    that is another tracer's.
    """
    stage = Stage("registers-again", sizes(parameters, generation="bitmask_v12", cpus=2, tracers=2))
    stage.system.start_all_registered()
    stage.task(0, asks(stage, 1))
    in_kernel = (stage.system.tasks[0].regs, MODE_MASK, Mode.KERNEL)
    stage.churn(1, (1,), cpus=(1,), weight=8 * TASK_WEIGHT, once=in_kernel)
    return stage.finish()
