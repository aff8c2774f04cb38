"""Flavours: each makes its difference, and a model that takes no notice of it does not show it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from stackweave.core import Outcome, UsageError, Verdict
from stackweave.core.cint import as_u64
from stackweave.core.events import CallbackBegin, KernelEntry, KernelExit, RequestEnd, UnwindReset
from stackweave.core.kernel.entry import Entry
from stackweave.core.kernel.flavour import NAMES, Flavour, in_order
from stackweave.core.kernel.generation import Caller
from stackweave.core.kernel.life import Life
from stackweave.core.kernel.structs import EINVAL, Task
from stackweave.core.kernel.system import GENERATIONS, System, requests
from stackweave.core.kernel.task_work import TaskWork
from stackweave.core.kernel.upstream import UNWIND_USED, Upstream
from tests.conform.plants import Change, edit, plant

from .support import Kernel, events, everywhere, notes, saw


@dataclass(frozen=True, slots=True)
class Difference:
    """What a flavour shows and its generation, as it is by default, does not; and an edit that forgets it."""

    generation: str
    shows: Callable[[str, str | None], bool]
    """(generation, flavour) to whether it is seen."""
    forgets: Change


def _forgetting(function: Callable[..., object], old: str, new: str) -> Change:
    return Change("the flavour is forgotten", (edit(function, old, new),))


def _with_nmi(generation: str, flavour: str | None) -> list[Outcome]:
    """An NMI that asks for tracer 1, wherever it may come."""
    kernel = Kernel(generation, flavour=flavour)
    system = kernel.system
    kernel.asks(0, calls=2)

    async def come() -> None:
        await system.entry.nmi(system.cpus[0], requests(system, 1))

    kernel.nmi(come)
    return list(everywhere(kernel.program, "task0", "nmi"))


def _a_cookie_is_torn(generation: str, flavour: str | None) -> bool:
    """Half of it was cleared."""
    return any(
        call.cookie and (call.cookie >> 32 == 0 or call.cookie & 0xFFFFFFFF == 0)
        for outcome in _with_nmi(generation, flavour)
        for call in events(outcome, CallbackBegin)
    )


def _nmis_are_refused(generation: str, flavour: str | None) -> bool:
    ended = [
        each.returned
        for outcome in _with_nmi(generation, flavour)
        for each in events(outcome, RequestEnd)
        if each.tracer == 1
    ]
    return set(ended) == {-EINVAL}


def _a_refused_nmi_takes_the_bits_away(generation: str, flavour: str | None) -> bool:
    """The outer request was granted, is not called back, and the mask is 0 after the NMI's failure."""
    return any(
        [end.tracer for end in events(outcome, RequestEnd) if end.returned == 0].count(0) == 2
        and [call.tracer for call in events(outcome, CallbackBegin)].count(0) < 2
        for outcome in _with_nmi(generation, flavour)
    )


def _resets_before(generation: str, flavour: str | None) -> list[bool]:
    """Of each reset: whether it came before the entry's request."""
    kernel = Kernel(generation, flavour=flavour)
    kernel.asks(0)
    kinds = [each for each in kernel.run().events if type(each.event) in (RequestEnd, UnwindReset)]
    asked = next(at for at, each in enumerate(kinds) if isinstance(each.event, RequestEnd))
    return [at < asked for at, each in enumerate(kinds) if isinstance(each.event, UnwindReset)]


def _reset_at_entry(generation: str, flavour: str | None) -> bool:
    return True in _resets_before(generation, flavour)


def _reset_at_exit(generation: str, flavour: str | None) -> bool:
    return _resets_before(generation, flavour) == [False]


def _asked_when_interrupts_go_on(generation: str, flavour: str | None) -> Outcome:
    """The way out asks, after the exit loop: two system calls."""
    kernel = Kernel(generation, tracers=1, flavour=flavour)
    system = kernel.system
    system.entry.exit_events(irq_on=requests(system, 0, outside=False))
    kernel.asks(0, calls=2)
    return kernel.run()


def _the_cookie_is_of_no_entry(generation: str, flavour: str | None) -> bool:
    """The request on the way out got another cookie than the one before it in its entry."""
    ends = events(_asked_when_interrupts_go_on(generation, flavour), RequestEnd)
    return ends[0].cookie != ends[1].cookie


def _the_cookie_is_of_the_entry(generation: str, flavour: str | None) -> bool:
    return not _the_cookie_is_of_no_entry(generation, flavour)


def _exits_without_a_trace(generation: str, flavour: str | None) -> bool:
    [call] = events(_exits(generation, flavour), CallbackBegin)
    return call.trace == ()


def _exits(generation: str, flavour: str | None) -> Outcome:
    """A task that asks in the call in which it ends; its callback and its detachment are noted."""

    async def detach(task: Task) -> None:
        await saw("order", "detached")
        await task.flags.load()

    async def called(tracer: int, task: Task, cookie: int, nr: int, entries: int) -> None:
        await saw("order", "called")
        await kernel.system.deliver(tracer, task, cookie, nr, entries)

    kernel = Kernel(generation, tracers=1, flavour=flavour, callback=called, detach=detach)
    kernel.asks_in_exit()
    return kernel.run()


def _called_before_detached(generation: str, flavour: str | None) -> bool:
    return notes(_exits(generation, flavour), "order") == ["called", "detached"]


def _cancelled_is_refused(generation: str, flavour: str | None) -> bool:
    kernel = Kernel(generation, flavour=flavour)
    system = kernel.system

    async def live() -> None:
        await system.cancel(0)
        await system.entry.enter_from_user_mode(system.tasks[0])
        await saw("asked", await system.request(0, Caller(system.tasks[0])))

    kernel.task(0, live)
    return notes(kernel.run(), "asked") == [(-EINVAL, 0)]


DIFFERENCES = {
    "32-bit": Difference(
        "upstream",
        _a_cookie_is_torn,
        _forgetting(System.__init__, "if chosen.long_bits == 32:", "if False:"),
    ),
    "no-nmi-cmpxchg": Difference(
        "upstream",
        _nmis_are_refused,
        _forgetting(
            Upstream.unwind_deferred_request,
            "if caller.nmi_cpu is not None and not self.flavour.nmi_safe_cmpxchg:",
            "if False:",
        ),
    ),
    "no-irq-work": Difference(
        "upstream",
        _a_refused_nmi_takes_the_bits_away,
        _forgetting(TaskWork.task_work_add, "or not self._irq_work", ""),
    ),
    "reset-at-entry": Difference(
        "mutex_list",
        _reset_at_entry,
        _forgetting(
            Entry._enter_from_user_mode, "if self._flavour.reset is Reset.ENTRY:", "if False:"
        ),
    ),
    "reset-at-exit": Difference(
        "per_work",
        _reset_at_exit,
        _forgetting(Entry._exit_to_user_mode, "if self._flavour.reset is Reset.EXIT:", "if False:"),
    ),
    "irq-on-before-reset": Difference(
        "upstream",
        _the_cookie_is_of_the_entry,
        _forgetting(
            Entry._exit_to_user_mode,
            "if self._flavour.irq_on_event is IrqOnEvent.BEFORE_RESET:",
            "if False:",
        ),
    ),
    "irq-on-after-reset": Difference(
        "bitmask",
        _the_cookie_is_of_no_entry,
        _forgetting(
            Entry._exit_to_user_mode,
            "if self._flavour.irq_on_event is IrqOnEvent.BEFORE_RESET:",
            "if True:",
        ),
    ),
    "no-exit-hook": Difference(
        "upstream",
        _exits_without_a_trace,
        _forgetting(Life.do_exit, "if hook is ExitHook.AFTER_PERF_EVENT_EXIT:", "if True:"),
    ),
    "exit-hook-before-perf": Difference(
        "upstream",
        _called_before_detached,
        _forgetting(Life.do_exit, "if hook is ExitHook.BEFORE_PERF_EVENT_EXIT:", "if False:"),
    ),
    "int-bit": Difference(
        "upstream",
        _cancelled_is_refused,
        _forgetting(
            Upstream.unwind_deferred_request, "if bit < 0 and self.flavour.int_bit:", "if False:"
        ),
    ),
}


def test_each_flavour_makes_a_difference() -> None:
    assert list(DIFFERENCES) == list(NAMES)


@pytest.mark.parametrize("flavour", DIFFERENCES)
def test_it_shows(flavour: str) -> None:
    difference = DIFFERENCES[flavour]
    assert difference.shows(difference.generation, flavour)
    assert not difference.shows(difference.generation, None)


@pytest.mark.parametrize("flavour", DIFFERENCES)
def test_it_does_not_where_it_is_forgotten(flavour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    difference = DIFFERENCES[flavour]
    plant(monkeypatch, difference.forgets)
    assert not difference.shows(difference.generation, flavour)


# masks of 32 bits


@pytest.mark.parametrize(
    ("generation", "capacity"), [("bitmask", 31), ("completed", 31), ("upstream", 30)]
)
def test_tracers_of_a_mask_of_32_bits(generation: str, capacity: int) -> None:
    kernel = Kernel(generation, tracers=capacity + 1, registered=False, flavour="32-bit")
    system = kernel.system

    async def live() -> None:
        for tracer in range(capacity + 1):
            await saw("registered", await system.init(tracer) == 0)
        await system.cancel(0)
        await saw("registered", await system.init(capacity) == 0)
        await saw("bit", await system.tracers[capacity].work.bit.load())

    kernel.task(0, live)
    outcome = kernel.run()
    assert notes(outcome, "registered") == [True] * capacity + [False, True]
    assert notes(outcome, "bit") == [system.first_bit]


def test_the_last_bit_is_what_a_cancelled_work_asks_for() -> None:
    for flavour, bit in (("32-bit", 31), (None, 63)):
        kernel = Kernel(flavour=flavour)
        system, task = kernel.system, kernel.system.tasks[0]

        async def live(system: System = system, task: Task = task) -> None:
            await system.cancel(0)
            await system.entry.enter_from_user_mode(task)
            await system.request(0, Caller(task))
            await saw("mask", await task.unwind_info.unwind_mask.load())

        kernel.task(0, live)
        assert notes(kernel.run(), "mask") == [1 | 1 << bit]


@pytest.mark.parametrize(
    ("bit", "mask"), [(2, 4), (30, 1 << 30), (31, as_u64(-1 << 31)), (32, 0), (63, 0)]
)
def test_a_bit_in_an_int(bit: int, mask: int) -> None:
    assert Flavour(int_bit=True).requested(bit) == mask
    assert Flavour().requested(bit) == 1 << bit


def test_two_tracers_of_high_bits_are_called_for_none_where_the_variable_is_an_int() -> None:
    kernel = Kernel(tracers=2, registered=False, flavour="int-bit")
    system = kernel.system
    system.start_registered([(1, 31), (0, 40)])
    kernel.asks(0)
    outcome = kernel.run()
    assert [end.returned for end in events(outcome, RequestEnd)] == [0]
    assert not events(outcome, CallbackBegin), "BIT(40) is no bit of an int"
    assert system.generation.reserved & UNWIND_USED


# names


@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_a_generation_takes(generation: str) -> None:
    kind = GENERATIONS[generation]
    for name in kind.takes:
        assert kind.flavoured(name) != kind.default, "it makes a difference"
        kernel = Kernel(generation, flavour=name)
        kernel.asks(0)
        outcome = kernel.run()
        assert len(events(outcome, KernelEntry)) == len(events(outcome, KernelExit)) + 1
    for name in sorted(set(NAMES) - set(kind.takes)):
        with pytest.raises(UsageError, match=f"has no flavour '{name}': it takes {kind.takes[0]}"):
            Kernel(generation, flavour=name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "+",
        "32-bit+",
        "64-bit",
        "32-bit+32-bit",
        "no-exit-hook+exit-hook-before-perf",
        "reset-at-entry+irq-on-before-reset",
    ],
)
def test_what_cannot_be(name: str) -> None:
    with pytest.raises(UsageError):
        Kernel("upstream", flavour=name)


def test_names_have_one_order() -> None:
    assert in_order("no-irq-work+32-bit") == "32-bit+no-irq-work"
    assert in_order("b+32-bit+a") in ("32-bit+b+a", "32-bit+a+b")
    kind = GENERATIONS["upstream"]
    assert kind.flavoured("no-irq-work+32-bit") == kind.flavoured("32-bit+no-irq-work")


# events of the way out


def test_a_request_whenever_interrupts_go_off_goes_on_for_ever_with_a_flag_alone() -> None:
    """mutex_list clears its flag before the callbacks, the mask keeps its bits until the reset."""
    for generation, ends in (("mutex_list", False), ("bitmask", True), ("upstream", True)):
        kernel = Kernel(generation, tracers=1, bound=3_000)
        system = kernel.system
        system.entry.exit_events(irq_off=requests(system, 0, outside=False))
        kernel.asks()
        outcome = kernel.run()
        assert (outcome.verdict is Verdict.INCOMPLETE) is not ends
        assert (len(events(outcome, CallbackBegin)) == 1) is ends
