"""The generations before the bits: `per_work`, `mutex_list` and its NMI-safe form, with the defects they had."""

from collections import Counter

import pytest

from stackweave.core import Program, Word
from stackweave.core.events import (
    CallbackBegin,
    CancelEnd,
    RequestEnd,
    UndefinedBehaviour,
    UnwindReset,
)
from stackweave.core.kernel.generation import Caller
from stackweave.core.kernel.per_work import COUNT_BITS
from stackweave.core.kernel.properties import unwind_properties
from stackweave.core.kernel.structs import EEXIST, EINVAL
from stackweave.core.kernel.system import GENERATIONS, requests
from stackweave.core.kernel.unwind_user import Faults

from .support import Kernel, events, everywhere

ANSWERS = {"per_work": -EINVAL, "mutex_list": -EINVAL, "mutex_list_nmi": 0}
"""To a request from an NMI."""


def asks_in_nmi(kernel: Kernel, tracer: int) -> None:
    """An NMI asks once."""

    async def handler(caller: Caller) -> None:
        await kernel.system.request(tracer, caller)

    async def body() -> None:
        await kernel.system.entry.nmi(kernel.system.cpus[0], handler)

    kernel.nmi(body)


def test_the_first_cookie_of_per_work_is_zero() -> None:
    kernel = Kernel("per_work", tracers=2)
    kernel.asks(0, 1)
    outcome = kernel.run()
    assert [(end.returned, end.cookie) for end in events(outcome, RequestEnd)] == [(0, 0), (0, 1)]
    assert [begin.cookie for begin in events(outcome, CallbackBegin)] == [1, 1]


def test_the_count_wraps_to_no_cookie() -> None:
    kernel = Kernel("per_work", tracers=3)
    counter: Word = kernel.system.deferral.unwind_ctx_ctr[0]
    kernel.program.layout.initialise(counter, (1 << COUNT_BITS) - 1)
    kernel.asks(0, 1, 2)
    cookies = [end.cookie for end in events(kernel.run(), RequestEnd)]
    assert cookies == [0, 0, 1], "0 reads as unset: the second request makes another cookie"


def test_a_repeated_request_is_called_again() -> None:
    kernel = Kernel("per_work", tracers=1)
    system, task = kernel.system, kernel.system.tasks[0]

    async def handler(caller: Caller) -> None:
        await system.request(0, caller)
        await system.task_work.task_work_run(task)
        await system.request(0, caller)

    async def body() -> None:
        await system.entry.syscall(task, handler)

    kernel.task(0, body)
    outcome = kernel.run()
    assert [end.returned for end in events(outcome, RequestEnd)] == [0, 0]
    assert [begin.cookie for begin in events(outcome, CallbackBegin)] == [1, 1]


def two_tasks(kernel: Kernel) -> Program:
    """Task 1 asks for the tracer while task 0 has it queued, on another CPU."""
    system = kernel.system
    turn = kernel.program.layout.word("turn")

    async def first(caller: Caller) -> None:
        await system.request(0, caller)
        await turn.store(1)
        await turn.wait(3, 2)

    async def second(caller: Caller) -> None:
        await turn.wait(3, 1)
        await system.request(0, caller)
        await turn.store(2)

    async def run_first() -> None:
        await system.entry.syscall(system.tasks[0], first)

    async def run_second() -> None:
        await system.entry.syscall(system.tasks[1], second)

    kernel.task(0, run_first, cpus=(0,))
    kernel.task(1, run_second, cpus=(1,))
    return kernel.program


def test_another_task_is_refused_with_a_cookie_that_nobody_calls_back() -> None:
    kernel = Kernel("per_work", cpus=2, tasks=2, tracers=1)
    two_tasks(kernel)
    outcome = kernel.run()
    assert [end.returned for end in events(outcome, RequestEnd)] == [0, -EEXIST]
    assert {begin.task for begin in events(outcome, CallbackBegin)} == {0}


@pytest.mark.parametrize("generation", ["mutex_list", "mutex_list_nmi"])
def test_a_flag_for_each_task_refuses_nobody_else(generation: str) -> None:
    kernel = Kernel(generation, cpus=2, tasks=2, tracers=1)
    two_tasks(kernel)
    outcome = kernel.run()
    assert [end.returned for end in events(outcome, RequestEnd)] == [0, 0]
    assert {begin.task for begin in events(outcome, CallbackBegin)} == {0, 1}


@pytest.mark.parametrize(("generation", "answer"), list(ANSWERS.items()))
def test_who_may_ask_in_an_nmi(generation: str, answer: int) -> None:
    kernel = Kernel(generation, tracers=1)
    kernel.asks()
    asks_in_nmi(kernel, 0)
    answers = {end.returned for run in kernel.runs(50) for end in events(run, RequestEnd)}
    assert answers - {answer} <= {-EINVAL}, "in the idle task, or in one that exits"
    assert answer in answers


def test_a_trace_that_could_not_be_made_is_what_lay_on_the_stack() -> None:
    kernel = Kernel("per_work", tracers=1, faults=Faults.ALLOCATION)
    kernel.asks(0)
    outcomes = list(kernel.runs(40))
    garbage = [run for run in outcomes if events(run, UndefinedBehaviour)]
    assert 0 < len(garbage) < len(outcomes)
    assert all(events(run, CallbackBegin)[0].trace == () for run in garbage)


def test_cancel_does_not_wait_for_a_callback_of_per_work() -> None:
    kernel = Kernel("per_work", cpus=2, tracers=1)
    kernel.asks(0)

    async def cancel() -> None:
        await kernel.system.cancel(0)

    kernel.program.task("cancel", cancel, cpus=(1,))
    orders = {
        tuple(
            type(each.event).__name__
            for each in run.events
            if isinstance(each.event, CallbackBegin | CancelEnd)
        )
        for run in kernel.runs(300)
    }
    assert ("CancelEnd", "CallbackBegin") in orders


@pytest.mark.parametrize("generation", ["mutex_list", "mutex_list_nmi"])
def test_everybody_is_called_newest_first(generation: str) -> None:
    kernel = Kernel(generation, tracers=3)
    kernel.asks(1, 1)
    outcome = kernel.run()
    assert [end.returned for end in events(outcome, RequestEnd)] == [0, 1]
    assert [begin.tracer for begin in events(outcome, CallbackBegin)] == [2, 1, 0]


def test_an_nmi_anywhere_queues_the_work_once() -> None:
    kernel = Kernel("mutex_list_nmi", tracers=1)
    kernel.asks(0)
    asks_in_nmi(kernel, 0)
    zeros = []
    for outcome in everywhere(kernel.program, "task0", "nmi"):
        granted = [end for end in events(outcome, RequestEnd) if end.returned == 0]
        zeros.append(len(granted))
        assert len(events(outcome, CallbackBegin)) == len(granted)
    assert 1 in zeros, "the NMI found the flag set, or set it first"
    assert 2 in zeros, "the NMI came after the work had run, or before the entry"


def test_a_request_in_the_window_before_the_reset_is_called_back_with_another_cookie() -> None:
    kernel = Kernel("mutex_list_nmi", tracers=1)
    kernel.asks(0, calls=2)
    asks_in_nmi(kernel, 0)
    unanswered = 0
    for outcome in everywhere(kernel.program, "task0", "nmi"):
        called = Counter(begin.cookie for begin in events(outcome, CallbackBegin))
        queued = Counter(end.cookie for end in events(outcome, RequestEnd) if end.returned == 0)
        unanswered += bool(queued - called)
    assert unanswered > 0


def test_a_pending_callback_that_was_the_one_before() -> None:
    """The flag is cleared after the callback: an interrupt between the two is told that one is pending."""
    kernel = Kernel("per_work", tracers=2)
    system = kernel.system
    kernel.asks(1, 0)  # the second request has the entry's cookie

    async def come() -> None:
        await system.entry.interrupt(system.cpus[0], requests(system, 0))

    kernel.program.interrupt("irq", come, cpu=0)
    kernel.program.monitors += unwind_properties(system, 1, lambda stack: {(100, 200)})
    shown = [
        {each.signature for each in outcome.violations}
        for outcome in everywhere(kernel.program, "task0", "irq")
    ]
    assert sum("lost:backward-reference" in signatures for signatures in shown) > 0
    assert sum("lost:backward-reference" not in signatures for signatures in shown) > 10


@pytest.mark.parametrize(
    ("generation", "returned", "cookie", "granted"),
    [
        ("per_work", 0, 0, True),
        ("per_work", 0, 3, True),
        ("per_work", -EEXIST, 3, True),
        ("per_work", -EINVAL, 0, False),
        ("mutex_list", -EINVAL, 3, False),
        ("upstream", -EINVAL, 3, False),
        ("upstream", 1, 3, True),
        ("upstream", 0, 0, True),
    ],
)
def test_what_a_return_value_promises(
    generation: str, returned: int, cookie: int, granted: bool
) -> None:
    assert GENERATIONS[generation].grants(returned, cookie) is granted


def test_the_reset_of_per_work_is_of_the_entry_before() -> None:
    kernel = Kernel("per_work", tracers=1)
    kernel.asks(0)
    outcome = kernel.run()
    assert events(outcome, UnwindReset) == [UnwindReset(0, at_entry=True)] * 2
