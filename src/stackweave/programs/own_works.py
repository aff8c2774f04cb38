"""What generation `per_work` makes of a work that belongs to a tracer and not to a task, and of its cookie.

The first request of an entry is always given cookie 0 there. Programs that are about something else make the
cookie before they ask, as the work of another tracer does, so that an execution shows one defect and not two.
"""

from typing import Final

from stackweave.actors import TASK_WEIGHT
from stackweave.core import Program, Struct, Word, check, local_irq_save, pause, schedule
from stackweave.core.kernel.entry import Handler
from stackweave.core.kernel.generation import Caller
from stackweave.core.kernel.per_work import COUNT_BITS, PerWork
from stackweave.core.kernel.structs import EEXIST, MODE_MASK, PF_EXITING, Mode, Task
from stackweave.core.kernel.unwind_user import Faults
from stackweave.core.operations import barrier

from .parameters import Parameters
from .sizes import sizes
from .stage import Stage, asks, each

_GENERATION: Final = "per_work"


def first_cookie(parameters: Parameters) -> Program:
    """The first request of an entry makes the cookie, and is given the 0 that was there before."""
    stage = Stage("first-cookie", sizes(parameters, generation=_GENERATION))
    stage.system.start_all_registered()
    stage.task(0, asks(stage, 0))
    return stage.finish()


def cookie_wraps(parameters: Parameters) -> Program:
    """The count of CPU 0 comes round: the cookie is 0, which means that there is none yet."""
    stage = Stage("cookie-wraps", sizes(parameters, generation=_GENERATION))
    stage.system.start_all_registered()
    last = (1 << COUNT_BITS) - 1
    stage.program.layout.initialise(stage.system.deferral.unwind_ctx_ctr[0], last)
    stage.task(0, each(_has_cookie(stage), asks(stage, 0)))
    return stage.finish()


def no_entries(parameters: Parameters) -> Program:
    """The array of entries may not be had: the callback is given a trace that nobody initialised."""
    stage = Stage("no-entries", sizes(parameters, generation=_GENERATION), faults=Faults.ALLOCATION)
    stage.system.start_all_registered()
    stage.task(0, each(_has_cookie(stage), asks(stage, 0)))
    return stage.finish()


def shared_work(parameters: Parameters) -> Program:
    """One event of a CPU, two tasks: the first one asks and sleeps, and the second one is refused."""
    stage = Stage("shared-work", sizes(parameters, generation=_GENERATION, tasks=2))
    stage.system.start_all_registered()
    for task in range(stage.user_tasks):
        stage.task(task, each(_has_cookie(stage), asks(stage, 0), _sleeps))
    return stage.finish()


def two_lists(parameters: Parameters) -> Program:
    """Tasks on two CPUs see that one work is not pending: its link then joins their two lists."""
    stage = Stage(
        "two-lists", sizes(parameters, generation=_GENERATION, cpus=2, tasks=2, tracers=2)
    )
    stage.system.start_all_registered()
    cookie, shared = _has_cookie(stage), asks(stage, 0)
    stage.task(0, each(cookie, asks(stage, 1), shared))
    for task in range(1, stage.user_tasks):
        stage.task(task, each(cookie, shared), cpus=(1,))
    return stage.finish()


def interrupt_asks_again(parameters: Parameters) -> Program:
    """An interrupt asks for the tracer that the task has asked for: before, in, or after its callback."""
    stage = Stage("interrupt-asks-again", sizes(parameters, generation=_GENERATION))
    stage.system.start_all_registered()
    stage.task(0, each(_has_cookie(stage), asks(stage, 0)))
    stage.interrupt(0, asks(stage, 0))
    return stage.finish()


class TracerData(Struct):
    """What a tracer's callback writes to, and its owner frees."""

    written: Word


def cancel_frees(parameters: Parameters) -> Program:
    """A tracer's owner cancels it and frees its data, while its function may be about to run."""

    async def deliver(tracer: int, task: Task, cookie: int, nr: int, entries: int) -> None:
        await stage.system.deliver(tracer, task, cookie, nr, entries)
        await data.at(await pointer.load()).written.fetch_add(1)

    async def owner() -> None:
        await pointer.store(await data.alloc())
        await stage.system.init(0)
        task = stage.system.tasks[0]
        while (await task.regs.load() & MODE_MASK) != Mode.KERNEL:
            if await task.flags.load() & PF_EXITING:
                break
            await pause()
        await stage.system.cancel(0)
        await data.free(await pointer.load())

    stage = Stage(
        "cancel-frees", sizes(parameters, generation=_GENERATION, cpus=2), callback=deliver
    )
    data = stage.program.layout.pool("tracer_data", TracerData, 1)
    pointer = stage.program.layout.word("data")
    stage.task(0, each(_has_cookie(stage), asks(stage, 0)))
    stage.system.runs(
        stage.kernel_thread,
        stage.program.task("owner", owner, cpus=(1,), weight=TASK_WEIGHT),
    )
    return stage.finish()


def nmi_falls_back(parameters: Parameters) -> Program:
    """An NMI in schedule(), where interrupts are off, is refused, and has an interrupt ask in its place.

    The interrupt comes when interrupts go on again, and by then the CPU has another task.
    """
    stage = Stage("nmi-falls-back", sizes(parameters, generation=_GENERATION, tasks=2))
    stage.system.start_all_registered()
    meant = stage.program.layout.word("meant")
    scheduling = stage.program.layout.word("scheduling")
    cpu = stage.system.cpus[0]
    ask = stage.system.request

    async def sched_switch(caller: Caller) -> None:
        """__schedule(): the tracer's event is hit while interrupts are off."""
        await local_irq_save()
        await scheduling.store(1)
        await scheduling.store(0)
        await schedule()

    async def sample(caller: Caller) -> None:
        if caller.task is None or caller.nmi_cpu is None or not await scheduling.load():
            return
        returned, _ = await ask(0, caller)
        if returned < 0:
            await meant.store(1 + caller.task.number)
            await caller.nmi_cpu.irq_work.store(1)

    async def fall_back(caller: Caller) -> None:
        await cpu.irq_work.store(0)
        if wanted := await meant.xchg(0):
            found = 0 if caller.task is None else 1 + caller.task.number
            await check(found == wanted, "wrong-task")
            await ask(0, caller)

    async def irq_work() -> None:
        while True:
            await stage.system.entry.interrupt(cpu, fall_back, cpu.irq_work)

    for task in range(stage.user_tasks):
        stage.task(task, sched_switch)
    stage.program.nmi("nmi0", stage.system.entry.nmi, cpu, sample, cpu=0)
    stage.program.interrupt("irq_work0", irq_work, cpu=0, weight=TASK_WEIGHT)
    return stage.finish()


def exit_asks(parameters: Parameters) -> Program:
    """A tracer asks in exit_group(), before do_exit(): the work is run when the user's memory is gone."""
    stage = Stage("exit-asks", sizes(parameters, generation=_GENERATION))
    stage.system.start_all_registered()
    task = stage.system.tasks[0]

    async def exit_group() -> None:
        await stage.system.report_registered()
        await stage.system.entry.enter_from_user_mode(task)
        await each(_has_cookie(stage), *[asks(stage, 0)] * stage.syscalls)(Caller(task))
        await stage.system.life.do_exit(task)

    stage.system.runs(task, stage.program.task("task0", exit_group, cpus=(0,), weight=TASK_WEIGHT))
    return stage.finish()


def asks_in_exit(parameters: Parameters) -> Program:
    """Interrupts ask at any moment of a task's last system call: is one refused that has a cookie?"""
    stage = Stage("asks-in-exit", sizes(parameters, generation=_GENERATION))
    stage.system.start_all_registered()
    task = stage.system.tasks[0]

    async def exit_group() -> None:
        await stage.system.report_registered()
        for _ in range(stage.syscalls - 1):
            await stage.system.entry.syscall(task, each())
        await stage.system.entry.enter_from_user_mode(task)
        await stage.system.life.do_exit(task)
        await barrier()  # exit_thread() and what follows: it is the current task to the end

    async def ask(caller: Caller) -> None:
        await _has_cookie(stage)(caller)
        returned, cookie = await stage.system.request(0, caller)
        failed = returned not in (0, 1, -EEXIST)
        await check(not (failed and cookie), "error-with-cookie")

    stage.system.runs(task, stage.program.task("task0", exit_group, cpus=(0,), weight=TASK_WEIGHT))
    stage.interrupt(0, ask, times=2)
    return stage.finish()


def two_unwinds(parameters: Parameters) -> Program:
    """Two tracers ask in one entry: is the stack unwound for each of them?"""
    stage = Stage("two-unwinds", sizes(parameters, generation=_GENERATION, tracers=2))
    stage.system.start_all_registered()
    stage.task(0, each(_has_cookie(stage), asks(stage, 0), asks(stage, 1)))
    return stage.finish()


def _has_cookie(stage: Stage) -> Handler:
    """The entry's cookie is made, where the request that does so would not get it."""
    generation = stage.system.generation

    async def fire(caller: Caller) -> None:
        if isinstance(generation, PerWork) and caller.task is not None:
            await generation.get_cookie(caller.task)

    return fire


async def _sleeps(caller: Caller) -> None:
    """A system call that gives its CPU up."""
    await schedule()
