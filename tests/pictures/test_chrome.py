"""Chrome's trace events: slices that nest, and at each sample's time its stack."""

import json
from collections.abc import Iterable
from typing import Any

from stackweave.pictures import NamedStack, Thread
from stackweave.pictures.chrome import write_chrome

from .made import HOSTILE, MAIN, OTHER, hostile, many, stack, written


def events_of(stacks: Iterable[NamedStack]) -> list[dict[str, Any]]:
    document = json.loads(written(write_chrome, stacks))
    assert document["otherData"] == {"recording": "prog.data"}
    events: list[dict[str, Any]] = document["traceEvents"]
    return events


def slices(events: list[dict[str, Any]], thread: Thread) -> list[tuple[int, int, str]]:
    """Begin and end, in nanoseconds, and name; callers before what they call."""
    own = [e for e in events if e["ph"] == "X" and e["tid"] == thread.tid]
    spans = [(round(e["ts"] * 1000), round((e["ts"] + e["dur"]) * 1000), e["name"]) for e in own]
    spans.reverse()
    return sorted(spans, key=lambda span: (span[0], -span[1]))


def nest(spans: list[tuple[int, int, str]]) -> bool:
    """Whether any two either nest or do not meet."""
    open_until: list[int] = []
    for begin, end, _ in spans:
        while open_until and open_until[-1] <= begin:
            open_until.pop()
        if begin >= end or (open_until and end > open_until[-1]):
            return False
        open_until.append(end)
    return True


def names_at(spans: list[tuple[int, int, str]], time: int) -> str:
    return "".join(name for begin, end, name in spans if begin <= time < end)


def test_at_each_samples_time_its_stack_runs() -> None:
    stacks = list(many(400))
    events = events_of(stacks)
    for thread in (MAIN, OTHER):
        spans = slices(events, thread)
        assert nest(spans)
        for each in stacks:
            if each.thread == thread:
                assert names_at(spans, each.time or 0) == "".join(
                    frame.label for frame in reversed(each.frames)
                )


def test_the_checks_see_what_is_wrong() -> None:
    spans = slices(events_of(many(400)), MAIN)
    longest = max(spans[1:], key=lambda span: span[1] - span[0])
    moved = [(b + 1, e + 100_000, n) if (b, e, n) == longest else (b, e, n) for b, e, n in spans]
    assert not nest(sorted(moved, key=lambda span: (span[0], -span[1])))


def test_what_two_samples_share_runs_on() -> None:
    events = events_of([stack("Mab", 1000), stack("MaC", 2000), stack("M", 3000)])
    assert slices(events, MAIN) == [
        (1000, 4000, "M"),
        (1000, 3000, "a"),
        (1000, 2000, "b"),
        (2000, 3000, "C"),
    ]


def test_a_thread_that_slept_did_not_run() -> None:
    times = (0, 10, 20, 1000, 1010)
    events = events_of(stack("M", time) for time in times)
    assert slices(events, MAIN) == [(0, 30, "M"), (1000, 1020, "M")]


def test_samples_at_one_time_and_without_times() -> None:
    assert slices(events_of([stack("Mb", 5), stack("Ma", 5)]), MAIN) == [(5, 6, "M"), (5, 6, "a")]
    events = events_of([stack("M", thread=Thread("core", tid=7)), stack("Ma", thread=OTHER)])
    assert slices(events, MAIN) == [(0, 1000, "M")]
    assert slices(events, OTHER) == [(0, 1000, "M"), (0, 1000, "a")]
    assert [e["args"]["name"] for e in events if e["ph"] == "M"] == ["core", "prog"]


def test_names_are_only_names() -> None:
    events = events_of(hostile())
    assert {event["name"] for event in events} - {"M", "thread_name"} == set(HOSTILE)
