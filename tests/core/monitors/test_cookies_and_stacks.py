"""cookie-zero, cookie-mismatch, cookie-shared, wrong-stack and live-lock, on events fed by hand."""

from typing import Final

import pytest

from stackweave.core.events import (
    CallbackBegin,
    ExitRound,
    KernelEntry,
    KernelExit,
    RequestBegin,
    RequestEnd,
)
from stackweave.core.monitors import (
    Trace,
    cookie_mismatch,
    cookie_shared,
    cookie_zero,
    live_lock,
    wrong_stack,
)

from .feeding import signatures

EXIT: Final = KernelExit(0)
BEGIN: Final = RequestBegin(0, 0, outside=True)
INSIDE_BEGIN: Final = RequestBegin(0, 0, outside=False)
REFUSED: Final = RequestEnd(0, 0, -22, 0, granted=False)
ROUND: Final = ExitRound(0)


def granted(cookie: int, returned: int = 0) -> RequestEnd:
    return RequestEnd(0, 0, returned, cookie, returned >= 0)


def call(cookie: int, trace: Trace = ()) -> CallbackBegin:
    return CallbackBegin(0, 0, cookie, trace)


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (granted(0), True),
        (granted(0, 1), True),
        (REFUSED, False),
        (granted(3), False),
        (call(0), True),
        (call(3), False),
        (CallbackBegin(1, 0, 0, ()), False),
    ],
)
def test_cookie_zero(event: object, found: bool) -> None:
    assert signatures([cookie_zero(0, 0)], event) == ["cookie-zero"] * found


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([BEGIN, granted(3), call(3)], False),
        ([BEGIN, granted(3), call(5)], True),
        ([BEGIN, granted(3), call(0)], False),
        ([call(5)], False),
        ([BEGIN, REFUSED, call(5)], False),
        ([BEGIN, granted(3), BEGIN, call(5)], False),
        ([BEGIN, granted(3), BEGIN, REFUSED, call(5)], True),
        ([BEGIN, granted(3), EXIT, BEGIN, granted(5), call(3)], False),
        ([BEGIN, granted(3), EXIT, BEGIN, granted(5), call(5)], False),
        ([BEGIN, granted(3), call(3), call(5)], True),
        ([BEGIN, granted(3), call(3), EXIT, call(5)], False),
    ],
)
def test_cookie_mismatch(events: list[object], found: bool) -> None:
    assert signatures([cookie_mismatch(0, 0)], *events) == ["cookie-mismatch"] * found


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([granted(3), granted(3, 1), RequestEnd(0, 1, 0, 3, granted=True)], False),
        ([granted(3), EXIT, granted(5)], False),
        ([granted(3), EXIT, granted(3)], True),
        ([granted(3), EXIT, RequestEnd(0, 1, 1, 3, granted=True)], True),
        ([granted(3), EXIT, granted(5), EXIT, EXIT, granted(3)], True),
        ([granted(3), EXIT, granted(3, -22)], False),
        ([granted(0), EXIT, granted(0)], False),
        ([granted(3), EXIT, call(3)], False),
        ([call(3), call(3), EXIT, call(5)], False),
        ([call(3), EXIT, CallbackBegin(0, 1, 3, ())], True),
        ([call(0), EXIT, call(0)], False),
        ([granted(3), EXIT, RequestEnd(1, 0, 0, 3, granted=True)], False),
    ],
)
def test_cookie_shared(events: list[object], found: bool) -> None:
    assert signatures([cookie_shared(0)], *events) == ["cookie-shared"] * found


def entry(stack: int) -> KernelEntry:
    return KernelEntry(0, stack)


def truth(stack: int) -> set[Trace]:
    """Two acceptable traces: one is cut short."""
    return {(stack, 100), (stack,)}


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([entry(1), BEGIN, granted(3), call(3, (1, 100))], False),
        ([entry(1), BEGIN, granted(3), call(3, (1,))], False),
        ([entry(1), BEGIN, granted(3), call(3, (2, 100))], True),
        ([entry(1), call(3, (2, 100))], False),
        ([entry(1), BEGIN, REFUSED, call(3, (2, 100))], False),
        ([entry(1), BEGIN, granted(3), call(5, (2, 100))], False),
        # the entry that counts is the request's: the first until the exit
        ([entry(1), entry(2), BEGIN, granted(3), call(3, (2,))], True),
        ([entry(1), BEGIN, granted(3), EXIT, entry(2), call(3, (2,))], True),
        ([entry(1), BEGIN, granted(3), EXIT, entry(2), call(3, (1,))], False),
        # a trace must be right for all that have its cookie
        ([entry(1), BEGIN, granted(3), EXIT, entry(2), BEGIN, granted(3, 1), call(3, (2,))], True),
        (
            [entry(1), BEGIN, granted(3), EXIT, entry(2), call(3, (1,)), BEGIN, granted(3, 1)],
            True,
        ),
        ([entry(1), BEGIN, granted(3), call(3, (1,)), BEGIN, granted(3, 1)], False),
        # told 0, it is owed a callback of its own, and the one before is not its answer
        ([entry(1), BEGIN, granted(3), EXIT, entry(2), call(3, (1,)), BEGIN, granted(3)], False),
        # answered and left: a later entry's callback is about something else
        ([entry(1), BEGIN, granted(3), call(3, (1,)), EXIT, entry(2), call(3, (2,))], False),
        ([entry(1), BEGIN, granted(3), call(3, (1,)), call(3, (2,))], True),
        ([BEGIN, granted(3), call(3, (9,))], False),
    ],
)
def test_wrong_stack(events: list[object], found: bool) -> None:
    assert signatures([wrong_stack(0, 0, truth)], *events) == ["wrong-stack"] * found


def test_an_empty_trace_is_wrong_unless_truth_knows_it() -> None:
    asked = (entry(1), BEGIN, granted(3), call(3, ()))
    assert signatures([wrong_stack(0, 0, truth)], *asked) == ["wrong-stack:empty"]
    assert signatures([wrong_stack(0, 0, lambda stack: {(), (stack,)})], *asked) == []
    assert signatures([wrong_stack(0, 0, truth)], entry(1), call(3, ())) == []


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([ROUND], False),
        ([ROUND, ROUND], True),
        ([BEGIN, granted(3), ROUND, ROUND], False),
        ([BEGIN, granted(3), ROUND, ROUND, ROUND], True),
        ([BEGIN, granted(3, 1), ROUND, ROUND], True),
        ([BEGIN, REFUSED, ROUND, ROUND], True),
        ([INSIDE_BEGIN, granted(3), ROUND, ROUND], True),
        # nested: the inner one, from outside, was told 1; the outer 0
        ([INSIDE_BEGIN, BEGIN, granted(3, 1), granted(3), ROUND, ROUND], True),
        ([BEGIN, INSIDE_BEGIN, granted(3, 1), granted(3), ROUND, ROUND], False),
        ([ROUND, EXIT, ROUND], False),
        ([BEGIN, granted(3), EXIT, ROUND, ROUND], True),
        ([ROUND, KernelEntry(0, 1), ROUND], True),
        ([ROUND, ExitRound(1)], False),
    ],
)
def test_live_lock(events: list[object], found: bool) -> None:
    assert signatures([live_lock(0)], *events) == ["live-lock"] * found
