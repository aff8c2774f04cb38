"""Every generation: what it returns, whom it calls in which order, how many tracers it has; how they differ."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from stackweave.core import Outcome, Verdict
from stackweave.core.events import CallbackBegin, RequestEnd
from stackweave.core.kernel.generation import UNWIND_PENDING, Caller
from stackweave.core.kernel.structs import EBUSY, EINVAL, PF_KTHREAD, Task
from stackweave.core.kernel.system import GENERATIONS
from stackweave.core.kernel.unwind_user import Faults
from stackweave.core.kernel.upstream import UNWIND_USED

from .support import Kernel, events, everywhere, notes, saw

BITS = ("bitmask", "completed", "upstream")
LISTS = ("mutex_list", "mutex_list_nmi")


def _asking(generation: str, *visits: Sequence[int], tracers: int = 3) -> Kernel:
    """A task that makes system calls, in each of which some tracers ask."""
    kernel = Kernel(generation, tracers=tracers)
    _asks(kernel, *visits)
    return kernel


def _asks(kernel: Kernel, *visits: Sequence[int]) -> None:
    system = kernel.system

    async def visit(asked: Sequence[int], caller: Caller) -> None:
        for tracer in asked:
            await system.request(tracer, caller)

    async def live() -> None:
        for asked in visits:

            async def handler(caller: Caller, asked: Sequence[int] = asked) -> None:
                await visit(asked, caller)

            await system.entry.syscall(system.tasks[0], handler)

    kernel.task(0, live)


def _returned(outcome: Outcome) -> list[int]:
    return [each.returned for each in events(outcome, RequestEnd)]


def _called(outcome: Outcome) -> list[int]:
    return [each.tracer for each in events(outcome, CallbackBegin)]


@pytest.mark.parametrize("generation", BITS)
def test_who_asked_is_called_newest_first(generation: str) -> None:
    outcome = _asking(generation, [0, 2], [1], [0, 1, 2]).run()
    assert _called(outcome) == [2, 0, 1, 2, 1, 0]
    assert _returned(outcome) == [0] * 6


@pytest.mark.parametrize("generation", LISTS)
def test_everybody_is_called_newest_first(generation: str) -> None:
    outcome = _asking(generation, [0, 2], [1]).run()
    assert _called(outcome) == [2, 1, 0, 2, 1, 0]
    assert _returned(outcome) == [0, 1, 0]


@pytest.mark.parametrize("generation", BITS)
def test_asking_again_returns_1_and_the_same_cookie(generation: str) -> None:
    outcome = _asking(generation, [0, 0, 0], [0]).run()
    assert _returned(outcome) == [0, 1, 1, 0]
    cookies = [each.cookie for each in events(outcome, RequestEnd)]
    assert cookies == [0x3_00000001] * 3 + [0x5_00000001]
    assert [each.cookie for each in events(outcome, CallbackBegin)] == cookies[2:]


@pytest.mark.parametrize("generation", BITS)
def test_asking_in_a_callback_is_answered_without_a_second_one(generation: str) -> None:
    async def deliver(kernel: Kernel, tracer: int) -> None:
        returned, _ = await kernel.system.request(
            tracer, Caller(kernel.system.tasks[0]), outside=False
        )
        await saw("again", returned)

    outcome = _called_back(generation, deliver, [0])
    assert notes(outcome, "again") == [1]
    assert notes(outcome, "called") == [0]


@pytest.mark.parametrize(
    ("generation", "called"),
    [("bitmask", [0, 1, 0]), ("completed", [0, 1]), ("upstream", [0, 1])],
)
def test_a_second_round_calls_again_who_was_served(generation: str, called: list[int]) -> None:
    """Tracer 1 asks in tracer 0's callback: `bitmask` then calls tracer 0 once more."""

    async def deliver(kernel: Kernel, tracer: int) -> None:
        if tracer == 0:
            await kernel.system.request(1, Caller(kernel.system.tasks[0]), outside=False)

    assert notes(_called_back(generation, deliver, [0]), "called") == called


@pytest.mark.parametrize("generation", ["completed", "upstream"])
@pytest.mark.parametrize("failing", [False, True])
def test_without_memory_nobody_is_remembered(generation: str, failing: bool) -> None:
    """The mask of those who were called lies in the cache: where there is none, the second call is back."""

    async def deliver(kernel: Kernel, tracer: int) -> None:
        if tracer == 0:
            await kernel.system.request(1, Caller(kernel.system.tasks[0]), outside=False)

    faults = Faults.ALLOCATION if failing else Faults.NEVER
    kernel = _calling_back(generation, deliver, [0], faults)
    orders = {tuple(map(str, notes(outcome, "called"))) for outcome in kernel.runs(40)}
    assert (("0", "1", "0") in orders) is failing
    assert ("0", "1") in orders


Deliver = Callable[[Kernel, int], Awaitable[None]]


def _called_back(generation: str, deliver: Deliver, asked: Sequence[int]) -> Outcome:
    return _calling_back(generation, deliver, asked).run()


def _calling_back(
    generation: str, deliver: Deliver, asked: Sequence[int], faults: Faults = Faults.NEVER
) -> Kernel:
    """A kernel whose callbacks note themselves and do something."""

    async def called(tracer: int, task: Task, cookie: int, nr: int, entries: int) -> None:
        await saw("called", tracer)
        await kernel.system.deliver(tracer, task, cookie, nr, entries)
        await deliver(kernel, tracer)

    kernel = Kernel(generation, tracers=2, faults=faults, callback=called)
    _asks(kernel, asked)
    return kernel


# who is refused


@pytest.mark.parametrize("generation", BITS)
def test_kernel_threads_and_idle_cpus_are_refused(generation: str) -> None:
    kernel = Kernel(generation)
    system = kernel.system
    kernel.program.layout.initialise(system.tasks[0].flags, PF_KTHREAD)

    async def live() -> None:
        await saw("asked", await system.request(0, Caller(system.tasks[0])))
        await saw("asked", await system.request(0, Caller(None)))

    kernel.task(0, live)
    assert notes(kernel.run(), "asked") == [(-EINVAL, 0)] * 2


@pytest.mark.parametrize("generation", GENERATIONS)
def test_who_may_ask_from_an_nmi(generation: str) -> None:
    kernel = Kernel(generation)
    system = kernel.system

    async def live() -> None:
        await system.entry.enter_from_user_mode(system.tasks[0])
        returned, _ = await system.request(0, Caller(system.tasks[0], system.cpus[0]))
        await saw("asked", returned)
        await saw("irq_work", await system.cpus[0].irq_work.load())

    kernel.task(0, live)
    outcome = kernel.run()
    refused = generation in ("per_work", "mutex_list")
    assert notes(outcome, "asked") == [-EINVAL if refused else 0]
    # only upstream asks for an interrupt, so that the callback need not wait
    assert notes(outcome, "irq_work") == [int(generation == "upstream")]


# bits


@pytest.mark.parametrize(
    ("generation", "capacity"), [("bitmask", 63), ("completed", 63), ("upstream", 62)]
)
def test_capacity(generation: str, capacity: int) -> None:
    kernel = Kernel(generation, tracers=capacity + 2, registered=False)
    system = kernel.system

    async def live() -> None:
        for tracer in range(capacity + 2):
            await saw("registered", await system.init(tracer))
            await saw("bit", await system.tracers[tracer].work.bit.load())
        await system.cancel(7)
        await system.cancel(5)
        for tracer in (capacity, capacity + 1, 5):
            await saw("again", await system.init(tracer))
            await saw("bit", await system.tracers[tracer].work.bit.load())

    kernel.task(0, live)
    outcome = kernel.run()
    first = system.first_bit
    assert notes(outcome, "registered") == [0] * capacity + [-EBUSY] * 2
    assert notes(outcome, "again") == [0, 0, -EBUSY]
    bits = [*range(first, 64), 0, 0]
    # the lowest free bit is given first
    assert notes(outcome, "bit") == [*bits, first + 5, first + 7, 0]
    assert first + capacity == 64


@pytest.mark.parametrize("generation", BITS)
def test_every_tracer_can_be_called(generation: str) -> None:
    tracers = 64 - (2 if generation == "upstream" else 1)
    outcome = _asking(generation, range(tracers), range(tracers), tracers=tracers).run()
    assert outcome.verdict is Verdict.CLEAN
    assert _called(outcome) == [*reversed(range(tracers))] * 2
    assert set(_returned(outcome)) == {0}


@pytest.mark.parametrize(
    ("bit", "returned"), [(2, 4), (3, 8), (30, 1 << 30), (31, -(1 << 31)), (32, 0), (63, 0)]
)
@pytest.mark.parametrize("generation", BITS)
def test_a_race_with_an_nmi_returns_the_bit_as_int(
    generation: str, bit: int, returned: int
) -> None:
    kernel = Kernel(generation, tracers=1, registered=False)
    system = kernel.system
    system.start_registered([(0, bit)])
    _asks(kernel, [0])

    async def ask(caller: Caller) -> None:
        await system.request(0, caller)

    async def come() -> None:
        await system.entry.nmi(system.cpus[0], ask)

    kernel.nmi(come)
    results = {
        value
        for outcome in everywhere(kernel.program, "task0", "nmi")
        for value in _returned(outcome)
    }
    assert results - {0, 1, -EINVAL} == {returned} - {0}


# cancelled works


def _cancelled(generation: str, *, others: bool) -> Outcome:
    """Tracer 0 is cancelled and asks; with others tracer 2 is given its bit first."""
    kernel = Kernel(generation, tracers=3, registered=False)
    system = kernel.system
    first = system.first_bit
    system.start_registered([(1, first + 1), (0, first)])

    async def handler(caller: Caller) -> None:
        if others:
            await system.init(2)
        returned, cookie = await system.request(0, caller)
        await saw("asked", (returned, cookie != 0))
        await saw("mask", await system.tasks[0].unwind_info.unwind_mask.load())

    async def live() -> None:
        await system.cancel(0)
        await saw("bit", await system.tracers[0].work.bit.load())
        await system.entry.syscall(system.tasks[0], handler)

    kernel.task(0, live)
    return kernel.run()


def test_upstream_takes_a_cancelled_work_for_bit_63() -> None:
    outcome = _cancelled("upstream", others=True)
    assert notes(outcome, "bit") == [-1]
    assert notes(outcome, "asked") == [(0, True)]
    assert notes(outcome, "mask") == [UNWIND_PENDING | 1 << 63]
    assert _called(outcome) == []


@pytest.mark.parametrize("generation", ["bitmask", "completed"])
def test_a_cancelled_work_keeps_its_bit_before(generation: str) -> None:
    alone, shared = _cancelled(generation, others=False), _cancelled(generation, others=True)
    assert notes(alone, "bit") == [1]
    assert notes(alone, "asked") == notes(shared, "asked") == [(0, True)]
    assert _called(alone) == []
    # whoever has the bit by then is called
    assert _called(shared) == [2]


@pytest.mark.parametrize("generation", BITS)
def test_a_cancel_takes_back_what_is_asked(generation: str) -> None:
    kernel = Kernel(generation, tracers=2)
    system = kernel.system
    info = system.tasks[0].unwind_info

    async def handler(caller: Caller) -> None:
        await system.request(0, caller)
        await system.request(1, caller)
        await system.cancel(1)
        await saw("mask", await info.unwind_mask.load())

    async def live() -> None:
        await system.entry.syscall(system.tasks[0], handler)

    kernel.task(0, live)
    outcome = kernel.run()
    assert notes(outcome, "mask") == [UNWIND_PENDING | 1 << system.first_bit]
    assert _called(outcome) == [0]


@pytest.mark.parametrize("generation", BITS)
def test_the_reset_leaves_nothing(generation: str) -> None:
    kernel = _asking(generation, [0, 1])
    info = kernel.system.tasks[0].unwind_info
    outcome = kernel.run()
    pointer = outcome.words[info.cache.address]
    cache = kernel.system.deferral.unwind_user.caches.at(pointer)
    words = (info.id, info.unwind_mask, cache.nr_entries, cache.unwind_completed)
    assert [outcome.words[word.address] for word in words] == [0] * 4


def test_reserved_bits() -> None:
    assert {name: GENERATIONS[name].reserved for name in BITS} == {
        "bitmask": UNWIND_PENDING,
        "completed": UNWIND_PENDING,
        "upstream": UNWIND_PENDING | UNWIND_USED,
    }


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_cancel_in_a_callback_waits_for_itself(generation: str) -> None:
    async def deliver(kernel: Kernel, tracer: int) -> None:
        await kernel.system.cancel(tracer)

    kernel = _calling_back(generation, deliver, [0])
    deadlock = [each.signature for each in kernel.run().violations]
    assert deadlock == ([] if generation == "per_work" else ["deadlock"])
