"""When messages come from outside."""

from stackweave.actors.timetable import NEVER, Source, Timetable
from stackweave.core import Program
from stackweave.wire.messages import Cancel, Exit, Register, Stop


def timetable(seed: int) -> Timetable:
    layout = Program("boxes").layout
    one, two = layout.mailbox("one", 1, object), layout.mailbox("two", 1, object)
    return Timetable([Source(one, [Cancel(), Register()], 10), Source(two, [Exit()], 30)], seed)


def taken(seed: int, count: int) -> list[tuple[int, str, object]]:
    times = timetable(seed)
    arrivals: list[tuple[int, str, object]] = []
    for _ in range(count):
        due = times.due
        arrival = times.take()
        arrivals.append((due, arrival.mailbox.name, arrival.message))
    return arrivals


def test_each_source_sends_in_turn_at_its_pace() -> None:
    arrivals = taken(1, 400)
    times = [due for due, _, _ in arrivals]
    assert times == sorted(times)
    one = [message for _, name, message in arrivals if name == "one"]
    assert one == [Cancel(), Register()] * (len(one) // 2) + [Cancel()] * (len(one) % 2)
    assert 250 < len(one) < 350  # three times as often as the other
    gaps = [b - a for a, b in zip(*(_times(arrivals, "one")[at:] for at in (0, 1)), strict=False)]
    assert 1 <= min(gaps) <= max(gaps) <= 19


def _times(arrivals: list[tuple[int, str, object]], mailbox: str) -> list[int]:
    return [due for due, name, _ in arrivals if name == mailbox]


def test_a_seed_means_the_same_times() -> None:
    assert taken(7, 100) == taken(7, 100) != taken(8, 100)


def test_a_closed_one_and_one_without_sources_are_never_due() -> None:
    times = timetable(0)
    assert times.due < NEVER
    times.close()
    assert times.due == NEVER
    assert Timetable([], 0).due == NEVER


def test_a_gap_of_one_is_every_operation() -> None:
    box = Program("box").layout.mailbox("box", 1, object)
    times = Timetable([Source(box, [Stop()], 1)], 3)
    dues = []
    for _ in range(5):
        dues.append(times.due)
        times.take()
    assert dues == [1, 2, 3, 4, 5]
