"""grace-period, probe-data and shadow-stack, on events fed by hand; and the builder of all unwind monitors."""

from collections import Counter
from dataclasses import fields, is_dataclass
from typing import Final

import pytest

from stackweave.core import Interpreter, Program, RandomWalk, emit
from stackweave.core.events import (
    CallbackBegin,
    GracePeriodBegin,
    GracePeriodEnd,
    ProbeCalled,
    ReaderBegin,
    ReaderEnd,
    ShadowStackFreed,
    ShadowStackRelease,
    ShadowStackUse,
    UndefinedBehaviour,
)
from stackweave.core.monitors import (
    grace_periods,
    probe_data,
    shadow_stack,
    twice,
    undefined_behaviour,
    unwind_monitors,
)

from .feeding import signatures

IN: Final = ReaderBegin("srcu", 0)
OUT: Final = ReaderEnd("srcu", 0)
WAITS: Final = GracePeriodBegin("srcu", 0)
WAITED: Final = GracePeriodEnd("srcu", 0)


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([IN, WAITS, WAITED], 1),
        ([IN, WAITS, OUT, WAITED], 0),
        ([WAITS, IN, WAITED], 0),
        ([IN, OUT, WAITS, WAITED], 0),
        ([IN, WAITS, OUT, IN, WAITED], 0),
        ([IN, IN, WAITS, OUT, WAITED], 1),
        ([IN, IN, WAITS, OUT, OUT, WAITED], 0),
        ([IN, WAITS, IN, OUT, WAITED], 1),
        ([IN, WAITS, OUT, WAITED, IN, WAITS, WAITED], 1),
        ([ReaderBegin("rcu", 0), WAITS, WAITED], 0),
        ([ReaderBegin("srcu", 1), WAITS, WAITED], 1),
        ([IN, GracePeriodBegin("srcu", 1), WAITS, GracePeriodEnd("srcu", 1), WAITED], 2),
        ([IN, WAITS, GracePeriodEnd("srcu", 1)], 0),
    ],
)
def test_grace_period(events: list[object], found: int) -> None:
    monitors = grace_periods("srcu", [0, 1], [0, 1])
    assert signatures(monitors, *events) == ["grace-period:srcu"] * found


def test_probe_data() -> None:
    monitors = [probe_data(0, {(1, 10), (2, 20)})]
    assert signatures(monitors, ProbeCalled(0, 1, 10), ProbeCalled(0, 2, 20)) == []
    assert signatures(monitors, ProbeCalled(0, 1, 20)) == ["probe-data"]
    assert signatures(monitors, ProbeCalled(1, 1, 20)) == []


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([ShadowStackUse(0, 7), ShadowStackRelease(0, 7), ShadowStackFreed(7)], []),
        ([ShadowStackUse(0, 7), ShadowStackFreed(7)], ["shadow-stack:freed-in-use"]),
        ([ShadowStackFreed(7), ShadowStackUse(0, 7)], ["shadow-stack:used-after-free"]),
        (
            [
                ShadowStackUse(0, 7),
                ShadowStackUse(1, 7),
                ShadowStackRelease(0, 7),
                ShadowStackFreed(7),
            ],
            ["shadow-stack:freed-in-use"],
        ),
        ([ShadowStackUse(0, 8), ShadowStackFreed(7)], []),
    ],
)
def test_shadow_stack(events: list[object], found: list[str]) -> None:
    assert signatures([shadow_stack(7)], *events) == found


def test_undefined_behaviour() -> None:
    monitors = [undefined_behaviour("shift")]
    assert signatures(monitors, UndefinedBehaviour("shift")) == ["undefined-behaviour:shift"]
    assert signatures(monitors, UndefinedBehaviour("overflow")) == []


def test_every_slice_of_every_unwind_property() -> None:
    monitors = unwind_monitors(2, 3, (2, 3, 4), (-22,), lambda stack: {(stack,)})
    counts = Counter(monitor.property for monitor in monitors)
    by_pair = (
        "unrequested",
        "lost",
        "late",
        "twice",
        "cookie-zero",
        "cookie-mismatch",
        "wrong-stack",
    )
    assert counts == {
        **dict.fromkeys(by_pair, 6),
        **dict.fromkeys(("cookie-shared", "live-lock"), 2),
        **dict.fromkeys(("return-value", "after-cancel"), 3),
        "inherited": 6,
    }
    assert len({(monitor.property, monitor.slice) for monitor in monitors}) == len(monitors)
    slices = {monitor.slice for monitor in monitors}
    assert slices >= {"task1 tracer2", "task1", "tracer2", "task1 bit4"}


def test_a_report_names_its_slice() -> None:
    program = Program("two calls")
    word = program.layout.word("word")
    program.monitors.append(twice(0, 0))

    async def task() -> None:
        for _ in range(2):
            await word.load()
            await emit(CallbackBegin(0, 0, 3, ()))

    program.thread("task", task)
    (violation,) = Interpreter(program).run(RandomWalk(0)).violations
    assert violation.explanation == "task0 tracer0: a second callback in one entry, with cookie 0x3"
    assert (violation.property, violation.context, violation.step) == ("twice", "task", 2)


def test_the_same_knowledge_is_the_same_state() -> None:
    # monitors are memoised by what they know: a suspended one has no other local than its state
    monitors = unwind_monitors(1, 1, (0,), (-22,), {0: {(1,)}}.__getitem__)
    for monitor in monitors:
        instance = monitor.body()
        instance.send(None)
        frame = instance.cr_frame  # type: ignore[attr-defined]  # of a coroutine function
        assert list(frame.f_locals) == ["state"]
        state = frame.f_locals["state"]
        assert is_dataclass(state)
        for field in fields(state):
            hash(getattr(state, field.name))
        instance.close()
