"""Chrome's trace event format, which Perfetto's viewer reads, too: calls as slices of time.

A sample says what ran at one moment. Between two samples of a thread what both have in common is
taken to have run on, and the rest of the first one up to the second. Where the second comes
later than twice the thread's usual gap, the thread slept: slices end one usual gap behind the
first. Without times a sample is a microsecond.

Source: "Trace Event Format" of the Catapult project: complete events (`X`), whose times are in
microseconds, and metadata (`M`) with the threads' names.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low
from typing import BinaryIO, Final

from .stack import NamedStack, Thread

_MICROSECOND: Final = 1000

_Call = tuple[str, str | None]
"""Function and module."""
_Event = dict[str, object]


@dataclass(frozen=True, slots=True)
class _Sample:
    time: int
    """Nanoseconds."""
    calls: tuple[_Call, ...]
    """Outermost first."""


def write_chrome(stacks: Iterable[NamedStack], title: str, out: BinaryIO) -> None:
    """Write the document."""
    threads: dict[Thread, list[_Sample]] = {}
    same: dict[tuple[_Call, ...], tuple[_Call, ...]] = {}
    for stack in stacks:
        samples = threads.setdefault(stack.thread, [])
        calls = tuple((frame.label, frame.module) for frame in reversed(stack.frames))
        time = len(samples) * _MICROSECOND if stack.time is None else stack.time
        samples.append(_Sample(time, same.setdefault(calls, calls)))
    head = {"displayTimeUnit": "ns", "otherData": {"recording": title}}
    out.write(json.dumps(head)[:-1].encode() + b', "traceEvents": [')
    begin = ""
    for number, (thread, samples) in enumerate(threads.items(), 1):
        for event in (_name(thread, number), *_slices(thread, number, samples)):
            out.write(f"{begin}\n{json.dumps(event)}".encode())
            begin = ","
    out.write(b"\n]}\n")


def _place(thread: Thread, number: int) -> _Event:
    """Threads without a number get one of their own."""
    tid = number if thread.tid is None else thread.tid
    return {"pid": tid if thread.pid is None else thread.pid, "tid": tid}


def _name(thread: Thread, number: int) -> _Event:
    return {
        "ph": "M",
        "name": "thread_name",
        **_place(thread, number),
        "args": {"name": thread.name},
    }


def _slices(thread: Thread, number: int, samples: list[_Sample]) -> Iterator[_Event]:
    """Complete events; a call's comes when it ends, after those of the calls inside."""
    samples.sort(key=lambda sample: sample.time)
    gaps = [later.time - sooner.time for sooner, later in pairwise(samples)]
    usual = max(1, median_low(gaps)) if gaps else _MICROSECOND
    begins: list[int] = []
    for sample, gap, following in zip(
        samples, [*gaps, usual], [*samples[1:], _Sample(0, ())], strict=True
    ):
        begins += [sample.time] * (len(sample.calls) - len(begins))
        end = sample.time + (gap if gap <= 2 * usual else usual)
        kept = _common(sample.calls, following.calls) if gap <= 2 * usual else 0
        for depth in range(len(sample.calls) - 1, kept - 1, -1):
            name, module = sample.calls[depth]
            if begins[depth] == end:
                continue  # another sample at the same time
            yield {
                "ph": "X",
                "name": name,
                **_place(thread, number),
                "ts": begins[depth] / _MICROSECOND,
                "dur": (end - begins[depth]) / _MICROSECOND,
                "args": {"module": module},
            }
        del begins[kept:]


def _common(calls: tuple[_Call, ...], others: tuple[_Call, ...]) -> int:
    """How many calls, from the outermost, are the same."""
    count = 0
    for one, other in zip(calls, others, strict=False):
        if one != other:
            break
        count += 1
    return count
