"""Strategies: which enabled context moves next, and what a `choose` gives."""

from collections.abc import Sequence
from typing import Protocol

from .context import Context
from .errors import UsageError
from .prng import stream, stream_seed


class Strategy(Protocol):
    """Makes every decision of an execution."""

    def begin(self, execution: int) -> None:
        """Start on execution number `execution`."""

    def pick(self, enabled: Sequence[Context]) -> Context:
        """One of at least two enabled contexts, which come in the order of their declaration."""

    def choose(self, n: int) -> int:
        """An integer in [0, n)."""


class RandomWalk:
    """Each enabled context with a probability proportional to its declared weight.

    Uniform where all weights are 1. An interrupt's weight below its task's spreads its arrival over a
    longer part of the execution: a uniform walk takes nearly all of them within the first few steps.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._below = stream(0)
        self._weighed: Sequence[Context] = ()
        self._tickets: list[Context] = []
        self._count = 0

    def begin(self, execution: int) -> None:
        """Draw from this execution's own stream."""
        self._below = stream(stream_seed(self.seed, execution))

    def pick(self, enabled: Sequence[Context]) -> Context:
        """A weighted draw."""
        if enabled is not self._weighed:
            # the same list object means the same contexts: interpreters make a new one when they change
            self._weighed = enabled
            self._tickets = [context for context in enabled for _ in range(context.weight)]
            self._count = len(self._tickets) if len(enabled) > 1 else 1
        if self._count == 1:
            return enabled[0]
        return self._tickets[self._below(self._count)]

    def choose(self, n: int) -> int:
        """A uniform draw."""
        return self._below(n)


class FixedSchedule:
    """Replays a recorded schedule: context numbers, and `~choice` for each answer to `choose`.

    Raises `UsageError` where the schedule does not fit the program.
    """

    def __init__(self, schedule: Sequence[int]) -> None:
        self._schedule = schedule
        self._position = 0

    def begin(self, execution: int) -> None:
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
