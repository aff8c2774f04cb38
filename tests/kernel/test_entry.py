"""Ways into the kernel and out: rounds of the exit loop, rescheduling, interrupts and NMIs from user mode."""

from stackweave.core import Outcome, Verdict
from stackweave.core.events import (
    CallbackBegin,
    ExitRound,
    KernelEntry,
    KernelExit,
    RequestEnd,
    UnwindReset,
)
from stackweave.core.kernel.generation import Caller
from stackweave.core.kernel.structs import (
    TIF_NEED_RESCHED,
    TIF_NOTIFY_RESUME,
    Mode,
    mode_of,
    stack_of,
)

from .support import Kernel, events, everywhere, notes, saw

VISIT = (KernelEntry, RequestEnd, ExitRound, CallbackBegin, UnwindReset, KernelExit)


def _kinds(outcome: Outcome) -> list[str]:
    return [type(each.event).__name__ for each in outcome.events if isinstance(each.event, VISIT)]


def _calling(kernel: Kernel, number: int = 0, count: int = 1, asks: bool = True) -> None:
    """A task that makes system calls, in each of which a tracer asks."""
    system = kernel.system
    task = system.tasks[number]

    async def handler(caller: Caller) -> None:
        await saw("mode", mode_of(await task.regs.load()))
        if asks:
            await system.request(0, caller)

    async def body() -> None:
        for _ in range(count):
            await system.entry.syscall(task, handler)
            await saw("mode", mode_of(await task.regs.load()))
            await saw("stack", stack_of(await task.regs.load()))

    kernel.task(number, body)


def test_a_visit() -> None:
    kernel = Kernel(tracers=1, stacks=3)
    _calling(kernel, count=3)
    outcome = kernel.run()
    visit = [kind.__name__ for kind in VISIT]
    assert _kinds(outcome) == visit * 3
    assert notes(outcome, "mode") == [Mode.KERNEL, Mode.USER] * 3
    # the user's code has run on: the next captured stack, over and over
    assert notes(outcome, "stack") == [1, 2, 0]
    assert [each.stack for each in events(outcome, KernelEntry)] == [1, 2, 0]
    assert [each.trace for each in events(outcome, CallbackBegin)] == [
        (100 + stack, 200 + stack) for stack in (1, 2, 0)
    ]


def test_without_work_there_is_no_round() -> None:
    kernel = Kernel()
    _calling(kernel, asks=False)
    assert _kinds(kernel.run()) == ["KernelEntry", "KernelExit"]


def test_a_round_for_each_time_that_the_flag_is_set() -> None:
    kernel = Kernel()
    system = kernel.system
    task = system.tasks[0]

    async def handler(caller: Caller) -> None:
        await task.thread_flags.fetch_or(TIF_NOTIFY_RESUME)

    async def body() -> None:
        await system.entry.syscall(task, handler)
        await saw("flags", await task.thread_flags.load())

    kernel.task(0, body)
    outcome = kernel.run()
    assert _kinds(outcome) == ["KernelEntry", "ExitRound", "KernelExit"]
    assert notes(outcome, "flags") == [0]


def test_a_task_that_should_reschedule_gives_up_its_cpu() -> None:
    kernel = Kernel(tasks=2)
    system = kernel.system
    first, second = system.tasks

    async def handler(caller: Caller) -> None:
        await first.thread_flags.fetch_or(TIF_NEED_RESCHED)
        await saw("order", "asked")

    async def body() -> None:
        await system.entry.syscall(first, handler)
        await saw("order", "back")
        await saw("flags", await first.thread_flags.load())

    async def other() -> None:
        await second.regs.load()
        await saw("order", "other")

    kernel.task(0, body)
    kernel.task(1, other)
    orders = set()
    for outcome in kernel.runs(40):
        orders.add(tuple(notes(outcome, "order")))
        assert notes(outcome, "flags") == [0]
    # never between without being asked to: the CPU is given up in the exit loop alone
    assert orders == {
        ("asked", "other", "back"),
        ("asked", "back", "other"),
        ("other", "asked", "back"),
    }


def _interrupted(kernel: Kernel, from_nmi: bool, asks: bool = True) -> None:
    system = kernel.system
    cpu = system.cpus[0]

    async def ask(caller: Caller) -> None:
        await saw("caller", (caller.task is not None, caller.nmi_cpu is not None))
        if asks:
            await system.request(1, caller)

    async def come() -> None:
        if from_nmi:
            await system.entry.nmi(cpu, ask)
        else:
            await system.entry.interrupt(cpu, ask)

    if from_nmi:
        kernel.nmi(come)
        return
    kernel.program.interrupt("irq", come, cpu=0)


def _everywhere(kernel: Kernel, other: str) -> list[Outcome]:
    _calling(kernel, count=2, asks=False)
    return list(everywhere(kernel.program, "task0", other))


def test_an_interrupt_from_user_mode_is_a_visit_of_its_own() -> None:
    kernel = Kernel(stacks=2)
    _interrupted(kernel, from_nmi=False)
    visits = set()
    for outcome in _everywhere(kernel, "irq"):
        visits.add(tuple(_kinds(outcome)))
        entries, exits = len(events(outcome, KernelEntry)), len(events(outcome, KernelExit))
        assert entries == exits or entries == exits + 1
    alone = ("KernelEntry", "RequestEnd", "ExitRound", "CallbackBegin", "UnwindReset", "KernelExit")
    plain = ("KernelEntry", "KernelExit")
    assert plain + alone + plain in visits
    assert ("KernelEntry", *alone[1:], *plain) in visits


def test_an_nmi_from_user_mode_returns_there_at_once() -> None:
    kernel = Kernel()
    _interrupted(kernel, from_nmi=True, asks=False)
    kinds = {tuple(_kinds(outcome)) for outcome in _everywhere(kernel, "nmi")}
    plain = ("KernelEntry", "KernelExit")
    assert kinds == {plain * 2, plain * 3}


def test_an_nmi_from_user_mode_that_asks_makes_an_interrupt_visit() -> None:
    kernel = Kernel()
    _interrupted(kernel, from_nmi=True)
    found = False
    for outcome in _everywhere(kernel, "nmi"):
        assert outcome.verdict is Verdict.CLEAN
        kinds = _kinds(outcome)
        own = ["KernelEntry", "RequestEnd", "ExitRound", "CallbackBegin", "UnwindReset"]
        found = found or kinds[2:8] == [*own, "KernelExit"]
        asked = [each.returned for each in events(outcome, RequestEnd)]
        assert asked in ([0], [])
    assert found


def test_whoever_comes_finds_the_current_task_or_none() -> None:
    for from_nmi in (False, True):
        kernel = Kernel()
        _interrupted(kernel, from_nmi, asks=False)
        seen = {
            caller
            for outcome in _everywhere(kernel, "nmi" if from_nmi else "irq")
            for caller in notes(outcome, "caller")
        }
        assert seen == {(True, from_nmi), (False, from_nmi)}


def test_an_interrupt_may_find_the_stack_where_it_was_or_further() -> None:
    kernel = Kernel(stacks=3)
    _interrupted(kernel, from_nmi=False)
    _calling(kernel, asks=False)
    stacks = {
        tuple(each.stack for each in events(outcome, KernelEntry)) for outcome in kernel.runs(200)
    }
    assert {(1,), (1, 1), (1, 2), (0, 1), (1, 2)} <= stacks


def test_irq_work_waits_for_interrupts() -> None:
    """It comes when an NMI has raised it, once, and never while interrupts are off."""
    kernel = Kernel()
    _interrupted(kernel, from_nmi=True)
    _calling(kernel, count=2)
    irq_work = kernel.system.cpus[0].irq_work.address
    for outcome in kernel.runs(200):
        assert outcome.verdict is Verdict.CLEAN
        came = [each for each in outcome.events if each.context == "irq_work"]
        assert len(came) <= 1
        assert outcome.words[irq_work] in (0, 1)
