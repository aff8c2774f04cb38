"""Guided executions: a schedule that need not fit is followed as far as it does, and repaired where it does not.

Whoever changes a schedule by hand, as shrinking does, seldom makes one that fits: an operation that is gone from
one place shifts all that its context does later. The repair has no choices of its own:

- an entry whose context is not enabled is skipped, with the answers that belong to it;
- an answer that is missing, or not among those asked for, is 0;
- past the last entry whoever moved last goes on; where it cannot, or pauses, it is the turn of whom it
  interrupted, or of the next context by number, those that the schedule names before others.
  No interrupt or NMI comes of itself, unless nobody else may move.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from ..context import Context
from ..machine import State
from ..operations import PAUSE

Move: TypeAlias = tuple[int, ...]
"""The number of a context, and the answers to each `choose` that its move led to."""

BEFORE: Final = -1
"""Stands for a context's number in the first of moves: the answers before any context moves."""


def moves_of(schedule: Iterable[int]) -> tuple[Move, ...]:
    """A schedule as moves, the first of which is `BEFORE`."""
    moves: list[list[int]] = [[BEFORE]]
    for entry in schedule:
        if entry < 0:
            moves[-1].append(~entry)
        else:
            moves.append([entry])
    return tuple(map(tuple, moves))


def stretches(moves: Sequence[Move]) -> list[tuple[int, int]]:
    """Where each unbroken run of moves of one context begins, and where it is over; without `BEFORE`."""
    found = []
    begin = 1
    for position in range(2, len(moves) + 1):
        if position == len(moves) or moves[position][0] != moves[begin][0]:
            found.append((begin, position))
            begin = position
    return found


class Guided:
    """The strategy: follows moves, and repairs them."""

    def __init__(self, moves: Sequence[Move]) -> None:
        self._moves = moves
        self._named = {move[0] for move in moves}
        self._position = 0
        self._answers: Iterator[int] = iter(())
        self._last: Context | None = None

    def begin(self, execution: int, contexts: Sequence[Context]) -> None:
        """Start from the first move."""
        self._position = 1
        self._answers = iter(self._moves[0][1:])
        self._last = None

    def pick(self, enabled: Sequence[Context]) -> Context:
        """The context of the next move that fits, or who goes on."""
        self._last = self._guided(enabled) or self._who_goes_on(enabled)
        return self._last

    def choose(self, n: int) -> int:
        """The move's answer, or 0."""
        answer = next(self._answers, 0)
        return answer if answer < n else 0

    def _guided(self, enabled: Sequence[Context]) -> Context | None:
        while self._position < len(self._moves):
            number, *answers = self._moves[self._position]
            self._position += 1
            for context in enabled:
                if context.index == number:
                    self._answers = iter(answers)
                    return context
        self._answers = iter(())
        return None

    def _who_goes_on(self, enabled: Sequence[Context]) -> Context:
        present = [each for each in enabled if each.state is not State.AWAY] or enabled
        among = [each for each in present if each.index in self._named] or present
        last = self._last
        if last is None:
            return among[0]
        if last in among and last.pending[0] != PAUSE:
            return last
        if last not in among and last.stack and last.stack[-1] in among:
            return last.stack[-1]
        return next((each for each in among if each.index > last.index), among[0])
