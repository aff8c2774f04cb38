"""Which deferred callchain belongs to which sample, as perf's reader has it.

A sample whose request was granted waits. The next deferred record of the same task releases all
that wait for that task: those with its cookie get its chain, the others are delivered as they
are, and so is what still waits at the end of the session (tools/perf/util/session.c, the merging
of deferred callchains). So a sample goes unmerged when its record was lost, or came before the
sample did.
"""

from itertools import chain
from operator import itemgetter
from typing import Generic, TypeVar

Item = TypeVar("Item")


class DeferredSamples(Generic[Item]):
    """The samples of one session that wait for their callchains."""

    __slots__ = ("_count", "_waiting")

    def __init__(self) -> None:
        self._waiting: dict[int, list[tuple[int, int, Item]]] = {}
        """By task, oldest first: place in the session, cookie, sample."""
        self._count = 0

    def wait(self, task: int, cookie: int, item: Item) -> None:
        """Keep a sample of `task` whose callchain was deferred."""
        self._waiting.setdefault(task, []).append((self._count, cookie, item))
        self._count += 1

    def release(self, task: int, cookie: int) -> list[tuple[Item, bool]]:
        """A deferred record: what waited for its task, oldest first, and whether the cookie is its own."""
        return [(item, own == cookie) for _, own, item in self._waiting.pop(task, ())]

    def flush(self) -> list[Item]:
        """The end of the session: what still waits, oldest first."""
        left = sorted(chain.from_iterable(self._waiting.values()), key=itemgetter(0))
        self._waiting.clear()
        return [item for _, _, item in left]
