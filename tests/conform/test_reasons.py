"""The closed table of reasons for outcomes that only the emulation shows: where each holds and must not."""

import pytest

from stackweave.conform.compare import REASONS, Outcome, Reason, Shown, explain
from stackweave.conform.driver import Point
from stackweave.conform.lines import Kind, Line

POINT = Point("f", ())
STATE: Outcome = (Line(Kind.STATE, (0, 0, 0, 0)),)
UNREACHED: Outcome = (*STATE, Line(Kind.INJECTED, (0, 1, 0, 0, 0, 0, 0, 0)))
REACHED: Outcome = (*STATE, Line(Kind.INJECTED, (1, 1, 0, 0, 0, 0, 0, 0)))
NEVER_HELD: Outcome = (Line(Kind.NEVER_HELD, ()), *STATE)
CALLED: Outcome = (*STATE, Line(Kind.CALLBACK, (0, 2, 1, 10, 2, 0)))


def _shown(outcome: Outcome, point: Point | None, *siblings: Outcome) -> Shown:
    return Shown(outcome, (point,), frozenset(siblings))


def test_the_table_is_closed() -> None:
    assert set(REASONS) == set(Reason) == {Reason.UNREACHED, Reason.CHANCE}


@pytest.mark.parametrize("outcome", [UNREACHED, NEVER_HELD])
def test_nothing_was_injected(outcome: Outcome) -> None:
    assert explain(_shown(outcome, None), {}) is Reason.UNREACHED


def test_nothing_was_injected_though_there_was_a_point() -> None:
    assert explain(_shown(UNREACHED, POINT), {}) is None
    assert explain(Shown(UNREACHED, (None, POINT), frozenset()), {}) is None


@pytest.mark.parametrize("outcome", [REACHED, STATE])
def test_something_was_injected(outcome: Outcome) -> None:
    assert explain(_shown(outcome, None), {}) is None


def test_chance_where_the_kernel_gave_the_other_answer() -> None:
    shown = _shown(CALLED, POINT, STATE, CALLED)
    assert explain(shown, {STATE: None}) is Reason.CHANCE


def test_no_chance_where_the_kernel_gave_neither() -> None:
    shown = _shown(CALLED, POINT, STATE, CALLED)
    assert explain(shown, {REACHED: None}) is None
    assert explain(shown, {}) is None


def test_an_outcome_is_not_its_own_other_answer() -> None:
    assert explain(_shown(CALLED, POINT, CALLED), {CALLED: None}) is None


def test_no_reason_for_anything_else() -> None:
    assert explain(_shown(CALLED, POINT), {STATE: None, REACHED: None}) is None
