"""Replaying a schedule: the same decisions, one step at a time, with everything that happened noted down."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from stackweave.core import (
    FixedSchedule,
    Interpreter,
    Outcome,
    Program,
    State,
    UsageError,
)
from stackweave.core.context import Context, functions_of
from stackweave.core.errors import diverged
from stackweave.core.operations import Operation

from .digest import digest_of
from .registry import blaming, find
from .schedule import Schedule

Injected: TypeAlias = tuple[int, int, object]
"""A message from outside: (schedule entries before it, mailbox number, message)."""

EVERY: Final = range(1 << 62)
"""Numbers of steps."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one context did in one move, or, with number 0, before its first."""

    number: int
    """Operations performed, this one included."""
    context: str
    function: str
    """The innermost protocol function that it stood in."""
    state: State
    """Where the context stood before."""
    operation: Operation
    """What it awaited: the operation performed, unless it was on no CPU and came to one."""
    result: object
    """None where there was none."""
    cpu: int
    """Where it stood afterwards."""
    answers: tuple[tuple[int, int], ...]
    """Of each `choose` that this move led to: (among how many, the answer)."""
    events: tuple[object, ...]
    standing: tuple[State, ...]
    """Of each context, its state afterwards."""

    @property
    def is_arrival(self) -> bool:
        """Whether the move was to come to a CPU, while the operation still waits."""
        return self.number > 0 and self.state is not State.RUNNING


@dataclass(frozen=True, slots=True)
class Replay:
    """A replayed execution, or a part of one."""

    program: Program
    outcome: Outcome
    steps: tuple[Step, ...]
    signature: str
    """Of the violation that it is about."""
    final_events: tuple[tuple[str, object], ...] = ()
    """What the program's last protocol reported, with its name."""
    cycle: int = 0
    """Steps at the end that repeat for ever; 0 where it ends."""


def replay(schedule: Schedule) -> Replay:
    """Run a schedule again.

    Raises `UsageError` for a stale one, with what changed, and `ModelError` where the same decisions lead
    elsewhere, which a protocol with hidden effects does.
    """
    return replay_on(schedule, program_of(schedule))


def program_of(schedule: Schedule) -> Program:
    """The program of a schedule, made anew. Raises `UsageError` for a stale one, with what changed."""
    recipe = find(schedule.program)
    program = recipe.make(schedule.parameters)
    refuse_stale(schedule, program, digest_of(program, recipe.module))
    return program


def replay_on(schedule: Schedule, program: Program) -> Replay:
    """As `replay`, on a program that is known to be the one."""
    decisions = schedule.decisions(program)
    with going_again(schedule.program):
        interpreter = Interpreter(program)
        outcome = follow(interpreter, decisions)
        told = tuple(steps_of(interpreter, decisions))
    if list(outcome.schedule) != decisions:
        raise diverged("it ends early")
    if schedule.signature not in {violation.signature for violation in outcome.violations}:
        raise diverged(f"it does not show {schedule.signature}")
    during = sum(len(step.events) for step in told)
    at_end = tuple((each.context, each.event) for each in outcome.events[during:])
    return Replay(program, outcome, told, schedule.signature, at_end)


@contextmanager
def going_again(name: str) -> Iterator[None]:
    """Around decisions that were made before: those that do not fit any more have led elsewhere."""
    with blaming(name):
        try:
            yield
        except UsageError as error:
            raise diverged(str(error)) from error


def follow(interpreter: Interpreter, decisions: Sequence[int]) -> Outcome:
    """The execution as far as the decisions go: a shrunk one ends where it shows its violation."""
    strategy = FixedSchedule(decisions)
    interpreter.reset(strategy)
    while not interpreter.finished:
        enabled = interpreter.enabled()
        if not enabled:
            interpreter.deadlock()
        elif len(interpreter.schedule) < len(decisions):
            interpreter.step(strategy.pick(enabled))
        else:
            break
    return interpreter.finish()


class Recorded(Protocol):
    """What a schedule or a journal says about its program."""

    @property
    def program(self) -> str:
        """Its name."""

    @property
    def digest(self) -> dict[str, bytes]:
        """What it was."""

    @property
    def contexts(self) -> tuple[str, ...]:
        """The contexts that it must have."""


def refuse_stale(recorded: Recorded, program: Program, now: dict[str, bytes]) -> None:
    """Raise `UsageError` where the program has changed since, with what changed."""
    before = recorded.digest
    changed = [item for item in {**before, **now} if before.get(item) != now.get(item)]
    if not changed:
        return
    names = {spec.name for spec in program.contexts}
    missing = [name for name in recorded.contexts if name not in names]
    gone = f"; it has no context {', '.join(missing)} any more" if missing else ""
    raise UsageError(
        f"the schedule is stale: {recorded.program} has changed since, in its {', '.join(changed)}{gone}"
    )


class _Answers(FixedSchedule):
    """Gives the schedule's answers to `choose`, and notes them down."""

    def __init__(self, decisions: Sequence[int]) -> None:
        super().__init__([entry for entry in decisions if entry < 0])
        self.given: list[tuple[int, int]] = []

    def choose(self, n: int) -> int:
        """The answer that the schedule holds."""
        answer = super().choose(n)
        self.given.append((n, answer))
        return answer

    def take(self) -> tuple[tuple[int, int], ...]:
        """The answers since the last call."""
        taken, self.given = tuple(self.given), []
        return taken


def steps_of(
    interpreter: Interpreter,
    decisions: Sequence[int],
    messages: Iterable[Injected] = (),
    wanted: range = EVERY,
) -> Iterator[Step]:
    """The wanted steps of an execution that is known to be one of the interpreter's program."""
    answers = _Answers(decisions)
    interpreter.reset(answers)
    waiting = deque(messages)
    if 0 in wanted:
        yield from _beginning(interpreter, answers)
    for number in range(1, wanted.stop):
        inject(interpreter, waiting)
        if len(interpreter.schedule) >= len(decisions) or interpreter.finished:
            break
        context = interpreter.contexts[decisions[len(interpreter.schedule)]]
        if number in wanted:
            yield _step(interpreter, context, number, answers)
        else:
            interpreter.step(context)
            answers.take()
    interpreter.discard()


def inject(interpreter: Interpreter, waiting: deque[Injected]) -> None:
    """Put those messages into their mailboxes that came at this point of the execution."""
    while waiting and waiting[0][0] == len(interpreter.schedule):
        _, mailbox, message = waiting.popleft()
        interpreter.inject(interpreter.program.layout.mailboxes[mailbox], message)


def _beginning(interpreter: Interpreter, answers: _Answers) -> Iterator[Step]:
    """What contexts reported before their first operation."""
    chosen = answers.take()
    for context in interpreter.contexts:
        events = tuple(each.event for each in interpreter.events if each.context == context.name)
        if events or (chosen and context is interpreter.contexts[0]):
            yield Step(
                0,
                context.name,
                context.name,
                State.NEW,
                context.pending,
                None,
                context.cpu,
                chosen,
                events,
                _standing(interpreter),
            )
            chosen = ()


def _step(interpreter: Interpreter, context: Context, number: int, answers: _Answers) -> Step:
    state, operation, seen = context.state, context.pending, len(interpreter.events)
    function = _function_of(context)
    result: object = interpreter.step(context)
    return Step(
        number,
        context.name,
        function,
        state,
        operation,
        result,
        context.cpu,
        answers.take(),
        tuple(each.event for each in interpreter.events[seen:]),
        _standing(interpreter),
    )


def _function_of(context: Context) -> str:
    """The innermost protocol function, but for private helpers, `__aenter__` and the like: their caller."""
    named = [name for name in functions_of(context.coroutine) if not name.startswith("_")]
    return named[-1] if named else context.name


def _standing(interpreter: Interpreter) -> tuple[State, ...]:
    return tuple(context.state for context in interpreter.contexts)
