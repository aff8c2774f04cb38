"""unrequested, twice, lost, late and return-value, on events fed by hand."""

from typing import Final

import pytest

from stackweave.core import ModelError
from stackweave.core.events import (
    CallbackBegin,
    CallbackEnd,
    CancelBegin,
    CancelEnd,
    KernelEntry,
    KernelExit,
    Registered,
    RequestBegin,
    RequestEnd,
    TaskExit,
    UnwindReset,
)
from stackweave.core.monitors import late, lost, return_value, twice, unrequested

from .feeding import signatures

ENTRY: Final = KernelEntry(0, 0)
EXIT: Final = KernelExit(0)
RESET: Final = UnwindReset(0)
AT_ENTRY: Final = UnwindReset(0, at_entry=True)
BEGIN: Final = RequestBegin(0, 0, outside=True)
GRANTED: Final = RequestEnd(0, 0, 0, 3, granted=True)
PENDING: Final = RequestEnd(0, 0, 1, 3, granted=True)
EXISTS: Final = RequestEnd(0, 0, -17, 3, granted=True)
"""Of `per_work`: a callback is pending already."""
REFUSED: Final = RequestEnd(0, 0, -22, 0, granted=False)
CALL: Final = CallbackBegin(0, 0, 3, ())
OTHER_CALL: Final = CallbackBegin(0, 0, 5, ())
ENDED: Final = TaskExit(0)
CANCEL: Final = CancelBegin(0)
CANCELLED: Final = CancelEnd(0)


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([CALL], True),
        ([BEGIN, CALL], False),
        ([BEGIN, GRANTED, CALL], False),
        ([BEGIN, REFUSED, CALL], True),
        ([BEGIN, BEGIN, REFUSED, CALL], False),
        ([BEGIN, BEGIN, REFUSED, REFUSED, CALL], True),
        ([BEGIN, GRANTED, CALL, CALL], False),
        ([BEGIN, GRANTED, CALL, EXIT, CALL], True),
        ([BEGIN, GRANTED, EXIT, CALL], False),
        ([BEGIN, GRANTED, EXIT, CALL, EXIT, CALL], True),
        # a backward reference asks for nothing any more
        ([BEGIN, GRANTED, CALL, BEGIN, PENDING, EXIT, CALL], True),
        # but one that is told 0 is owed a callback of its own
        ([BEGIN, GRANTED, CALL, BEGIN, GRANTED, EXIT, CALL], False),
        # what is asked for after the callback, under another cookie, stands
        (
            [BEGIN, GRANTED, CALL, BEGIN, RequestEnd(0, 0, 0, 5, granted=True), EXIT, OTHER_CALL],
            False,
        ),
        # a callback with a cookie that nobody has uses up everything
        ([BEGIN, GRANTED, OTHER_CALL, EXIT, CALL], True),
        # one with its own cookie leaves the others
        (
            [BEGIN, GRANTED, BEGIN, RequestEnd(0, 0, 0, 5, granted=True), CALL, EXIT, OTHER_CALL],
            False,
        ),
        # other tasks and tracers do not ask for this one
        ([RequestBegin(1, 0, True), CALL], True),
        ([RequestBegin(0, 1, True), CALL], True),
        ([BEGIN, GRANTED, CALL, KernelExit(1), CALL], False),
    ],
)
def test_unrequested(events: list[object], found: bool) -> None:
    assert signatures([unrequested(0, 0)], *events) == ["unrequested"] * found


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([CALL, CallbackEnd(0, 0)], False),
        ([CALL, CALL], True),
        ([CALL, OTHER_CALL], True),
        ([CALL, EXIT, CALL], False),
        ([CALL, KernelExit(1), CALL], True),
        # a tracer that has registered anew is another one
        ([CALL, Registered(0, 1), CALL], False),
        ([CALL, Registered(1, 1), CALL], True),
        ([CALL, ENTRY, CALL], True),
        ([CALL, CallbackBegin(0, 1, 3, ()), CallbackBegin(1, 0, 3, ())], False),
    ],
)
def test_twice(events: list[object], found: bool) -> None:
    assert signatures([twice(0, 0)], *events) == ["twice"] * found


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([BEGIN, GRANTED, ENDED], ["lost"]),
        ([BEGIN, GRANTED, EXIT], []),
        ([BEGIN, PENDING, ENDED], ["lost"]),
        ([BEGIN, REFUSED, ENDED], []),
        ([BEGIN, GRANTED, CALL, ENDED], []),
        ([BEGIN, GRANTED, EXIT, CALL, ENDED], []),
        ([BEGIN, GRANTED, OTHER_CALL, ENDED], ["lost"]),
        ([BEGIN, GRANTED, CALL, BEGIN, PENDING, ENDED], []),
        # a backward reference is told 1; it reaches back to this entry, no further
        ([BEGIN, GRANTED, CALL, BEGIN, GRANTED, ENDED], ["lost"]),
        ([BEGIN, GRANTED, CALL, EXIT, BEGIN, PENDING, ENDED], ["lost"]),
        # forgiven: cancelled after it returned, while it ran, or it began while the cancel ran
        ([BEGIN, GRANTED, CANCEL, CANCELLED, ENDED], []),
        ([BEGIN, CANCEL, GRANTED, CANCELLED, ENDED], []),
        ([BEGIN, CANCEL, CANCELLED, GRANTED, ENDED], []),
        ([CANCEL, BEGIN, GRANTED, CANCELLED, ENDED], []),
        ([BEGIN, GRANTED, CancelBegin(1), CancelEnd(1), ENDED], ["lost"]),
        # not forgiven: the cancel had returned
        ([CANCEL, CANCELLED, BEGIN, GRANTED, ENDED], ["lost:cancelled"]),
        ([CANCEL, CANCELLED, BEGIN, REFUSED, ENDED], []),
        ([CANCEL, CANCELLED, BEGIN, GRANTED, CALL, ENDED], []),
        ([CANCEL, CANCELLED, Registered(0, 0), BEGIN, GRANTED, ENDED], ["lost"]),
        # nested: the end belongs to the latest begin
        ([BEGIN, CANCEL, CANCELLED, BEGIN, GRANTED, GRANTED, ENDED], ["lost:cancelled"]),
        ([BEGIN, GRANTED, TaskExit(1)], []),
        # a negative value that is granted says "pending": no backward reference is an answer
        ([BEGIN, GRANTED, BEGIN, EXISTS, CALL, ENDED], []),
        ([BEGIN, GRANTED, CALL, BEGIN, EXISTS, CALL, ENDED], []),
        ([BEGIN, GRANTED, CALL, BEGIN, EXISTS, ENDED], ["lost:backward-reference"]),
        ([BEGIN, GRANTED, CALL, EXIT, BEGIN, EXISTS, ENDED], ["lost"]),
        ([BEGIN, EXISTS, ENDED], ["lost"]),
        ([CANCEL, CANCELLED, CALL, BEGIN, EXISTS, ENDED], ["lost:cancelled"]),
        ([BEGIN, GRANTED, CALL, BEGIN, EXISTS, CANCEL, CANCELLED, ENDED], []),
    ],
)
def test_lost(events: list[object], found: list[str]) -> None:
    assert signatures([lost(0, 0)], *events) == found


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([ENTRY, BEGIN, GRANTED, CALL, RESET, EXIT], []),
        ([ENTRY, BEGIN, GRANTED, RESET, EXIT, ENTRY, CALL], ["late"]),
        ([ENTRY, BEGIN, GRANTED, EXIT, ENTRY, CALL], ["late:no-reset"]),
        ([ENTRY, RESET, BEGIN, GRANTED, EXIT, ENTRY, CALL], ["late:after-reset"]),
        ([ENTRY, RESET, BEGIN, GRANTED, RESET, EXIT, CALL], ["late:after-reset"]),
        ([ENTRY, BEGIN, RESET, GRANTED, EXIT, ENTRY, CALL], ["late"]),
        # an entry while one is open continues it: answered in time
        ([ENTRY, BEGIN, GRANTED, ENTRY, CALL], []),
        ([ENTRY, RESET, ENTRY, BEGIN, GRANTED, EXIT, CALL], ["late:after-reset"]),
        # a reset before the entry, as in generations that reset on entry, is of no entry
        ([RESET, ENTRY, BEGIN, GRANTED, EXIT, ENTRY, CALL], ["late:no-reset"]),
        ([ENTRY, RESET, EXIT, ENTRY, BEGIN, GRANTED, EXIT, CALL], ["late:no-reset"]),
        # the cookie says which request is answered
        ([ENTRY, BEGIN, GRANTED, EXIT, ENTRY, OTHER_CALL], []),
        ([ENTRY, BEGIN, GRANTED, CALL, EXIT, ENTRY, CALL], []),
        ([ENTRY, BEGIN, GRANTED, CALL, BEGIN, PENDING, EXIT, ENTRY, CALL], []),
        ([ENTRY, BEGIN, GRANTED, CALL, BEGIN, GRANTED, RESET, EXIT, CALL], ["late"]),
        ([ENTRY, BEGIN, REFUSED, EXIT, ENTRY, CALL], []),
        ([ENTRY, BEGIN, GRANTED, EXIT, ENTRY, BEGIN, PENDING, CALL], ["late:no-reset"]),
        ([ENTRY, BEGIN, GRANTED, KernelExit(1), CALL], []),
        ([ENTRY, CALL, EXIT, ENTRY, BEGIN, PENDING, EXIT, CALL], ["late:no-reset"]),
        ([ENTRY, EXIT, RESET, ENTRY, BEGIN, GRANTED, EXIT, CALL], ["late:no-reset"]),
        # nested: the inner one is refused, the outer one granted
        ([ENTRY, BEGIN, BEGIN, REFUSED, GRANTED, RESET, EXIT, CALL], ["late"]),
        ([ENTRY, BEGIN, GRANTED, UnwindReset(1), EXIT, CALL], ["late:no-reset"]),
        # a reset at the entry is of the entry that was left
        ([ENTRY, BEGIN, GRANTED, EXIT, ENTRY, AT_ENTRY, CALL], ["late"]),
        ([ENTRY, AT_ENTRY, BEGIN, GRANTED, EXIT, ENTRY, CALL], ["late:no-reset"]),
        ([ENTRY, AT_ENTRY, BEGIN, GRANTED, EXIT, ENTRY, AT_ENTRY, CALL], ["late"]),
        ([ENTRY, BEGIN, GRANTED, AT_ENTRY, EXIT, ENTRY, CALL], ["late"]),
        ([ENTRY, RESET, BEGIN, GRANTED, EXIT, ENTRY, AT_ENTRY, CALL], ["late:after-reset"]),
        ([ENTRY, BEGIN, GRANTED, CALL, BEGIN, EXISTS, EXIT, CALL], ["late:no-reset"]),
    ],
)
def test_late(events: list[object], found: list[str]) -> None:
    assert signatures([late(0, 0)], *events) == found


@pytest.mark.parametrize(
    ("returned", "found"),
    [(0, False), (1, False), (-22, False), (2, True), (4, True), (-12, True), (-(1 << 31), True)],
)
def test_return_value(returned: int, found: bool) -> None:
    monitors = [return_value(0, (-22,))]
    assert (
        signatures(monitors, RequestEnd(5, 0, returned, 3, returned >= 0))
        == ["return-value"] * found
    )
    assert signatures(monitors, RequestEnd(5, 1, returned, 3, returned >= 0)) == []


def test_an_end_without_a_begin_is_the_programs_fault() -> None:
    for monitor in (lost(0, 0), late(0, 0)):
        with pytest.raises(ModelError, match="without a RequestBegin"):
            signatures([monitor], GRANTED)
