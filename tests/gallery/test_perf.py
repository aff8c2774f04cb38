"""perf's reader and the callchains that came too early: in the models, and in a session that was recorded."""

import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from stackweave.actors.events import Delivered
from stackweave.actors.stitch import Stitched, Stitcher
from stackweave.core.errors import ViolationFound
from stackweave.core.events import CallbackBegin
from stackweave.gallery.entries import ENTRIES
from stackweave.gallery.evidence import Searched, every_execution
from stackweave.programs.perf_reader import Unmerged
from stackweave.wire.messages import Deferred, Sample

SESSION: Final = Path(__file__).parents[1] / "data" / "perf" / "p1_churn3.tsv.xz"
BACKWARD: Final = ENTRIES["upstream-perf-backward"]


def searched() -> Searched:
    assert BACKWARD.case is not None
    return every_execution(BACKWARD.case, BACKWARD.signatures)


class LooksBack(Stitcher):
    """Mended: it keeps the last record of each task, for samples that refer to it."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[int, Deferred] = {}

    def sample(self, sample: Sample) -> Iterator[Stitched]:
        last = self._last.get(sample.task)
        if last is not None and last.cookie == sample.cookie:
            yield Stitched(sample, last.chain, merged=True)
        else:
            yield from super().sample(sample)

    def deferred(self, record: Deferred) -> Iterator[Stitched]:
        self._last[record.task] = record
        yield from super().deferred(record)


def test_a_reader_that_looks_back_leaves_none_unmerged(monkeypatch: pytest.MonkeyPatch) -> None:
    assert searched().signatures == BACKWARD.signatures
    monkeypatch.setattr("stackweave.actors.tracer.Stitcher", LooksBack)
    assert searched().is_without(BACKWARD.signatures)


def test_what_is_unmerged() -> None:
    called = Unmerged().after(CallbackBegin(0, 0, 5, ()))
    with pytest.raises(ViolationFound, match="cookie 0x5"):
        called.after(Delivered(0, 0, 5, (), merged=False))
    # merged, of another cookie, or never called: no reader's fault
    assert called.after(Delivered(0, 0, 5, (), merged=True)) == called
    assert called.after(Delivered(0, 0, 7, (), merged=False)) == called
    assert Unmerged().after(Delivered(0, 0, 5, (), merged=False)) == Unmerged()


def test_a_recorded_session_has_them() -> None:
    """Of the samples that carry a cookie the unmerged ones are just those whose record came before."""
    stitcher, delivered = Stitcher(), list[Stitched]()
    called, backward = set[tuple[int, int]](), list[Sample]()
    with lzma.open(SESSION, "rt") as lines:
        for line in lines:
            kind, *fields = line.rstrip("\n").split("\t")
            if kind == "S":
                sample = Sample(int(fields[3]), int(fields[1]), int(fields[7], 16), 0, ())
                delivered += stitcher.sample(sample)
                if (sample.task, sample.cookie) in called:
                    backward.append(sample)
            elif kind == "D":
                record = Deferred(int(fields[3]), int(fields[4], 16), ())
                called.add((record.task, record.cookie))
                delivered += stitcher.deferred(record)
    delivered += stitcher.flush()
    unmerged = [each.sample for each in delivered if each.sample.cookie and not each.merged]
    assert len(backward) == 7
    assert sorted(unmerged, key=lambda each: each.cookie) == backward
