"""PCT: random priorities, changed at a few random moments.

Source: Burckhardt, Kothari, Musuvathi, Nagarakatte, "A randomized scheduler with probabilistic guarantees of
finding bugs", ASPLOS 2010. A bug's depth d is the number of ordering constraints that are enough to show it. Of n
contexts each gets a random distinct priority, and the highest enabled one moves. At d - 1 moments, drawn from the
k moves of an execution, whoever has just moved drops below all that were not changed. An execution shows a given
bug of depth d with a probability of at least 1 / (n * k**(d - 1)).

What is ours. k is the length of the longest pilot; executions that are longer have no change points in their end.
The moments are drawn independently, as in the paper: two may coincide. Interrupts, NMIs and tasks that are not yet
forked have priorities like all others: a high one enters as soon as its guards let it, and to enter in the middle
of a task takes one change point. Weights have no say. A context that pauses drops below everybody: without that a
loop that retries would starve whoever it waits for, and the guarantee holds for programs that do not pause.
"""

from collections.abc import Sequence

from ..context import Context
from ..prng import stream, stream_seed
from .footprint import pauses


class Pct:
    """The highest of the enabled."""

    def __init__(self, seed: int, depth: int, length: int) -> None:
        self._seed = seed
        self._depth = depth
        self._length = length
        self._draw = stream(0)
        self._priorities: list[int] = []
        self._points: list[int] = []
        self._moves = 0
        self._lowest = 1

    def begin(self, execution: int, contexts: Sequence[Context]) -> None:
        """Draw the priorities, from the depth on, and the change points."""
        self._draw = draw = stream(stream_seed(self._seed, execution))
        self._priorities = [self._depth + context.index for context in contexts]
        for last in range(len(contexts) - 1, 0, -1):
            other = draw(range(last + 1))
            priorities = self._priorities
            priorities[last], priorities[other] = priorities[other], priorities[last]
        self._points = [1 + draw(range(self._length)) for _ in range(self._depth - 1)]
        self._moves = 0
        self._lowest = 1

    def pick(self, enabled: Sequence[Context]) -> Context:
        """The enabled context of the highest priority; at a change point it drops after this move."""
        priorities = self._priorities
        context = max(enabled, key=lambda context: priorities[context.index])
        self._moves += 1
        for number, point in enumerate(self._points, 1):
            if point == self._moves:
                priorities[context.index] = number
        if pauses(context):
            self._lowest -= 1
            priorities[context.index] = self._lowest
        return context

    def choose(self, n: int) -> int:
        """A uniform draw."""
        return self._draw(range(n))
