"""What comes of one list of tracers, one mutex and one pending flag a task: generation `mutex_list`."""

from typing import Final

from stackweave.core import Program
from stackweave.core.kernel.system import requests

from .parameters import Parameters
from .sizes import sizes
from .stage import Stage, a_few_times, asks

_GENERATION: Final = "mutex_list"


def everybody_is_called(parameters: Parameters) -> Program:
    """Two tracers, and one of them asks."""
    stage = Stage("everybody-is-called", sizes(parameters, generation=_GENERATION, tracers=2))
    stage.system.start_all_registered()
    stage.task(0, asks(stage, 0))
    return stage.finish()


def contended_mutex(parameters: Parameters) -> Program:
    """Two tasks on two CPUs go back to user mode, and their task works walk the list."""
    stage = Stage("contended-mutex", sizes(parameters, generation=_GENERATION, cpus=2, tasks=2))
    stage.system.start_all_registered()
    for task in range(stage.user_tasks):
        stage.task(task, asks(stage, 0), cpus=(task % stage.program.cpus,))
    return stage.finish()


def exit_event_asks(parameters: Parameters) -> Program:
    """The event of interrupts going off, inside the exit loop, asks each time."""
    stage = Stage("exit-event-asks", sizes(parameters, generation=_GENERATION))
    stage.system.start_all_registered()
    stage.system.entry.exit_events(irq_off=a_few_times(stage, 0))
    stage.task(0, asks(stage, 0))
    return stage.finish()


def exit_window(parameters: Parameters) -> Program:
    """One tracer asks at the last event of each way out, between exit loop and reset; another in system calls."""
    stage = Stage("exit-window", sizes(parameters, generation=_GENERATION, tracers=2, syscalls=2))
    stage.system.start_all_registered()
    stage.system.entry.exit_events(irq_on=requests(stage.system, 1, outside=False))
    stage.task(0, asks(stage, 0))
    return stage.finish()
