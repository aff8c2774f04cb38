"""Between an entry and the next: what happens on the way out, to the stack, and to the cookie.

The numbers are those of the list of upstream's open bugs in the project's kernel reference.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from stackweave.core import Program
from stackweave.core.kernel.generation import Caller
from stackweave.core.kernel.structs import Task
from stackweave.core.kernel.system import requests
from stackweave.core.kernel.unwind_user import Faults

from .parameters import Parameters
from .sizes import sizes
from .stage import Stage, asks

_REPEATING: Final = 1 << 31
"""Contexts of a CPU after which its 32-bit counter, which counts by two, is where it was."""


def irq_on_event_asks(parameters: Parameters) -> Program:
    """9: the event of interrupts going on, the last on the way out, asks: since cf76553aaa36 after the reset."""
    stage = Stage("irq-on-event-asks", sizes(parameters))
    stage.system.start_all_registered()
    stage.system.entry.exit_events(irq_on=requests(stage.system, 0, outside=False))
    stage.task(0, asks(stage, 0))
    return stage.finish()


def next_cookie(parameters: Parameters) -> Program:
    """7: an NMI asks inside the reset, and an interrupt of the next entry asks before the callback: that one's
    cookie is what the callback brings."""
    stage = Stage("next-cookie", sizes(parameters, tracers=2))
    stage.system.start_all_registered()
    stage.task(0, asks(stage, 0))
    stage.nmi(0, asks(stage, 1))
    stage.interrupt(0, asks(stage, 0))
    return stage.finish()


def nmi_cannot_add(parameters: Parameters) -> Program:
    """10: without irq_work an NMI's task work cannot be added, and 0 is written to the mask: all bits go."""
    stage = Stage("nmi-cannot-add", sizes(parameters, flavour="no-irq-work", tracers=2, syscalls=2))
    stage.system.start_all_registered()
    stage.task(0, asks(stage, 0))
    stage.nmi(0, asks(stage, 1))
    return stage.finish()


def exec_after_request(parameters: Parameters) -> Program:
    """11: a task asks and then executes another program: the trace is of the new image."""
    stage = Stage("exec-after-request", sizes(parameters))
    return _asks_and_leaves_its_stack(stage, stage.system.life.exec)


def sigreturn_after_request(parameters: Parameters) -> Program:
    """11: a task asks in rt_sigreturn(), and the stack becomes that of the interrupted code."""
    stage = Stage("sigreturn-after-request", sizes(parameters))
    return _asks_and_leaves_its_stack(stage, stage.system.life.sigreturn)


def _asks_and_leaves_its_stack(
    stage: Stage, way: Callable[[Task, int], Awaitable[None]]
) -> Program:
    """A system call asks and then goes its way, which gives the task another stack."""
    stage.system.start_all_registered()

    async def call(caller: Caller) -> None:
        await asks(stage, 0)(caller)
        if caller.task is not None:
            await way(caller.task, caller.task.stacks[-1])

    stage.task(0, call)
    return stage.finish()


def user_worker_asks(parameters: Parameters) -> Program:
    """12: a user worker is asked about: it has no user stack, and never returns to user mode."""
    stage = Stage("user-worker-asks", sizes(parameters, tasks=2))
    stage.system.start_all_registered()
    worker = stage.system.tasks[1]

    async def io_uring_setup(caller: Caller) -> None:
        await stage.system.life.create_io_thread(worker)

    async def work() -> None:
        await asks(stage, 0)(Caller(worker))
        await stage.system.life.do_exit(worker)

    stage.task(0, io_uring_setup)
    stage.system.runs(worker, stage.program.task("worker", work, cpus=(0,), live=False))
    return stage.finish()


def cookie_repeats(parameters: Parameters) -> Program:
    """The CPU's counter comes round between two requests of one task, as after 2^31 other contexts."""
    stage = Stage("cookie-repeats", sizes(parameters))
    stage.system.start_all_registered()

    async def meanwhile(caller: Caller) -> None:
        await stage.system.deferral.unwind_ctx_ctr[0].fetch_add(2 * (_REPEATING - 1))

    stage.task(0, asks(stage, 0), meanwhile, asks(stage, 0))
    return stage.finish()


def callback_cancels(parameters: Parameters) -> Program:
    """13: a tracer cancels itself in its callback, inside the section that the cancel waits for."""

    async def deliver_and_leave(
        tracer: int, task: Task, cookie: int, nr: int, entries: int
    ) -> None:
        await stage.system.deliver(tracer, task, cookie, nr, entries)
        await stage.system.cancel(tracer)

    stage = Stage("callback-cancels", sizes(parameters), callback=deliver_and_leave)
    stage.system.start_all_registered()
    stage.task(0, asks(stage, 0))
    return stage.finish()


def no_cache(parameters: Parameters) -> Program:
    """Two tracers, as in `spurious-callback`, and the cache that should remember who was called may not be had."""
    stage = Stage(
        "no-cache", sizes(parameters, generation="completed", tracers=2), faults=Faults.ALLOCATION
    )
    stage.system.start_all_registered()
    stage.task(0, asks(stage, 0))
    stage.interrupt(0, asks(stage, 1))
    return stage.finish()
