"""Stitching samples and deferred callchains by cookie, as perf's reader does.

A sample whose request was granted waits. The next deferred record of the same task releases all that wait for that
task: those with its cookie get its chain, the others are delivered as they are, and so is what still waits at
the end of the session (tools/perf/util/session.c, the merging of deferred callchains). So a sample goes unmerged
when its record was lost, or came before the sample did.
"""

from collections.abc import Iterator
from dataclasses import dataclass

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
        self._waiting: list[Sample] = []

    def sample(self, sample: Sample) -> Iterator[Stitched]:
        """Take a sample: one whose request was refused has its chain with it, and is delivered at once."""
        if sample.cookie:
            self._waiting.append(sample)
        else:
            yield Stitched(sample, sample.chain, merged=False)

    def deferred(self, record: Deferred) -> Iterator[Stitched]:
        """Take a deferred record: it releases what waits for its task, oldest first."""
        released = [sample for sample in self._waiting if sample.task == record.task]
        self._waiting = [sample for sample in self._waiting if sample.task != record.task]
        for sample in released:
            merged = sample.cookie == record.cookie
            yield Stitched(sample, record.chain if merged else (), merged)

    def flush(self) -> Iterator[Stitched]:
        """End the session: what still waits is delivered unmerged."""
        released, self._waiting = self._waiting, []
        for sample in released:
            yield Stitched(sample, (), merged=False)
