"""Drives an emulated case, and meddles with the test process's first visit at one point.

A point is a place in a function: the operation or call that comes next there, whichever round of a loop or
second call reaches it; an instruction of the kernel is one place too, and an injection fires at the first arrival.
Entering and leaving a function are points as well. The NMI runs through where it is let in; a pending irq_work
interrupt is taken as soon as interrupts are on, as on the recorded machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from stackweave.conform.emulation import Emulation
from stackweave.conform.lines import Kind, Line, canonical
from stackweave.conform.recording import Case, How
from stackweave.core import Context, Interpreter, State
from stackweave.core.context import places_of
from stackweave.core.kernel.symbols import SYMBOLS, TAIL_CALLS, symbol_index
from stackweave.core.operations import CMPXCHG_HALF, FENCE, LOAD, LOAD_HALF, POINTS, Operation

Places = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """Before an operation of a function, on entering it or on leaving it."""

    symbol: str
    place: Places
    """Of the operation, in the function and in what is inlined into it; empty for the way in and out."""
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """What one emulated run showed."""

    outcome: tuple[Line, ...]
    without_interrupt: tuple[Line, ...]
    """The same without the writes of an interrupt visit that followed the outer one."""
    points: tuple[Point, ...]
    """Where the outer visit came by, each once, in the order of first arrival."""
    asked: bool
    """Whether a `choose` was answered: another answer may show something else."""


class Answers:
    """A strategy for a host that picks the contexts itself: every `choose` is answered alike."""

    def __init__(self, answer: int) -> None:
        self._answer = answer
        self.asked = False

    def begin(self, execution: int, contexts: Sequence[Context]) -> None:
        """Nothing to prepare."""

    def pick(self, enabled: Sequence[Context]) -> Context:
        """The host picks."""
        return enabled[0]

    def choose(self, n: int) -> int:
        """The one answer, as far as there are so many."""
        self.asked = True
        return min(self._answer, n - 1)


@dataclass(slots=True)
class _Progress:
    """One run so far."""

    before: Places = ()
    points: dict[Point, None] = field(default_factory=dict)
    writes: list[Line] = field(default_factory=list)
    outer_writes: int = 0
    """How many of them are not of an interrupt visit that follows the outer one."""
    met: bool = False
    returned_while_held: bool = False


class Driver:
    """Runs one case any number of times."""

    def __init__(self, case: Case, tracers: int) -> None:
        self._case = case
        self._emulation = Emulation(case, tracers)
        self._interpreter = Interpreter(self._emulation.program)
        self._test, self._nmi, self._irq_work, self._other = self._interpreter.contexts
        info = self._emulation.info
        fields = {"mask": info.unwind_mask.address, "id": info.id.address}
        self._lists_writes = any(line.kind is Kind.WRITE for line in case.lines)
        if case.how is How.WATCH or (self._lists_writes and case.symbol in fields):
            self._watched = frozenset({fields[case.symbol]})
        else:
            self._watched = frozenset(fields.values() if self._lists_writes else ())

    def run(self, meddle_at: Point | int | None = None, answer: int = 0) -> Run:
        """Run the case, meddling at a point of the outer visit, or after that many writes of the watched field.

        Every `choose` gives `answer`.
        """
        answers = Answers(answer)
        self._interpreter.reset(answers)
        progress = _Progress()
        while self._test.state is not State.DEAD and self._goes_on():
            if self._irq_work in self._interpreter.enabled():
                self._interpreter.step(self._irq_work)
            elif self._in_outer_visit():
                self._step_watching(progress, meddle_at)
            else:
                self._finish_meddling(progress)
                self._interpreter.step(self._test)
        outcome = self._outcome(progress, progress.writes)
        shorter = self._outcome(progress, progress.writes[: progress.outer_writes])
        return Run(outcome, shorter, tuple(progress.points), answers.asked)

    def _goes_on(self) -> bool:
        """Not where a violation stopped the run, or a model at fault would never end: what was seen until
        then is the outcome, and differs from any kernel's."""
        steps = len(self._interpreter.schedule)
        return not self._interpreter.finished and steps < self._emulation.program.bound

    def _in_outer_visit(self) -> bool:
        return self._interpreter.store.words[self._emulation.visit.address] == 0

    def _step_watching(self, progress: _Progress, meddle_at: Point | int | None) -> None:
        places = places_of(self._test.coroutine)
        here = points_between(progress.before, places)
        progress.points.update(dict.fromkeys(here))
        written = len(progress.writes)
        if not progress.met and (meddle_at in here or (written and meddle_at == written)):
            progress.met = True
            self._meddle(progress)
        progress.before = places
        operation = self._test.pending
        result = self._interpreter.step(self._test)
        if self._watched and self._writes(operation, result):
            words, info = self._interpreter.store.words, self._emulation.info
            numbers = (written, words[info.unwind_mask.address], words[info.id.address])
            functions = [name for name, _ in places]
            symbol = functions[symbol_index(functions)]
            progress.writes.append(Line(Kind.WRITE, numbers, symbol))
            if "irqentry_exit" not in functions:
                progress.outer_writes = len(progress.writes)

    def _writes(self, operation: Operation, result: int | None) -> bool:
        kind, address, expected, _ = operation
        kind &= ~3
        if not POINTS < kind < FENCE or kind in (LOAD, LOAD_HALF):
            return False
        if kind == CMPXCHG_HALF and result != expected:
            return False
        return (address >> 1 if kind > LOAD_HALF else address) in self._watched

    # meddling

    def _meddle(self, progress: _Progress) -> None:
        if self._case.how is not How.STALL:
            self._run_while_running(self._nmi)
            return
        self._run_while_running(self._other)
        progress.returned_while_held = self._other.state is State.DEAD

    def _run_while_running(self, context: Context) -> None:
        """From its arrival until it ends, or waits for somebody."""
        self._interpreter.step(context)
        while context.state is State.RUNNING and self._goes_on():
            self._interpreter.step(context)

    def _finish_meddling(self, progress: _Progress) -> None:
        """The outer visit is over: a cancel that had to wait for it goes on."""
        if self._case.how is How.STALL and progress.met:
            while self._other.state is not State.DEAD and self._goes_on():
                self._interpreter.step(self._other)

    # what was seen

    def _outcome(self, progress: _Progress, writes: Sequence[Line]) -> tuple[Line, ...]:
        lines = list(writes) if self._lists_writes else []
        for occurrence in self._interpreter.events:
            line = occurrence.event
            if isinstance(line, Line) and line.kind is Kind.OTHER:
                cancelled, _, *registered = line.numbers
                held = int(progress.returned_while_held)
                line = Line(Kind.OTHER, (cancelled, held, *registered))
            if isinstance(line, Line):
                lines.append(line)
        if self._case.how is How.STALL and not progress.met:
            lines.append(Line(Kind.NEVER_HELD, ()))
        return canonical(lines)


def points_between(before: Places, places: Places) -> tuple[Point, ...]:
    """The points at which a task stands that was at one operation and is now before another.

    It may have left functions and entered others on its way, each called from a place in its caller; and it is
    before an operation of the innermost.
    """
    old, new = _symbols(before), _symbols(places)
    kept = {name for _, name in old} & {name for _, name in new}
    points = [
        Point(name, (), leaving=True)
        for _, name in reversed(old)
        if name not in kept and name not in TAIL_CALLS
    ]
    points += [Point(name, ()) for _, name in new if name not in kept]
    ends = [index for index, _ in new] + [len(places)]
    points += [Point(name, places[at:end]) for (at, name), end in zip(new, ends[1:], strict=True)]
    return tuple(points)


def _symbols(places: Places) -> list[tuple[int, str]]:
    return [(index, name) for index, (name, _) in enumerate(places) if name in SYMBOLS]
