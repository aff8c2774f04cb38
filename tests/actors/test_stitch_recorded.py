"""Stitching a recorded session gives what perf's own reader made of it, sample by sample and in its order."""

import lzma
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from stackweave.actors import stitch
from stackweave.actors.stitch import Stitched, Stitcher
from stackweave.core.sframe.perf.stitch import DeferredSamples
from stackweave.wire.messages import Deferred, Sample

DATA: Final = Path(__file__).parents[1] / "data" / "perf"
HEADER: Final = re.compile(r"\s*\S.*?\s+(\d+) \[(\d+)\]\s+(\d+)\.(\d+):\s+\d+ \S+: ")


class Shown(NamedTuple):
    """A sample as `perf script` prints it."""

    tid: int
    cpu: int
    microseconds: int
    chain: tuple[int, ...]


def chain(text: str) -> tuple[int, ...]:
    return tuple(int(address, 16) for address in text.split(",") if address)


def stitched(stitcher: Stitcher) -> Iterator[Shown]:
    seen: dict[int, tuple[Sample, list[str]]] = {}

    def show(each: Stitched) -> Shown:
        _, fields = seen[id(each.sample)]
        kernel = chain(fields[9])
        cookie = each.sample.cookie
        # perf leaves the cookie of an unmerged sample where the chain should be
        user = each.chain if each.merged or not cookie else (cookie,)
        return Shown(int(fields[4]), int(fields[2]), int(fields[1]) // 1000, kernel + user)

    with lzma.open(DATA / "p1_churn3.tsv.xz", "rt") as lines:
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if fields[0] == "S":
                sample = Sample(int(fields[4]), int(fields[2]), int(fields[8], 16), 0, ())
                seen[id(sample)] = sample, fields
                yield from map(show, stitcher.sample(sample))
            elif fields[0] == "D":
                record = Deferred(int(fields[4]), int(fields[5], 16), chain(fields[7]))
                yield from map(show, stitcher.deferred(record))
    yield from map(show, stitcher.flush())


def merged_by_perf() -> list[Shown]:
    shown: list[Shown] = []
    with lzma.open(DATA / "p1_churn3.merge-callchains.txt.xz", "rt") as lines:
        for line in lines:
            header = HEADER.match(line)
            if header:
                tid, cpu, seconds, fraction = header.groups()
                shown.append(Shown(int(tid), int(cpu), int(seconds + fraction), ()))
            elif line.strip():
                address = int(line.split()[0], 16)
                shown[-1] = shown[-1]._replace(chain=(*shown[-1].chain, address))
    return shown


def test_a_session_is_stitched_as_perf_stitched_it() -> None:
    ours = list(stitched(Stitcher()))
    assert ours == merged_by_perf()
    assert len(ours) == 874


class OfAnyTask(DeferredSamples[Sample]):
    """Planted: a record releases the samples of every task."""

    def wait(self, task: int, cookie: int, item: Sample) -> None:
        super().wait(0, cookie, item)

    def release(self, task: int, cookie: int) -> list[tuple[Sample, bool]]:
        return super().release(0, cookie)


class KeepsUnequal(DeferredSamples[Sample]):
    """Planted: a sample waits on after a record of its task with another cookie."""

    def release(self, task: int, cookie: int) -> list[tuple[Sample, bool]]:
        released = super().release(task, cookie)
        for sample, fits in released:
            if not fits:
                self.wait(task, sample.cookie, sample)
        return [(sample, fits) for sample, fits in released if fits]


@pytest.mark.parametrize("planted", [OfAnyTask, KeepsUnequal])
def test_another_rule_gives_another_session(
    planted: type[DeferredSamples[Sample]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stitch, "DeferredSamples", planted)
    assert list(stitched(Stitcher())) != merged_by_perf()
