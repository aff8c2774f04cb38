"""A replayed execution as lanes: one column a context, time downwards, every operation with what it saw.

Only one context moves in a row, so its text may run over the columns to its right, which leaves room for many
narrow columns. In a column `|` stands for a context on a CPU, `:` for one that is not; nothing
stands for one that has ended.
"""

import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from stackweave.core import State, Violation

from .replaying import Replay, Step
from .wording import describe, show_event

NARROW: Final = 100
WIDE: Final = 160
_FAILED: Final = "!!"
_REPEATED: Final = "~~"
_LONGEST_FUNCTION: Final = 26
_ROOM: Final = 48
"""Characters that the last column has at least."""
_MARKS: Final = {State.RUNNING: "|", State.DEAD: " "}


def screen_width() -> int:
    """Columns of the terminal, within reason."""
    if not sys.stdout.isatty():
        return NARROW
    return min(max(shutil.get_terminal_size((NARROW, 24)).columns, NARROW), WIDE)


def replay_command(reference: str) -> str:
    """The command that replays a token or file."""
    return f"stackweave replay {shlex.quote(reference)}"


def shrink_command(reference: str) -> str:
    """The command that shrinks a token or file."""
    return f"stackweave shrink {shlex.quote(reference)}"


def draw(replay: Replay, width: int) -> str:
    """The lanes of a replayed execution, its violations where they happened."""
    return "\n".join(line.rstrip() for line in _Lanes(replay, width).lines())


class _Lanes:
    def __init__(self, replay: Replay, width: int) -> None:
        self._replay = replay
        self._width = width
        self._texts = [describe(step, replay.program) for step in replay.steps]
        moved = {step.context for step in replay.steps}
        names = [spec.name for spec in replay.program.contexts]
        self._lanes = {name: lane for lane, name in enumerate(n for n in names if n in moved)}
        self._numbers = [number for number, name in enumerate(names) if name in moved]
        functions = [len(step.function) for step in replay.steps]
        self._function = min(max(functions, default=0), _LONGEST_FUNCTION)
        self._left = 2 + 5 + 1 + self._function + 2
        self._offset = self._column_width()

    def _column_width(self) -> int:
        """Columns as wide as their texts where there is room, and narrower where there is not."""
        longest = max(map(len, self._texts), default=0) + 2
        others = len(self._lanes) - 1
        if others <= 0:
            return longest
        room = self._width - self._left - min(longest, _ROOM)
        return max(min(longest, room // others), 2)

    def lines(self) -> Iterator[str]:
        yield from self._header()
        violations = list(self._replay.outcome.violations)
        moves = sum(step.number > 0 for step in self._replay.steps)
        cycle = moves - self._replay.cycle + 1 if self._replay.cycle else 0
        for step, text in zip(self._replay.steps, self._texts, strict=True):
            if step.number and step.number == cycle:
                yield f"{_REPEATED} from here on for ever"
            here = [each for each in violations if self._is_at(each, step)]
            violations = [each for each in violations if each not in here]
            yield from self._step(step, text, bool(here))
            for violation in here:
                yield from self._violation(violation)
            if any(each.signature == self._replay.signature for each in here):
                yield from self._rest(step, violations)
                return
        if cycle:
            yield f"{_REPEATED} and again from step {cycle}"
        yield from self._end(violations)

    def _is_at(self, violation: Violation, step: Step) -> bool:
        return (violation.step, violation.context) == (step.number, step.context)

    def _header(self) -> Iterator[str]:
        """The names, on as many lines as it takes to keep each to its column, and columns below their names."""
        waiting = set(self._lanes)
        while waiting:
            line = " " * (self._left - 1)
            for name, lane in self._lanes.items():
                column = self._left + lane * self._offset
                if len(line) < column:
                    line = f"{line:<{column}}{name if name in waiting else '|'}"
                    waiting.discard(name)
            yield line

    def _step(self, step: Step, text: str, failed: bool) -> Iterator[str]:
        if step.number:
            left = f"{_FAILED if failed else '':<2}{step.number:>5} {self._name(step.function)}"
            yield from self._cells(left, step, text)
        for among, answer in step.answers:
            yield from self._cells("", step, f"* choose {among} -> {answer}")
        for event in step.events:
            yield from self._cells("", step, f"* {show_event(event)}")

    def _name(self, function: str) -> str:
        if len(function) <= self._function:
            return function
        return function[: self._function - 1] + "~"

    def _cells(self, left: str, step: Step, text: str) -> Iterator[str]:
        column = self._left + self._lanes[step.context] * self._offset
        room = max(self._width - column, _ROOM // 2)
        for part in textwrap.wrap(text, room, subsequent_indent="    ") or [""]:
            yield self._row(left, step, column, part)
            left = ""

    def _row(self, left: str, step: Step, column: int, text: str) -> str:
        marks = [_MARKS.get(step.standing[number], ":") for number in self._numbers]
        line = f"{left:<{self._left}}"
        for lane, mark in enumerate(marks):
            at = self._left + lane * self._offset
            if at == column:
                line = f"{line:<{at}}{text} "
            elif len(line) <= at:
                line = f"{line:<{at}}{mark}"
        return line

    def _violation(self, violation: Violation) -> Iterator[str]:
        words = f"{violation.signature}: {violation.explanation}"
        if violation.property == "check":
            words = f"{violation.signature}: the check in {violation.context} does not hold"
        yield from textwrap.wrap(
            words, self._width, initial_indent=f"{_FAILED} ", subsequent_indent="   "
        )

    def _rest(self, step: Step, violations: Sequence[Violation]) -> Iterator[str]:
        """What the execution did after the violation that this is about."""
        left = self._replay.outcome.operations - step.number
        also = sorted({each.signature for each in violations})
        if left or also:
            shows = f", and shows {', '.join(also)}" if also else ""
            yield f"   the execution goes on for {left} operations{shows}"

    def _end(self, violations: Sequence[Violation]) -> Iterator[str]:
        """What belongs to no context's move: a deadlock, and what the program's last protocol found."""
        for _, event in self._replay.final_events:
            yield f"{'at the end':<{self._left}}* {show_event(event)}"
        for violation in violations:
            yield from self._violation(violation)
