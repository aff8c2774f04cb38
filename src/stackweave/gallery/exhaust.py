"""Every execution of a small program: depth first, each state once.

A state is what can make a difference from here on: memory and mailboxes, where each context stands, what each of
them has been told since it began (a protocol is a function of that), and what each monitor has seen. Two ways to
one state go on alike, so only the first is followed. Keys are compared whole and not by a hash, so that what is
called complete is complete.

A coroutine cannot be copied: each further way is run from the beginning. An engine that stores states replaces
this module; `search` is all that others use.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from stackweave.core import Interpreter, Program, State, UsageError, Violation
from stackweave.core.context import Context
from stackweave.core.operations import FORK, PAUSE

MOST_STATES: Final = 400_000
"""Of one search; more would not fit a small machine's memory."""
_DEADLOCK: Final = "deadlock"


@dataclass(frozen=True, slots=True)
class Search:
    """What was found."""

    complete: bool
    """Whether every state was visited."""
    states: int
    ends: int
    """Executions that were followed to their end; the others came to a state that had been visited."""
    schedules: dict[str, tuple[int, ...]]
    """Of each signature that was seen, the first schedule that shows it: whole for one that was searched for, else
    perhaps cut short where a state was known."""

    @property
    def signatures(self) -> tuple[str, ...]:
        """All that were seen."""
        return tuple(sorted(self.schedules))


def search(program: Program, *, most: int = MOST_STATES, until: Collection[str] = ()) -> Search:
    """Visit the states of a program: all of them, `most`, or until one of some signatures is seen."""
    walk = _Walk(program, most, frozenset(until))
    while walk.go_on():
        walk.run()
    return walk.result()


class _Script:
    """Follows the first decisions as given, then takes the first of whatever there is; notes all widths."""

    def __init__(self, decisions: Sequence[int]) -> None:
        self._decisions = decisions
        self.widths: list[int] = []
        self.answers: list[int] = []

    def begin(self, execution: int, contexts: Sequence[Context]) -> None:
        raise UsageError("a search decides each step itself")

    def pick(self, enabled: Sequence[Context]) -> Context:
        return enabled[self._decide(len(enabled))]

    def choose(self, n: int) -> int:
        answer = self._decide(n)
        self.answers.append(answer)
        return answer

    def take_answers(self) -> tuple[int, ...]:
        taken, self.answers = tuple(self.answers), []
        return taken

    @property
    def is_beyond(self) -> bool:
        """Whether all that was given is used up."""
        return len(self.widths) >= len(self._decisions)

    def _decide(self, n: int) -> int:
        position = len(self.widths)
        self.widths.append(n)
        return self._decisions[position] if position < len(self._decisions) else 0


class _Histories:
    """Sequences as numbers: a longer one is known by the shorter one and its last item, exactly."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, object], int] = {}

    def extend(self, history: int, item: object) -> int:
        return self._numbers.setdefault((history, item), len(self._numbers) + 1)


class _Walk:
    def __init__(self, program: Program, most: int, until: frozenset[str]) -> None:
        self._program = program
        self._interpreter = Interpreter(program)
        self._most = most
        self._until = until
        self._histories = _Histories()
        self._seen: set[object] = set()
        self._decisions: list[int] = []
        self._exhausted = False
        self._ends = 0
        self._incomplete = False
        self._schedules: dict[str, tuple[int, ...]] = {}
        self._told: list[int] = []
        self._shown: list[int] = []
        self._violated: list[str] = []
        """By the execution that runs."""
        self._events = 0

    def go_on(self) -> bool:
        return not (
            self._exhausted
            or len(self._seen) >= self._most
            or not self._until.isdisjoint(self._schedules)
        )

    def result(self) -> Search:
        complete = self._exhausted and not self._incomplete
        return Search(complete, len(self._seen), self._ends, self._schedules)

    def run(self) -> None:
        """One execution, up to a state that is known; then the next decisions to try."""
        script = _Script(self._decisions)
        self._interpreter.reset(script)
        begun = self._histories.extend(0, script.take_answers())
        self._told = [begun] * len(self._interpreter.contexts)
        self._shown = [0] * len(self._program.monitors)
        self._events = 0
        self._observe()
        for _ in range(self._program.bound):
            if not self._step(script):
                break
        else:
            self._incomplete = True
        for signature in self._violated:
            self._schedules.setdefault(signature, tuple(self._interpreter.schedule))
        self._interpreter.discard()
        self._backtrack(script.widths)

    def _step(self, script: _Script) -> bool:
        """One move; False at the execution's end, or at a state that is known."""
        interpreter = self._interpreter
        if interpreter.finished:
            self._end(interpreter.finish().violations)
            return False
        enabled = interpreter.enabled()
        if not enabled:
            self._violated.append(_DEADLOCK)
            self._ends += 1
            return False
        if script.is_beyond and self._was_here() and self._until.isdisjoint(self._violated):
            return False
        context = script.pick(enabled)
        kind, child, _, _ = context.pending
        result = interpreter.step(context)
        item = (result, context.cpu, script.take_answers())
        told = self._histories.extend(self._told[context.index], item)
        self._told[context.index] = told
        if kind == FORK:
            self._told[child] = (
                told  # a child's choices before its first operation are its parent's step
            )
        self._observe()
        return True

    def _was_here(self) -> bool:
        key = self._key()
        if key in self._seen:
            return True
        self._seen.add(key)
        return False

    def _observe(self) -> None:
        """Take in what was emitted and violated."""
        events = self._interpreter.events
        for occurrence in events[self._events :]:
            for number, monitor in enumerate(self._program.monitors):
                if monitor.accepts(occurrence.event):
                    history = self._shown[number]
                    self._shown[number] = self._histories.extend(history, occurrence.event)
        self._events = len(events)
        self._violated = [each.signature for each in self._interpreter.violations]

    def _end(self, violations: Sequence[Violation]) -> None:
        self._violated = [each.signature for each in violations]
        self._ends += 1

    def _key(self) -> object:
        interpreter, store = self._interpreter, self._interpreter.store
        return (
            tuple(store.words),
            tuple(store.live),
            tuple(map(tuple, store.mailboxes)),
            tuple(self._shown),
            tuple(map(self._standing, interpreter.contexts)),
        )

    def _standing(self, context: Context) -> object:
        """Interrupt flags are left out: who is on a CPU, and what it was told, determine them."""
        if context.state is State.DEAD:
            return None
        paused = (
            context.pending[0] == PAUSE and len(self._interpreter.schedule) <= context.paused_at
        )
        below = context.stack.index(context) if context in context.stack else -1
        return (
            self._told[context.index],
            context.state,
            context.cpu,
            below,
            context.allowed,
            context.switched_out,
            paused,
        )

    def _backtrack(self, widths: Sequence[int]) -> None:
        decisions = self._decisions
        decisions += [0] * (len(widths) - len(decisions))
        while decisions and decisions[-1] + 1 == widths[len(decisions) - 1]:
            decisions.pop()
        if decisions:
            decisions[-1] += 1
        self._exhausted = not decisions
