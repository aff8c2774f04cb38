"""Shrinking: a failing execution is made smaller while it shows the same, until nothing makes it smaller.

An execution is its list of decisions, as in hypothesis' conjecture: passes propose changed lists, a guided
execution repairs them (`guided.py`), and what that execution was is compared with the smallest so far
(`Trace.order`): fewer contexts that move, a smaller program, fewer kernel entries and requests, fewer switches
from one context to another, fewer steps, and at last smaller choices. A trace ends where it shows what it is
about, so there is no tail to shorten. It never has more steps than what was to be shrunk.

To write another pass: a class with `run(shrinker)`, which looks at `shrinker.best` and calls `consider` with what
may be smaller. It need not be right about anything: what does not show the same, or is not smaller, is not taken.
It is deterministic, and it begins with what would help most. Passes take turns until all of them in
a row have found nothing, which makes the result a fixed point.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ..errors import UsageError, diverged
from ..interpreter import Interpreter
from ..program import Program
from ..strategy import FixedSchedule, Strategy
from .guided import BEFORE, Guided, Move
from .sparing import Sparing
from .trace import Shows, Trace, trace

DEFAULT_BUDGET: Final = 10_000
"""Executions."""


class Version(Protocol):
    """A program, and how to make smaller ones of the kind."""

    @property
    def program(self) -> Program:
        """The program itself."""

    @property
    def size(self) -> int:
        """Only compared."""

    def smaller(self) -> Iterable["Version"]:
        """Of a smaller size, largest first; contexts that they share have the same names."""


class Pass(Protocol):
    """One way to make executions smaller."""

    def run(self, shrinker: "Shrinker") -> None:
        """Have the shrinker consider what may be smaller than its best."""


@dataclass(frozen=True, slots=True)
class Only:
    """A program that is the smallest of its kind."""

    program: Program
    size: int = 0

    def smaller(self) -> Iterable[Version]:
        """None."""
        return ()


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What came of shrinking."""

    version: Version
    before: Trace
    """The whole of what was to be shrunk."""
    after: Trace
    executions: int
    done: bool
    """Whether nothing makes it smaller; otherwise the budget was used up first, or Ctrl-C came."""


def shrink(
    version: Version,
    schedule: Sequence[int],
    shows: Shows,
    passes: Sequence[Pass],
    budget: int = DEFAULT_BUDGET,
) -> Shrunk:
    """Make a failing execution smaller. Raises `UsageError` where it does not show what it should, and
    `ModelError` where a program does not do the same again."""
    shrinker = Shrinker(version, schedule, shows, budget)
    done = False
    try:
        while not done:
            before = shrinker.best
            for each in passes:
                each.run(shrinker)
            done = shrinker.best is before
    except (_BudgetUsedUp, KeyboardInterrupt):
        pass
    finally:
        shrinker.interpreter.discard()
    return Shrunk(shrinker.version, shrinker.whole, shrinker.best, shrinker.executions, done)


def find_integer(holds: Callable[[int], bool]) -> int:
    """A number n with holds(n) and not holds(n + 1), taking holds(0) as given: few questions where n is small,
    about 2 log n of them where it is large (hypothesis, conjecture/junkdrawer.py, find_integer())."""
    low, high = 0, 1
    while holds(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


class _BudgetUsedUp(Exception):
    """No execution is left."""


class Shrinker:
    """Holds the smallest execution so far, and judges what passes propose."""

    def __init__(
        self, version: Version, schedule: Sequence[int], shows: Shows, budget: int
    ) -> None:
        self.version = version
        self.interpreter = Interpreter(version.program)
        self.executions = 0
        self._shows = shows
        self._budget = budget
        self._considered: set[int] = set()
        whole = self._again(version, self.interpreter, schedule, self._is_over(schedule))
        first = self._again(version, self.interpreter, schedule, shows)
        if whole is None or first is None:
            raise UsageError("the schedule does not show what it is kept for")
        self.whole = whole
        self.longest = whole.size.steps
        self.best = first

    def consider(self, moves: Sequence[Move]) -> bool:
        """Take an execution that is guided by these moves, if it is smaller and shows the same."""
        key = hash((self.version.size, tuple(moves)))
        if key in self._considered:
            return False
        self._considered.add(key)
        return self._consider(self.version, self.interpreter, Guided(moves), self.longest)

    def consider_sparing(self, strategy: Sparing) -> bool:
        """Take an execution that switches little, if it is smaller and shows the same.

        What such executions are must depend on nothing but the best: else the result would be no fixed point.
        """
        return self._consider(self.version, self.interpreter, strategy, 2 * self.best.size.steps)

    def consider_version(self, version: Version, moves: Sequence[Move]) -> bool:
        """Take these moves of contexts of the same names in another program, if that is smaller and shows the
        same."""
        moves = _by_name(moves, self.version.program, version.program)
        return self._consider(version, Interpreter(version.program), Guided(moves), self.longest)

    def _consider(
        self, version: Version, interpreter: Interpreter, strategy: Strategy, most: int
    ) -> bool:
        if self.executions >= self._budget:
            raise _BudgetUsedUp
        self.executions += 1
        found = trace(interpreter, strategy, self._shows, most, version.size, self.best.size)
        if found is None or found.order >= self.best.order or found.size.steps > self.longest:
            return False
        try:
            again = self._again(version, interpreter, found.schedule, self._shows)
        except UsageError as error:
            raise diverged(str(error)) from error
        if again != found:
            raise diverged("another execution")
        self.version, self.interpreter, self.best = version, interpreter, found
        return True

    def _is_over(self, schedule: Sequence[int]) -> Shows:
        """Whether all of a schedule was run, and shows what it should."""
        interpreter = self.interpreter
        return lambda found: len(interpreter.schedule) == len(schedule) and self._shows(found)

    def _again(
        self, version: Version, interpreter: Interpreter, schedule: Sequence[int], shows: Shows
    ) -> Trace | None:
        """What the decisions make, to the letter."""
        moves = sum(entry >= 0 for entry in schedule)
        return trace(interpreter, FixedSchedule(schedule), shows, moves, version.size)


def _by_name(moves: Sequence[Move], before: Program, after: Program) -> list[Move]:
    """Moves of one program as moves of another, without those of contexts that it has not."""
    numbers = {spec.name: number for number, spec in enumerate(after.contexts)}
    names = [spec.name for spec in before.contexts]
    translated = [
        (numbers[names[number]], *answers)
        for number, *answers in moves[1:]
        if names[number] in numbers
    ]
    return [(BEFORE, *moves[0][1:]), *translated]
