"""Sparing executions: every execution of a program that switches so many times at most, one after the other."""

from collections.abc import Iterator, Sequence

from ..context import Context
from .trace import resumed


class Sparing:
    """The strategy: follows the beginning of a schedule, then switches only where it must, and answers 0.

    It notes in `others` where else it might have gone: beginnings that end in another decision.
    """

    def __init__(self, beginning: Sequence[int], switches: int) -> None:
        self._beginning = beginning
        self._switches = switches
        self._decided: list[int] = []
        self._last: Context | None = None
        self.others: list[tuple[int, ...]] = []

    def begin(self, execution: int, contexts: Sequence[Context]) -> None:
        """Start from the beginning."""
        self._decided = []
        self._last = None
        self.others = []

    def pick(self, enabled: Sequence[Context]) -> Context:
        """The beginning's context, or who goes on, or the first."""
        free = [each for each in enabled if self._is_free(each)]
        taken = (free or enabled)[0]
        if len(self._decided) < len(self._beginning):
            number = self._beginning[len(self._decided)]
            taken = next(context for context in enabled if context.index == number)
        else:
            self._note(each.index for each in enabled if self._may_take(each) and each is not taken)
        if not self._is_free(taken):
            self._switches -= 1
        self._decided.append(taken.index)
        self._last = taken
        return taken

    def choose(self, n: int) -> int:
        """The beginning's answer, or 0."""
        answer = 0
        if len(self._decided) < len(self._beginning):
            answer = ~self._beginning[len(self._decided)]
        else:
            self._note(~other for other in range(1, n))
        self._decided.append(~answer)
        return answer

    def _is_free(self, context: Context) -> bool:
        return self._last in (None, context) or resumed(self._last) is context

    def _may_take(self, context: Context) -> bool:
        return self._switches > 0 or self._is_free(context)

    def _note(self, decisions: Iterator[int]) -> None:
        self.others += [(*self._decided, decision) for decision in decisions]
