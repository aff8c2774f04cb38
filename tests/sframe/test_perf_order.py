"""The order of time, and which deferred callchain belongs to which sample: the rules by themselves."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from stackweave.core.sframe.perf import PerfFile, PerfSession
from stackweave.core.sframe.perf.constants import RecordType
from stackweave.core.sframe.perf.order import TimeOrder
from stackweave.core.sframe.perf.stitch import DeferredSamples

from .perf_made import Made, Session

MADE = Made()
ROUND = MADE.record(RecordType.FINISHED_ROUND, b"")


def times(*records: bytes) -> list[int | None]:
    session = Session(MADE, records=list(records))
    return [stack.time for stack in PerfSession(PerfFile(session.as_file(), "made")).stacks()]


def at(*moments: int) -> list[bytes]:
    return [MADE.sample(5, moment) for moment in moments]


def test_buffers_are_merged_by_time() -> None:
    assert times(*at(10, 30), *at(20, 40), ROUND, *at(50, 70), *at(45, 60)) == [
        *(10, 20, 30, 40, 45, 50, 60, 70)
    ]


def test_a_round_may_be_older_than_the_newest_of_the_one_before() -> None:
    """But not older than the one before that: what is older is no longer waited for."""
    assert times(*at(10, 50), ROUND, *at(20, 60), ROUND, *at(55)) == [10, 20, 50, 55, 60]
    assert times(*at(10, 50), ROUND, *at(60), ROUND, *at(20)) == [10, 50, 20, 60]


def test_records_without_a_time_take_effect_where_they_stand() -> None:
    assert times(*at(20), *at(0), *at(10)) == [0, 10, 20]


def test_what_is_not_waited_for_goes_in_order() -> None:
    order: TimeOrder[str] = TimeOrder(limit=4)
    gone = [item for moment in (5, 3, 9, 3) for item in order.push(moment, f"{moment}")]
    assert gone == []
    assert list(order.push(1, "1")) == ["1", "3"]
    assert list(order.flush()) == ["3", "5", "9"]


Rounds = list[list[int]]


def in_rounds(rounds: Rounds) -> list[tuple[int, int]]:
    """What comes out, with each record's place in the file."""
    order: TimeOrder[tuple[int, int]] = TimeOrder()
    out: list[tuple[int, int]] = []
    place = 0
    for moments in rounds:
        for moment in moments:
            out += order.push(moment, (moment, place))
            place += 1
        out += order.finish_round()
    return [*out, *order.flush()]


@given(st.lists(st.lists(st.integers(1, 50), max_size=6), max_size=6))
def test_rounds_that_keep_their_word_come_out_sorted(rounds: Rounds) -> None:
    """Each round's records are at least as new as the newest of the round before the last."""
    kept: Rounds = []
    for moments in rounds:
        floor = max((m for earlier in kept[:-1] for m in earlier), default=0)
        kept.append([max(moment, floor) for moment in moments])
    places = [(m, i) for i, m in enumerate(m for moments in kept for m in moments)]
    assert in_rounds(kept) == sorted(places)


def released(waiting: Sequence[tuple[int, int]]) -> DeferredSamples[str]:
    samples: DeferredSamples[str] = DeferredSamples()
    for number, (task, cookie) in enumerate(waiting):
        samples.wait(task, cookie, f"{number}")
    return samples


def test_a_record_releases_all_of_its_task() -> None:
    samples = released([(1, 7), (2, 7), (1, 8), (1, 7)])
    assert samples.release(1, 7) == [("0", True), ("2", False), ("3", True)]
    assert samples.release(1, 8) == []
    assert samples.flush() == ["1"]


def test_the_end_releases_the_rest_oldest_first() -> None:
    samples = released([(9, 1), (3, 1), (9, 2), (4, 1)])
    assert samples.release(4, 9) == [("3", False)]
    assert samples.flush() == ["0", "1", "2"]
    assert samples.flush() == []
