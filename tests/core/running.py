"""Driving an interpreter by hand."""

from collections.abc import Sequence
from random import Random

from stackweave.core import (
    Context,
    FixedSchedule,
    Interpreter,
    Outcome,
    Program,
    RandomWalk,
    Violation,
)


def by_name(interpreter: Interpreter, name: str) -> Context:
    return next(context for context in interpreter.contexts if context.name == name)


def drive(interpreter: Interpreter, *names: str) -> None:
    """Let these contexts move, in this order."""
    for name in names:
        interpreter.step(by_name(interpreter, name))


def enabled(interpreter: Interpreter) -> list[str]:
    return [context.name for context in interpreter.enabled()]


def outcome_of(program: Program, seed: int = 0) -> Outcome:
    """One random execution."""
    return Interpreter(program).run(RandomWalk(seed))


def violation_of(program: Program, seed: int = 0) -> Violation:
    """The only violation of one random execution."""
    (violation,) = outcome_of(program, seed).violations
    return violation


def finish_by_hand(interpreter: Interpreter, random: Random, steps: int = 10_000) -> None:
    """Let contexts move until the end, or for some steps."""
    for _ in range(steps):
        if interpreter.finished or not interpreter.enabled():
            return
        interpreter.step(random.choice(interpreter.enabled()))


def state_of(interpreter: Interpreter) -> tuple[object, ...]:
    """All that a host can see."""
    return (
        tuple(interpreter.schedule),
        tuple(interpreter.events),
        tuple(interpreter.violations),
        tuple(interpreter.store.words),
        [list(box) for box in interpreter.store.mailboxes],
        [(context.name, context.state, context.pending) for context in interpreter.contexts],
        enabled(interpreter),
    )


def played(program: Program, decisions: Sequence[int]) -> Outcome:
    """The interpreter's execution as far as the decisions go."""
    interpreter, strategy = Interpreter(program), FixedSchedule(decisions)
    interpreter.reset(strategy)
    while len(interpreter.schedule) < len(decisions) and not interpreter.finished:
        interpreter.step(strategy.pick(interpreter.enabled()))
    if not interpreter.finished and not interpreter.enabled():
        interpreter.deadlock()
    return interpreter.finish()
