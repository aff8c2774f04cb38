"""The stacks that programs unwind are captured ones, and a wrong trace is reported."""

import pytest

import stackweave.actors.stacks
from stackweave.actors.stacks import CAPTURED
from stackweave.core.events import CallbackBegin
from stackweave.core.sframe.packed import CapturedState, unwind_pcs

from .support import build, outcomes, signatures

PROGRAMS = ("spurious-callback", "default", "stale-snapshot")


def _drops_a_frame(state: CapturedState, readable: bool) -> tuple[int, ...]:
    return unwind_pcs(state, readable=readable)[:-1]


def _skips_the_caller(state: CapturedState, readable: bool) -> tuple[int, ...]:
    counters = unwind_pcs(state, readable=readable)
    return (counters[0], *counters[2:])


def _one_more(state: CapturedState, readable: bool) -> tuple[int, ...]:
    return (*unwind_pcs(state, readable=readable), 0x401000)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("wrong", [_drops_a_frame, _skips_the_caller, _one_more])
def test_a_wrong_unwinder_is_reported(
    name: str, wrong: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stackweave.actors.stacks, "unwind_pcs", wrong)
    shown = signatures(build(name), 20)
    assert shown["wrong-stack"] >= 4


def test_the_right_unwinder_is_not() -> None:
    assert not signatures(build("spurious-callback", "completed"), 20)["wrong-stack"]
    assert not signatures(build("stale-snapshot"), 60)["wrong-stack"]


def test_traces_are_those_of_several_captured_states() -> None:
    traces = {
        occurrence.event.trace
        for outcome in outcomes(build("default"), 40)
        for occurrence in outcome.events
        if isinstance(occurrence.event, CallbackBegin)
    }
    assert len(CAPTURED) == 5
    assert sum(len(trace) > 2 for trace in traces) > 4
    # reading the stack may fail: then there is the program counter alone
    assert any(len(trace) == 1 for trace in traces)
