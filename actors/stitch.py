"""Stitching samples and deferred callchains by cookie, as perf's reader does (`core.sframe.perf.stitch`)."""

from collections.abc import Iterator
from dataclasses import dataclass

from stackweave.core.sframe.perf.stitch import DeferredSamples
from stackweave.wire.messages import Deferred, Sample


@dataclass(frozen=True, slots=True)
class Stitched:
    """A sample as the reader delivers it."""

    sample: Sample
    chain: tuple[int, ...]
    """The user's callchain; empty for an unmerged one."""
    merged: bool
    """Whether a deferred record brought the chain."""


class Stitcher:
    """The samples of one session that wait for their callchains."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: DeferredSamples[Sample] = DeferredSamples()

    def sample(self, sample: Sample) -> Iterator[Stitched]:
        """Take a sample: one whose request was refused has its chain with it, and is delivered at once."""
        if sample.cookie:
            self._waiting.wait(sample.task, sample.cookie, sample)
        else:
            yield Stitched(sample, sample.chain, merged=False)

    def deferred(self, record: Deferred) -> Iterator[Stitched]:
        """Take a deferred record: it releases what waits for its task, oldest first."""
        for sample, merged in self._waiting.release(record.task, record.cookie):
            yield Stitched(sample, record.chain if merged else (), merged)

    def flush(self) -> Iterator[Stitched]:
        """End the session: what still waits is delivered unmerged."""
        for sample in self._waiting.flush():
            yield Stitched(sample, (), merged=False)
