"""When messages come from outside: sources that send on a clock of their own, which counts operations.

The gaps are drawn from a seed, one stream a source. A clock that counted seconds would make a run depend on the
machine's speed; this one only on how far the run has come. An idle machine's clock is put forward to
the next arrival.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace
from typing import Any, Final

from stackweave.core import Mailbox
from stackweave.core.prng import stream, stream_seed
from stackweave.wire import Message

NEVER: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Source:
    """Sends its messages in turn, over and over, about every `gap` operations: 1 to 2 * gap - 1 apart."""

    mailbox: Mailbox[Any]
    messages: Sequence[Message]
    gap: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that is due."""

    mailbox: Mailbox[Any]
    message: Message


class Timetable:
    """What arrives next from several sources."""

    def __init__(self, sources: Sequence[Source], seed: int) -> None:
        self.mailboxes = [source.mailbox for source in sources]
        self._sources = sources
        self._draws = [stream(stream_seed(seed, 1 + number)) for number in range(len(sources))]
        self._sent = [0] * len(sources)
        self._heap: list[tuple[int, int]] = []
        for number in range(len(sources)):
            heappush(self._heap, (self._gap(number), number))
        self.due = self._heap[0][0] if self._heap else NEVER
        """The operation at which the next message arrives."""

    def take(self) -> Arrival:
        """The next message, whose source then waits for a gap. There must be one that is due some time."""
        due, number = self._heap[0]
        source = self._sources[number]
        message = source.messages[self._sent[number] % len(source.messages)]
        self._sent[number] += 1
        heapreplace(self._heap, (due + self._gap(number), number))
        self.due = self._heap[0][0]
        return Arrival(source.mailbox, message)

    def close(self) -> None:
        """Nothing arrives any more."""
        while self._heap:
            heappop(self._heap)
        self.due = NEVER

    def _gap(self, number: int) -> int:
        return 1 + self._draws[number](range(2 * self._sources[number].gap - 1))
