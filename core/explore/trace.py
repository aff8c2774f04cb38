"""Traces: an execution up to the violation that it is about, and how large it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..context import Context
from ..errors import Violation
from ..events import KernelEntry, RequestBegin
from ..interpreter import Interpreter
from ..machine import Level, State
from ..strategy import Strategy
from .guided import Move, moves_of

Shows = Callable[[Sequence[Violation]], bool]
"""Whether these violations, in the order in which they were found, are what an execution is about."""

_CALLS: Final = (KernelEntry, RequestBegin)


class Size(NamedTuple):
    """How large a trace is: compared item by item, the first ones first."""

    contexts: int
    """That move."""
    program: int
    """What its maker says."""
    calls: int
    """Kernel entries, and requests."""
    switches: int
    """Moves of another context than moved before, but for one: whoever was interrupted goes on, as it must, right
    after an interrupt or NMI has left."""
    steps: int
    """Operations, and comings to a CPU."""


@dataclass(frozen=True, slots=True)
class Trace:
    """An execution that shows what it is about, and ends there."""

    schedule: tuple[int, ...]
    size: Size
    arrivals: tuple[int, ...]
    """Positions in `moves` at which a context came to a CPU: where visits begin."""

    @property
    def moves(self) -> tuple[Move, ...]:
        """The schedule, as what guides another execution."""
        return moves_of(self.schedule)

    @property
    def moving(self) -> frozenset[int]:
        """The numbers of the contexts that move."""
        return frozenset(entry for entry in self.schedule if entry >= 0)

    @property
    def order(self) -> tuple[Size, tuple[int, ...]]:
        """What the smaller one of two traces has the smaller of: size, then choices from the first to the last."""
        return self.size, tuple(entry if entry >= 0 else ~entry for entry in self.schedule)


def trace(
    interpreter: Interpreter,
    strategy: Strategy,
    shows: Shows,
    most: int,
    program: int = 0,
    limit: Size | None = None,
) -> Trace | None:
    """The execution that a strategy makes, up to where it shows what is wanted.

    None where it does not within `most` steps, or within the limit; `program` is the program's size.
    """
    steps, seen = _Steps(interpreter, program), 0
    most = min(most, interpreter.program.bound)
    strategy.begin(0, interpreter.contexts)
    interpreter.reset(strategy)
    while not interpreter.finished:
        if len(interpreter.violations) > seen and shows(interpreter.violations):
            break
        seen = len(interpreter.violations)
        enabled = interpreter.enabled()
        if not enabled:
            interpreter.deadlock()
        elif steps.taken < most and (limit is None or steps.size <= limit):
            steps.move(strategy.pick(enabled))
        else:
            break
    outcome = interpreter.finish()
    if not shows(outcome.violations):
        return None
    return Trace(outcome.schedule, steps.size, tuple(steps.arrivals))


def resumed(last: Context | None) -> Context | None:
    """Whom an interrupt or NMI that moved last has interrupted, if it has left: who goes on there."""
    if last is None or last.level is Level.TASK or last.state is State.RUNNING or not last.stack:
        return None
    return last.stack[-1]


class _Steps:
    """Counts while an execution goes on: no item of its size ever becomes less."""

    def __init__(self, interpreter: Interpreter, program: int) -> None:
        self.taken = 0
        self.arrivals: list[int] = []
        self._interpreter = interpreter
        self._program = program
        self._moved: set[Context] = set()
        self._events = 0
        self._calls = 0
        self._switches = 0
        self._last: Context | None = None

    def move(self, context: Context) -> None:
        """Let a context move, and count it."""
        if context is not self._last:
            self._switches += self._last is not None and context is not resumed(self._last)
            self._last = context
            self._moved.add(context)
        self.taken += 1
        if context.state is not State.RUNNING:
            self.arrivals.append(self.taken)
        self._interpreter.step(context)

    @property
    def size(self) -> Size:
        """Of what went on so far."""
        events = self._interpreter.events
        if len(events) > self._events:
            new = events[self._events :]
            self._calls += sum(isinstance(each.event, _CALLS) for each in new)
            self._events = len(events)
        return Size(len(self._moved), self._program, self._calls, self._switches, self.taken)
