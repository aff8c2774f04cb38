"""Records in the order of time, a round at a time.

perf reads one buffer per CPU after the other and marks the end of each pass with FINISHED_ROUND.
What the pass before had seen is then complete: no later record can be older than the newest one
of that pass. So a round's end releases what is not newer than the newest of the round before
(tools/perf/util/ordered-events.c). Records of one time keep the file's order.

Sessions without rounds would have to be held whole; beyond `LIMIT` the older half is let go, as
perf does when its memory is used up.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

LIMIT: Final = 1 << 20
"""Records held at once."""


class TimeOrder(Generic[Item]):
    """What waits for its turn."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._heap: list[tuple[int, int, Item]] = []
        self._count = 0
        self._newest = 0
        self._safe = 0
        """The newest time of the round before."""

    def push(self, time: int, item: Item) -> Iterator[Item]:
        """Take a record; yields what must go because too much waits."""
        heappush(self._heap, (time, self._count, item))
        self._count += 1
        self._newest = max(self._newest, time)
        if len(self._heap) > self._limit:
            for _ in range(self._limit // 2):
                yield heappop(self._heap)[2]

    def finish_round(self) -> Iterator[Item]:
        """A round is over: yields what no record to come can precede."""
        yield from self._release(self._safe)
        self._safe = self._newest

    def flush(self) -> Iterator[Item]:
        """The session is over."""
        yield from self._release(self._newest)

    def _release(self, until: int) -> Iterator[Item]:
        while self._heap and self._heap[0][0] <= until:
            yield heappop(self._heap)[2]
