"""What executions have reached: fingerprints of states and transitions, each with the first execution that did.

Parts that were found by different processes come to the same whole, if each took its executions in increasing
order: of each fingerprint the earliest execution counts.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Fingerprints = NDArray[np.int64]
"""Pairs (fingerprint, execution)."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Part of what was reached."""

    states: Fingerprints
    transitions: Fingerprints
    complete: bool
    """Whether there was room to note everything."""


@dataclass(slots=True)
class Coverage:
    """All that was reached so far."""

    complete: bool = True
    _states: "_Firsts" = field(default_factory=lambda: _Firsts())
    _transitions: "_Firsts" = field(default_factory=lambda: _Firsts())

    def add(self, part: Reached) -> None:
        """More that was reached, some of it perhaps again."""
        self._states.add(part.states)
        self._transitions.add(part.transitions)
        self.complete &= part.complete

    @property
    def states(self) -> int:
        """How many."""
        return len(self._states.all())

    @property
    def transitions(self) -> int:
        """How many."""
        return len(self._transitions.all())

    @property
    def newest(self) -> int:
        """The last execution that reached something new; -1 before there is any."""
        return max(
            int(each.all()[:, 1].max(initial=-1)) for each in (self._states, self._transitions)
        )

    def cut(self, executions: int) -> None:
        """Forget what was first reached later."""
        self._states.cut(executions)
        self._transitions.cut(executions)

    def curve(self, executions: int) -> list[tuple[int, int, int]]:
        """After 1, 2, 5, 10, 20, 50 ... executions, and all: how many states and transitions."""
        points = [scale * 10**power for power in range(len(str(executions))) for scale in (1, 2, 5)]
        points = [*(point for point in points if point < executions), executions]
        states, transitions = self._states.firsts(), self._transitions.firsts()
        return [
            (point, int(np.searchsorted(states, point)), int(np.searchsorted(transitions, point)))
            for point in points
        ]


class _Firsts:
    """Of each fingerprint, the first execution."""

    def __init__(self) -> None:
        self._merged: Fingerprints = np.zeros((0, 2), dtype=np.int64)
        self._waiting: list[Fingerprints] = []

    def add(self, found: Fingerprints) -> None:
        """Merged as seldom as keeps what waits smaller than what is merged."""
        if len(found):
            self._waiting.append(found)
            if sum(map(len, self._waiting)) > len(self._merged):
                self.all()

    def all(self) -> Fingerprints:
        """Pairs, by fingerprint."""
        if self._waiting:
            pairs = np.concatenate([self._merged, *self._waiting])
            pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
            new = np.ones(len(pairs), dtype=np.bool_)
            new[1:] = pairs[1:, 0] != pairs[:-1, 0]
            self._merged = pairs[new]
            self._waiting = []
        return self._merged

    def cut(self, executions: int) -> None:
        self._merged = self.all()[self.all()[:, 1] < executions]

    def firsts(self) -> NDArray[np.int64]:
        """The executions, sorted."""
        return np.sort(self.all()[:, 1])
