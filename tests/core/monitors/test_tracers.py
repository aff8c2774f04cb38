"""after-cancel and inherited, on events fed by hand. Tracers 0 and 1 own bit 4, one after the other."""

from typing import Final

import pytest

from stackweave.core.events import (
    CallbackBegin,
    CancelBegin,
    CancelEnd,
    KernelExit,
    Registered,
    RequestBegin,
    RequestEnd,
    TaskExit,
    UnwindReset,
)
from stackweave.core.monitors import after_cancel, inherited

from .feeding import signatures

EXIT: Final = KernelExit(0)
FIRST: Final = Registered(0, 4)
HANDOVER: Final = (CancelBegin(0), CancelEnd(0), Registered(1, 4))
STALE: Final = ["inherited:stale-snapshot"]
RACING: Final = ["inherited:racing-request"]
SWALLOWED: Final = ["inherited:swallowed"]


def begin(tracer: int) -> RequestBegin:
    return RequestBegin(0, tracer, outside=True)


def end(tracer: int, returned: int = 0, cookie: int = 3) -> RequestEnd:
    return RequestEnd(0, tracer, returned, cookie, returned >= 0)


def call(tracer: int) -> CallbackBegin:
    return CallbackBegin(0, tracer, 3, ())


def asks(tracer: int) -> tuple[object, object]:
    return begin(tracer), end(tracer)


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([call(0)], False),
        ([CancelBegin(0), call(0), CancelEnd(0)], False),
        ([CancelBegin(0), CancelEnd(0), call(0)], True),
        ([CancelBegin(0), CancelEnd(0), CallbackBegin(7, 0, 3, ())], True),
        ([CancelBegin(0), CancelEnd(0), call(1)], False),
        ([CancelBegin(0), CancelEnd(0), Registered(0, 2), call(0)], False),
        ([CancelBegin(0), CancelEnd(0), Registered(1, 2), call(0)], True),
    ],
)
def test_after_cancel(events: list[object], found: bool) -> None:
    assert signatures([after_cancel(0)], *events) == ["after-cancel"] * found


@pytest.mark.parametrize(
    ("events", "found"),
    [
        # called without having asked, while the earlier owner's request stands
        ([FIRST, *asks(0), *HANDOVER, call(1)], STALE),
        (
            [FIRST, begin(0), CancelBegin(0), end(0), CancelEnd(0), Registered(1, 4), call(1)],
            RACING,
        ),
        ([FIRST, *HANDOVER, begin(0), end(0), call(1)], RACING),
        ([FIRST, begin(0), *HANDOVER, call(1)], RACING),
        ([FIRST, *asks(0), CancelBegin(0), Registered(1, 4), call(1)], STALE),
        # nobody asked at all: unrequested, and nothing inherited
        ([FIRST, *HANDOVER, call(1)], []),
        ([FIRST, begin(0), end(0, -22), *HANDOVER, call(1)], []),
        ([FIRST, *asks(0), call(0), EXIT, *HANDOVER, call(1)], []),
        ([*asks(0), Registered(1, 4), call(1)], []),
        # answered in this entry: it stands until the exit
        ([FIRST, *asks(0), call(0), *HANDOVER, call(1)], STALE),
        # the new owner asked, before or after it got the bit
        ([FIRST, *asks(0), *HANDOVER, *asks(1), call(1)], []),
        ([FIRST, *asks(0), begin(1), *HANDOVER, end(1), call(1)], []),
        ([FIRST, *asks(0), *HANDOVER, begin(1), call(1)], []),
        # and its callback used up what the earlier owner had asked for
        ([FIRST, *asks(0), *HANDOVER, *asks(1), call(1), EXIT, call(1)], []),
        # another bit, or another task
        ([Registered(0, 5), *asks(0), CancelBegin(0), CancelEnd(0), Registered(1, 4), call(1)], []),
        ([FIRST, *HANDOVER, Registered(0, 5), *asks(0), call(1)], []),
        ([FIRST, *asks(0), *HANDOVER, CallbackBegin(1, 1, 3, ())], []),
        # the earlier owner's own callback answers it: nothing stands in the next entry
        ([FIRST, *asks(0), *HANDOVER, call(0), EXIT, call(1)], []),
        # it has another bit by now: what it asks is about that one
        ([FIRST, Registered(0, 5), *asks(0), Registered(1, 4), call(1)], []),
        # three owners: only the last two matter
        ([FIRST, *asks(0), *HANDOVER, CancelBegin(1), CancelEnd(1), Registered(2, 4), call(2)], []),
        # the same tracer again
        ([FIRST, *asks(0), CancelBegin(0), CancelEnd(0), FIRST, call(0)], STALE),
    ],
)
def test_a_gift(events: list[object], found: list[str]) -> None:
    assert signatures([inherited(0, 4)], *events) == found


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([FIRST, *asks(0), call(0), *HANDOVER, *asks(1), EXIT], SWALLOWED),
        ([FIRST, *asks(0), call(0), *HANDOVER, begin(1), end(1, 1), TaskExit(0)], SWALLOWED),
        ([FIRST, *asks(0), *HANDOVER, call(0), *asks(1), EXIT], SWALLOWED),
        ([FIRST, *asks(0), call(0), *HANDOVER, *asks(1), call(1), EXIT], []),
        ([FIRST, *asks(0), call(0), *HANDOVER, begin(1), end(1, -22), EXIT], []),
        ([FIRST, *asks(0), call(0), *HANDOVER, EXIT], []),
        # the earlier owner was not called in this entry: lost, and nobody took it
        ([FIRST, *asks(0), *HANDOVER, *asks(1), EXIT], []),
        ([FIRST, *asks(0), call(0), *HANDOVER, EXIT, *asks(1), EXIT], []),
        # what is asked for after the reset is due in the next entry
        ([FIRST, *asks(0), call(0), *HANDOVER, UnwindReset(0), *asks(1), EXIT], []),
        (
            [FIRST, UnwindReset(0, True), *asks(0), call(0), *HANDOVER, *asks(1), EXIT],
            SWALLOWED,
        ),
        ([FIRST, *asks(0), call(0), *HANDOVER, *asks(1), UnwindReset(0), EXIT], SWALLOWED),
        # the new owner was cancelled, too
        ([FIRST, *asks(0), call(0), *HANDOVER, *asks(1), CancelBegin(1), EXIT], []),
    ],
)
def test_a_theft(events: list[object], found: list[str]) -> None:
    assert signatures([inherited(0, 4)], *events) == found


def test_a_later_registration_owes_an_overtaken_request_nothing() -> None:
    again = (CancelBegin(0), CancelEnd(0), Registered(0, 4))
    overtaken = (FIRST, *asks(0), call(0), begin(0), *again, end(0), EXIT)
    assert signatures([inherited(0, 4)], *overtaken) == []
    owed = (FIRST, *asks(0), call(0), *again, *asks(0), EXIT)
    assert signatures([inherited(0, 4)], *owed) == SWALLOWED
