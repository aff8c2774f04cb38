"""A journal's run once more, in the interpreter: the same decisions and messages, chunk by chunk."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stackweave.core import FixedSchedule, Interpreter, Outcome, Program, UsageError
from stackweave.digest import digest_of
from stackweave.programs import machine as maker
from stackweave.programs.machine import machine
from stackweave.replaying import Injected, Replay, inject, refuse_stale, steps_of

from .findings import Findings
from .journal import Records
from .records import Arrived, Chunk, End, Header
from .witness import Witness

BEFORE: Final = 60
"""Operations that are shown before a violation."""

AROUND: Final = 30
"""Operations that are shown on either side of a step."""


@dataclass(frozen=True, slots=True)
class Again:
    """What came of a replayed journal."""

    header: Header
    program: Program
    decisions: Sequence[int]
    messages: Sequence[Injected]
    outcome: Outcome
    ended: bool
    """Whether the journal has an end."""
    torn: bool
    """Whether it ends in the middle of a frame."""
    difference: str | None
    """Where the replay first showed other than the run."""
    findings: Findings

    def excerpt(self, around: int | None = None) -> Replay | None:
        """Some operations: those around a step, or those before the first violation.

        None where there is no violation, or the replay differs: then they prove nothing. Raises `UsageError` for
        a step that there is not.
        """
        if around is not None:
            if around > self.outcome.operations:
                raise UsageError(f"no operation {around:,}: {self.outcome.operations:,} replay")
            wanted = range(max(around - AROUND, 0), around + AROUND + 1)
            inside = tuple(each for each in self.outcome.violations if each.step in wanted)
            return self._replay(wanted, self.outcome._replace(violations=inside), "")
        if not self.outcome.violations or self.difference is not None:
            return None
        first = self.outcome.violations[0]
        wanted = range(max(first.step - BEFORE, 0), first.step + 1)
        return self._replay(wanted, self.outcome, first.signature)

    def _replay(self, wanted: range, outcome: Outcome, signature: str) -> Replay:
        interpreter = Interpreter(self.program)
        steps = tuple(steps_of(interpreter, self.decisions, self.messages, wanted))
        return Replay(self.program, outcome, steps, signature)


def replay_journal(path: Path) -> Again:
    """Replay what a journal holds.

    Raises `UsageError` for a file that is none, a damaged one, and a stale one, with what changed.
    """
    with Records(path) as records:
        header = records.header
        program = _program(header)
        run = _Run(program)
        for record in records:
            if not run.take(record):
                break
        return run.result(header, ended=records.ended, torn=records.torn)


def _program(header: Header) -> Program:
    """The header's program. Raises `UsageError` for one that is no live run's, or has changed."""
    program = machine(header.parameters).program
    if header.program != program.name:
        raise UsageError(f"the journal is of {header.program!r}, which is no program of live runs")
    refuse_stale(header, program, digest_of(program, maker))
    if header.contexts != tuple(spec.name for spec in program.contexts):
        raise UsageError("the journal counts other contexts than its program has")
    return program


class _Differs(Exception):
    """The replay shows other than the run did."""


class _Run:
    """The execution, as far as the journal was read."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._interpreter = Interpreter(program)
        self._mailboxes = {box.name: box.index for box in program.layout.mailboxes}
        self._answers: list[int] = []
        self._decisions: list[int] = []
        self._messages: list[Injected] = []
        self._waiting: deque[Injected] = deque()
        self._witness = Witness()
        self._difference: str | None = None
        self._begun = False
        self._outcome: Outcome | None = None

    def take(self, record: Arrived | Chunk | End) -> bool:
        """Go on with the next record; whether that showed what the run showed."""
        before = len(self._decisions)
        try:
            match record:
                case Arrived():
                    self._take_message(record)
                case Chunk():
                    self._take_chunk(record)
                case End():
                    self._take_end(record)
        except _Differs as difference:
            at = f"decisions {before:,} to {len(self._decisions):,}"
            if isinstance(record, End):
                at = "the end"
            self._difference = f"{at}: {difference}"
            return False
        return True

    def result(self, header: Header, *, ended: bool, torn: bool) -> Again:
        """What came of it."""
        outcome = self._finish()
        findings = Findings(str(self._program.parameters["generation"]))
        findings.take(outcome.violations)
        decisions = self._interpreter.schedule
        return Again(
            header,
            self._program,
            decisions,
            self._messages,
            outcome,
            ended,
            torn,
            self._difference,
            findings,
        )

    def _take_message(self, record: Arrived) -> None:
        if record.mailbox not in self._mailboxes:
            raise UsageError(f"a message to {record.mailbox!r}, a mailbox that there is not")
        last = self._messages[-1][0] if self._messages else 0
        if record.position < max(last, len(self._decisions)):
            raise UsageError("a message that comes before what is already past")
        message = record.position, self._mailboxes[record.mailbox], record.message
        self._messages.append(message)
        self._waiting.append(message)

    def _take_chunk(self, chunk: Chunk) -> None:
        self._answers += [entry for entry in chunk.decisions if entry < 0]
        self._decisions += chunk.decisions
        self._continue()
        self._compare(chunk.shown)

    def _continue(self) -> None:
        """Run until all decisions that were read are used up."""
        try:
            if not self._begun:  # only now: contexts may have choices to make before they move
                self._begun = True
                self._interpreter.reset(FixedSchedule(self._answers))
            self._go()
        except UsageError as error:
            raise _Differs(f"decision {len(self._interpreter.schedule):,}: {error}") from None

    def _finish(self) -> Outcome:
        if self._outcome is None:
            self._outcome = self._interpreter.finish()
        return self._outcome

    def _go(self) -> None:
        interpreter, decisions = self._interpreter, self._decisions
        done = len(interpreter.schedule)
        while True:
            inject(interpreter, self._waiting)
            if interpreter.schedule[done:] != decisions[done : len(interpreter.schedule)]:
                raise UsageError("it asks for a choice where none was made")
            done = len(interpreter.schedule)
            if done >= len(decisions):
                return
            number = decisions[done]
            if not 0 <= number < len(interpreter.contexts):
                raise UsageError("a choice where none is asked for")
            if interpreter.finished:
                raise UsageError("it has ended before")
            interpreter.step(interpreter.contexts[number])

    def _take_end(self, end: End) -> None:
        self._continue()
        interpreter = self._interpreter
        if "deadlock" in end.signatures and not interpreter.finished and not interpreter.enabled():
            interpreter.deadlock()
        outcome = self._finish()
        if Counter(each.signature for each in outcome.violations) != end.signatures:
            raise _Differs("other violations")
        if (outcome.operations, outcome.verdict.value) != (end.operations, end.verdict):
            raise _Differs("another end")
        self._compare(end.shown)

    def _compare(self, shown: bytes) -> None:
        self._witness.note(self._interpreter.events)
        self._interpreter.events.clear()
        if self._witness.digest(self._interpreter.store) != shown:
            raise _Differs("other events, or other memory or messages after them")
