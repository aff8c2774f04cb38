"""POS: a random priority for each pending operation, drawn anew for those that have just lost a race.

Source: Yuan, Yang, Gu, "Partial order aware concurrency sampling", CAV 2018, its algorithm with reassignment. The
enabled operation of the highest priority is performed. What its context awaits next gets a priority of its own,
and so does every enabled operation that races with what was performed: otherwise having lost once would make it
likely to lose again. Operations that race with nothing do not change each other's chances, so that orders which
differ in nothing are not told apart.

What is ours. Priorities are numbers below 2**30 drawn in the order of declaration; of equals the first is taken,
which the paper's real numbers never are. What races is what `footprint` says. For a context that is on no CPU the
operation is its coming to one, which races with nothing. Weights have no say.
"""

from collections.abc import Sequence
from typing import Final

from ..context import Context
from ..prng import stream, stream_seed
from .footprint import NOWHERE, Footprints, writes

PRIORITIES: Final = 1 << 30
_NONE: Final = -1


class Pos:
    """The highest of the enabled operations."""

    def __init__(self, seed: int, footprints: Footprints) -> None:
        self._seed = seed
        self._footprints = footprints
        self._draw = stream(0)
        self._priorities: list[int] = []

    def begin(self, execution: int, contexts: Sequence[Context]) -> None:
        """Nobody has a priority."""
        self._draw = stream(stream_seed(self._seed, execution))
        self._priorities = [_NONE] * len(contexts)

    def pick(self, enabled: Sequence[Context]) -> Context:
        """The context whose operation has the highest priority."""
        priorities = self._priorities
        for context in enabled:
            if priorities[context.index] == _NONE:
                priorities[context.index] = self._draw(range(PRIORITIES))
        picked = max(enabled, key=lambda context: priorities[context.index])
        priorities[picked.index] = _NONE
        location = self._footprints.location(picked)
        if location != NOWHERE:
            for other in enabled:
                racing = self._footprints.location(other) == location
                if racing and (writes(picked) or writes(other)):
                    priorities[other.index] = _NONE
        return picked

    def choose(self, n: int) -> int:
        """A uniform draw."""
        return self._draw(range(n))
