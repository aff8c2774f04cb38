"""The withdrawn drafts: what v12 returned, whom it called again, what it lost, and the loop before it."""

from collections.abc import Awaitable, Callable

import pytest

from stackweave.core import Outcome, Verdict
from stackweave.core.events import CallbackBegin, RequestEnd
from stackweave.core.kernel.entry import Handler
from stackweave.core.kernel.generation import Caller
from stackweave.core.kernel.structs import EBUSY, EINVAL, Task
from stackweave.core.kernel.system import requests

from .support import Kernel, events, everywhere, notes, saw

DRAFTS = ("bitmask_v12", "bitmask_v12_patch8")
BOUND = 4_000


def _visit(kernel: Kernel, call: Callable[[Caller], Awaitable[None]]) -> Kernel:
    """One system call."""

    async def live() -> None:
        await kernel.system.entry.syscall(kernel.system.tasks[0], call)

    kernel.task(0, live)
    return kernel


def _returned(outcome: Outcome) -> list[int]:
    return [each.returned for each in events(outcome, RequestEnd)]


def _called(outcome: Outcome) -> list[int]:
    return [each.tracer for each in events(outcome, CallbackBegin)]


def _in_turn(generation: str, *steps: int | None) -> Outcome:
    """A system call in which tracers ask one after the other; None: the works are run."""
    kernel = Kernel(generation)
    system, task = kernel.system, kernel.system.tasks[0]

    async def call(caller: Caller) -> None:
        for tracer in steps:
            if tracer is None:
                await system.task_work.task_work_run(task)
            else:
                await system.request(tracer, caller)

    return _visit(kernel, call).run()


def test_pending_and_executed_are_told_apart() -> None:
    outcome = _in_turn("bitmask_v12", 0, 0, None, 0, 0)
    assert _returned(outcome) == [0, 1, 2, 2]
    assert _called(outcome) == [0]


def test_a_replaced_mask_forgets_who_was_served() -> None:
    outcome = _in_turn("bitmask_v12", 0, None, 1, 0)
    assert _returned(outcome) == [0, 0, 0]
    assert _called(outcome) == [0, 1, 0]
    assert _called(_in_turn("completed", 0, None, 1, 0)) == [0, 1]
    # and spares whom `bitmask` calls unasked
    assert _called(_in_turn("bitmask_v12", 0, None, 1)) == [0, 1]
    assert _called(_in_turn("bitmask", 0, None, 1)) == [0, 1, 0]


def _asked_on_the_way_out(generation: str, source: Callable[[Kernel], Handler]) -> Outcome:
    """Whenever interrupts go off in the exit loop a source asks."""
    kernel = Kernel(generation, bound=BOUND)
    kernel.system.entry.exit_events(irq_off=source(kernel))

    async def call(caller: Caller) -> None:
        """Nothing of its own."""

    return _visit(kernel, call).run()


def _one(kernel: Kernel) -> Handler:
    return requests(kernel.system, 0, outside=False)


def _both_in_turn(kernel: Kernel) -> Handler:
    turn = kernel.program.layout.word("turn")

    async def fire(caller: Caller) -> None:
        await kernel.system.request(await turn.fetch_add(1) & 1, caller, outside=False)

    return fire


@pytest.mark.parametrize(
    ("generation", "source", "ends"),
    [
        ("bitmask_v12_patch8", _one, False),
        ("bitmask_v12", _one, True),
        ("bitmask_v12", _both_in_turn, False),
        ("bitmask", _both_in_turn, True),
        ("completed", _both_in_turn, True),
        ("upstream", _both_in_turn, True),
    ],
)
def test_the_way_out(generation: str, source: Callable[[Kernel], Handler], ends: bool) -> None:
    outcome = _asked_on_the_way_out(generation, source)
    assert (outcome.verdict is Verdict.CLEAN) is ends
    assert (outcome.verdict is Verdict.INCOMPLETE) is not ends
    assert (len(_called(outcome)) > 4) is not ends


def _beside_a_cancel(generation: str) -> list[Outcome]:
    """Tracer 1 was served and is cancelled on another CPU at each step of a task in which tracer 0 asks."""
    kernel = Kernel(generation, cpus=2)
    system, task = kernel.system, kernel.system.tasks[0]

    async def call(caller: Caller) -> None:
        await system.request(1, caller)
        await system.task_work.task_work_run(task)
        await system.request(0, caller)

    async def cancel() -> None:
        await system.cancel(1)

    _visit(kernel, call)
    kernel.program.task("cancel", cancel, cpus=(1,))
    return list(everywhere(kernel.program, "task0", "cancel"))


@pytest.mark.parametrize(("generation", "loses"), [("bitmask_v12", True), ("bitmask", False)])
def test_a_swap_that_a_cancel_spoils_loses_the_request(generation: str, loses: bool) -> None:
    lost = [
        outcome
        for outcome in _beside_a_cancel(generation)
        if (0, 0) in {(end.tracer, end.returned) for end in events(outcome, RequestEnd)}
        and 0 not in _called(outcome)
    ]
    assert bool(lost) is loses


def test_a_request_in_the_callback_is_told_that_one_is_pending_and_nothing_follows() -> None:
    async def called(tracer: int, task: Task, cookie: int, nr: int, entries: int) -> None:
        await kernel.system.deliver(tracer, task, cookie, nr, entries)
        await saw("again", (await kernel.system.request(0, Caller(task), outside=False))[0])

    kernel = Kernel("bitmask_v12_patch8", callback=called)

    async def call(caller: Caller) -> None:
        await kernel.system.request(0, caller)

    outcome = _visit(kernel, call).run()
    assert notes(outcome, "again") == [1]
    assert _called(outcome) == [0]


@pytest.mark.parametrize("generation", DRAFTS)
def test_a_cancelled_work_is_refused(generation: str) -> None:
    kernel = Kernel(generation)

    async def call(caller: Caller) -> None:
        await kernel.system.cancel(0)
        await saw("asked", await kernel.system.request(0, caller))

    assert notes(_visit(kernel, call).run(), "asked") == [(-EINVAL, 0)]


@pytest.mark.parametrize("generation", DRAFTS)
def test_capacity(generation: str) -> None:
    kernel = Kernel(generation, tracers=64, registered=False)

    async def live() -> None:
        for tracer in range(64):
            await saw("registered", await kernel.system.init(tracer))

    kernel.task(0, live)
    assert kernel.system.first_bit == 0
    assert notes(kernel.run(), "registered") == [0] * 63 + [-EBUSY]


@pytest.mark.parametrize("generation", DRAFTS)
def test_an_nmi_anywhere_has_the_same_cookie_and_is_called(generation: str) -> None:
    kernel = Kernel(generation, tracers=2)
    system = kernel.system

    async def call(caller: Caller) -> None:
        await system.request(0, caller)

    async def come() -> None:
        await system.entry.nmi(system.cpus[0], requests(system, 1))

    _visit(kernel, call)
    kernel.nmi(come)
    met = 0
    for outcome in everywhere(kernel.program, "task0", "nmi"):
        ends = events(outcome, RequestEnd)
        inside = [end for end in ends if end.tracer == 1 and end.returned == 0]
        cookies = {end.cookie for end in ends if end.granted}
        met += len(inside) == 1 and len(cookies) == 1 and sorted(_called(outcome)) == [0, 1]
    assert met > 30
