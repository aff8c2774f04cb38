"""Preemption bounding: at most so many contexts are interrupted while they could go on.

Source: Musuvathi, Qadeer, "Iterative context bounding for systematic testing of multithreaded programs", PLDI 2007
(CHESS). Most bugs need few preemptions, and executions with few are few. CHESS enumerates them; here they are
sampled. A context moves until it waits, pauses, leaves its CPU or ends; then a random walk's draw says who is
next, which costs nothing. At N moments, drawn independently from the moves of the longest pilot, another context
is drawn even though this one could go on.

What is ours. An interrupt or NMI that comes while a task could go on is a preemption, too: it is another context
that moves. Whoever waits to come to a CPU does not run, and moving another is none. Moments may coincide, or fall
where nobody else is enabled or on a move that switches anyway, and then there are fewer preemptions.
"""

from collections.abc import Sequence
from typing import Final

from ..context import Context
from ..machine import State
from ..prng import stream, stream_seed
from .weighing import walk

_NOBODY: Final = -1


class PreemptionBound:
    """Whoever moved last, but at a few moments."""

    def __init__(self, seed: int, bound: int, length: int) -> None:
        self._seed = seed
        self._bound = bound
        self._length = length
        self._draw = stream(0)
        self._points: list[int] = []
        self._moves = 0
        self._last = _NOBODY

    def begin(self, execution: int, contexts: Sequence[Context]) -> None:
        """Draw the moments."""
        self._draw = draw = stream(stream_seed(self._seed, execution))
        self._points = [1 + draw(range(self._length)) for _ in range(self._bound)]
        self._moves = 0
        self._last = _NOBODY

    def pick(self, enabled: Sequence[Context]) -> Context:
        """The last one again, or a draw among the others at a moment, among all where it cannot go on."""
        self._moves += 1
        others = [
            context
            for context in enabled
            if context.index != self._last or context.state is not State.RUNNING
        ]
        if len(others) == len(enabled) or (others and self._moves in self._points):
            context = walk(self._draw, others)
        else:
            context = next(each for each in enabled if each.index == self._last)
        self._last = context.index
        return context

    def choose(self, n: int) -> int:
        """A uniform draw."""
        return self._draw(range(n))
