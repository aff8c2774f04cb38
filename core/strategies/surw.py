"""SURW: uniform over the orders of a few interesting operations, random in everything else.

Source: Zhao, Wolff, Mathur, Roychoudhury, "Selectively uniform concurrency testing", ASPLOS 2025. A random walk is
far from uniform over interleavings: it prefers those in which contexts take turns. Picking each context in
proportion to the operations that it has left is exactly uniform for straight-line programs, since an interleaving
of contexts with n1, n2, … operations left starts with the first one in the share n1 / (n1 + n2 + …) of all. Whole
interleavings are too many, though. So only the operations on one shared location are interesting, another one in
each execution, and only they are weighed: the context that performs the next one is drawn by what it has left, the
others are held back in front of theirs, and all that is not interesting moves as in a random walk.

What is ours. The locations, one of which an execution draws, are those that several contexts touched in the
pilots, at least one to write; what a context has left is counted down from the pilots' mean, rounded up. That is
exact for straight-line programs and an estimate for others. Where the drawn context cannot move and all who can
are held back, one of these is drawn instead, with at least one operation left, so that no order is impossible.
Where nobody has any left, nobody is held back. Whoever pauses waits for another, maybe for one that is held back:
then the drawn context is drawn anew, with at least one operation left for everybody. Interrupts come like
anything uninteresting. Contexts not yet forked are drawn like all others; the paper adds theirs to their
parent's.
"""

from collections.abc import Sequence
from typing import Final

from ..context import Context
from ..prng import stream, stream_seed
from .footprint import NOWHERE, Footprints, pauses
from .pilot import Profile
from .weighing import draw_weighed, walk

_NOBODY: Final = -1


class Surw:
    """One context at a time is let through at the interesting location."""

    def __init__(self, seed: int, footprints: Footprints, profile: Profile) -> None:
        self._seed = seed
        self._footprints = footprints
        self._profile = profile
        self._draw = stream(0)
        self._location = NOWHERE
        self._left: list[int] = []
        self._drawn = _NOBODY

    def begin(self, execution: int, contexts: Sequence[Context]) -> None:
        """Draw the location and who is first there."""
        self._draw = stream(stream_seed(self._seed, execution))
        shared = self._profile.shared
        if shared:
            at = self._draw(range(len(shared)))
            self._location = shared[at]
            self._left = list(self._profile.counts[at])
        self._drawn = self._next(0)

    def _next(self, least: int) -> int:
        """Who performs the next interesting operation: each has at least so many left."""
        weights = [max(left, least) for left in self._left]
        total = sum(weights)
        if total == 0:
            return _NOBODY
        number = self._draw(range(total))
        for index, weight in enumerate(weights):
            number -= weight
            if number < 0:
                return index
        raise AssertionError("a number below the sum of what is left")

    def pick(self, enabled: Sequence[Context]) -> Context:
        """One of those that are not held back."""
        free = [context for context in enabled if not self._is_held(context)]
        if free:
            context = walk(self._draw, free)
        else:
            left = [max(self._left[context.index], 1) for context in enabled]
            context = draw_weighed(self._draw, enabled, left)
        if self._is_interesting(context):
            self._left[context.index] = max(self._left[context.index] - 1, 0)
            self._drawn = self._next(0)
        elif pauses(context):
            self._drawn = self._next(1)
        return context

    def _is_held(self, context: Context) -> bool:
        return self._drawn not in (_NOBODY, context.index) and self._is_interesting(context)

    def _is_interesting(self, context: Context) -> bool:
        return self._location != NOWHERE and self._footprints.location(context) == self._location

    def choose(self, n: int) -> int:
        """A uniform draw."""
        return self._draw(range(n))
