"""What runs a campaign's executions: the engine, or the interpreter. Both come to the same tally."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol

from stackweave.core import Interpreter, Program, UsageError, Verdict
from stackweave.core.explore.tally import Breach, Tally, merged
from stackweave.core.strategies import Tactic, strategy_of


class Driver(Protocol):
    """Runs executions of one program, decided by one strategy."""

    def run(self, seed: int, first: int, end: int) -> Tally:
        """The executions `first` to `end` - 1 of a seed."""

    def discard(self) -> None:
        """Drop whatever is suspended."""


class InterpreterDriver:
    """The definition: slow, and without any condition on protocols."""

    def __init__(self, program: Program, tactic: Tactic, covering: bool = False) -> None:
        if covering:
            raise UsageError("coverage is counted by the engine, not by the interpreter")
        self._interpreter = Interpreter(program)
        self._strategy = lru_cache(1)(lambda seed: strategy_of(tactic, seed, program))

    def run(self, seed: int, first: int, end: int) -> Tally:
        """One after the other."""
        strategy = self._strategy(seed)
        operations = incomplete = 0
        breaches: list[Breach] = []
        for execution in range(first, end):
            outcome = self._interpreter.run(strategy, execution)
            operations += outcome.operations
            incomplete += outcome.verdict is Verdict.INCOMPLETE
            if outcome.violations:
                shown = sorted({each.signature for each in outcome.violations})
                breaches.append(Breach(tuple(shown), 1, execution))
        return Tally(end - first, operations, incomplete, merged(breaches))

    def discard(self) -> None:
        """Drop what an interrupted execution left."""
        self._interpreter.discard()


def _engine(program: Program, tactic: Tactic, covering: bool) -> Driver:
    from stackweave.core.explore.engine import Engine  # here: it takes a while to load

    return Engine(program, tactic, covering=covering)


DRIVERS: Final[dict[str, Callable[[Program, Tactic, bool], Driver]]] = {
    "engine": _engine,
    "interpreter": InterpreterDriver,
}
"""By name; the first is the default. They are told whether coverage is counted."""
