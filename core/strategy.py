"""Strategies: which enabled context moves next, and what a `choose` gives."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Protocol

from .context import Context
from .errors import UsageError
from .prng import stream, stream_seed


class Strategy(Protocol):
    """Makes every decision of an execution."""

    def begin(self, execution: int, contexts: Sequence[Context]) -> None:
        """Start on execution number `execution` of a program with these contexts."""

    @property
    def pick(self) -> Callable[[Sequence[Context]], Context]:
        """Picks one of the enabled contexts, at least one, in the order of their declaration."""

    def choose(self, n: int) -> int:
        """An integer in [0, n)."""


class RandomWalk:
    """Each enabled context with a probability proportional to its declared weight.

    Uniform where all weights are 1. An interrupt's weight below its task's spreads its arrival over a
    longer part of the execution: a uniform walk takes nearly all of them within the first few steps.
    """

    pick: Callable[[Sequence[Context]], Context]

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._draw = stream(0)
        self._contexts: Sequence[Context] = ()
        self._uniform = True
        self._weighed: Sequence[Context] = ()
        self._totals: list[int] = []

    def begin(self, execution: int, contexts: Sequence[Context]) -> None:
        """Draw from this execution's own stream."""
        self._draw = stream(stream_seed(self.seed, execution))
        if contexts is not self._contexts:
            self._contexts = contexts
            self._uniform = all(context.weight == 1 for context in contexts)
        self.pick = self._draw if self._uniform else self._pick_weighted

    def _pick_weighted(self, enabled: Sequence[Context]) -> Context:
        if enabled is not self._weighed:
            # the same list object means the same contexts: interpreters make a new one when they change
            self._weighed = enabled
            self._totals = list(accumulate(context.weight for context in enabled))
        if len(enabled) == 1:
            return enabled[0]
        return enabled[bisect_right(self._totals, self._draw(range(self._totals[-1])))]

    def choose(self, n: int) -> int:
        """A uniform draw."""
        return self._draw(range(n))


class FixedSchedule:
    """Replays a recorded schedule: context numbers, and `~choice` for each answer to `choose`.

    Raises `UsageError` where the schedule does not fit the program.
    """

    def __init__(self, schedule: Sequence[int]) -> None:
        self._schedule = schedule
        self._position = 0

    def begin(self, execution: int, contexts: Sequence[Context]) -> None:
        """Start from the first entry."""
        self._position = 0

    def pick(self, enabled: Sequence[Context]) -> Context:
        """The context that the schedule names."""
        index = self._next("a context")
        for context in enabled:
            if context.index == index:
                return context
        names = ", ".join(context.name for context in enabled)
        raise UsageError(
            f"the schedule does not fit: entry {self._position} is {index}, enabled are {names}"
        )

    def choose(self, n: int) -> int:
        """The answer that the schedule holds."""
        choice = ~self._next("a choice")
        if not 0 <= choice < n:
            raise UsageError(
                f"the schedule does not fit: entry {self._position} is no choice among {n}"
            )
        return choice

    def _next(self, wanted: str) -> int:
        if self._position >= len(self._schedule):
            raise UsageError(f"the schedule ends where {wanted} is needed")
        self._position += 1
        return self._schedule[self._position - 1]
