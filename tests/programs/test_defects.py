"""Each defect's program shows the signature that it is named for, and the right ones beside it show none."""

import pytest

from stackweave.gallery.entries import ENTRIES
from stackweave.programs import BUILTIN

from .support import build, signatures

DEFECTS = {
    # program: signatures, executions within which each shows
    "cancelled-work-asks": (("undefined-behaviour:shift-out-of-bounds", "lost:cancelled"), 40),
    "request-returns-bit": (("return-value",), 400),
    "stale-snapshot": (("inherited:stale-snapshot", "unrequested"), 200),
    "walker-reads-cancelled": (("undefined-behaviour:test_bit-out-of-bounds",), 1000),
    "request-races-cancel": (("inherited:racing-request",), 400),
    "cookie-zero": (("cookie-zero",), 2000),
    "reset-skipped": (("late:no-reset", "cookie-shared"), 400),
    "cookie-after-reset": (("late:after-reset",), 400),
    "spurious-callback": (("twice",), 100),
}


def test_every_program_is_of_the_gallery() -> None:
    cases = [entry.case for entry in ENTRIES.values() if entry.case is not None]
    cases += [gone.case for entry in ENTRIES.values() for gone in entry.gone]
    shown = {case.program for case in cases}
    assert set(DEFECTS) <= shown == set(BUILTIN) - {"default", "cas-increments"}


@pytest.mark.parametrize("name", DEFECTS)
def test_it_shows(name: str) -> None:
    wanted, count = DEFECTS[name]
    shown = signatures(build(name), count)
    assert not [signature for signature in wanted if not shown[signature]], shown


def test_no_callback_is_spurious_where_calls_are_remembered() -> None:
    assert signatures(build("spurious-callback", "bitmask"), 200)["twice"] > 20
    # an exit without a hook is served when its memory has gone
    assert set(signatures(build("spurious-callback", "completed"), 2000)) == {"wrong-stack:empty"}


def test_counting_up_with_cmpxchg_loses_nothing() -> None:
    assert not signatures(build("cas-increments"), 500)


BEFORE = ("bitmask", "completed")


@pytest.mark.parametrize("generation", BEFORE)
def test_a_cancelled_work_keeps_its_bit_before_upstream(generation: str) -> None:
    shown = signatures(build("cancelled-work-asks", generation), 200)
    assert not shown["undefined-behaviour:shift-out-of-bounds"]


@pytest.mark.parametrize("generation", BEFORE)
def test_no_walk_under_the_mutex_reads_a_cancelled_bit(generation: str) -> None:
    assert not signatures(build("walker-reads-cancelled", generation), 1000)
