"""The machine's table, row by row: each guard in turn keeps a context where it is, and each effect is seen."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from stackweave.core import Context, Interpreter, Program
from stackweave.core.machine import TRANSITIONS, Effect, Guard, State

from .machine_cases import CASES, Case
from .running import by_name, drive


@dataclass(frozen=True)
class View:
    """All that effects can change."""

    stack: tuple[str, ...]
    irqs: int
    current: int
    pending: int
    saved: int | None
    condition: tuple[int, int, int] | None
    allowed: int


def view(interpreter: Interpreter, program: Program, subject: Context) -> View:
    cpu, words = program.cpu(0), interpreter.store.words
    return View(
        tuple(context.name for context in interpreter._processors.stacks[0]),
        interpreter._processors.irqs_on[0],
        words[cpu.current.address],
        words[cpu.irq_work.address],
        getattr(subject, "saved_irqs", None),
        getattr(subject, "condition", None),
        subject.allowed,
    )


def expected(before: View, row: str, subject: Context, given: tuple[int, int, int]) -> View:
    """What the effects say, applied to what was."""
    to = before.saved if row == "leave" and before.saved is not None else given[1]
    effects: dict[Effect, Callable[[View], View]] = {
        Effect.PUSH: lambda v: replace(v, stack=(*v.stack, subject.name)),
        Effect.POP: lambda v: replace(v, stack=v.stack[:-1]),
        Effect.SET_CURRENT: lambda v: replace(v, current=subject.index + 1),
        Effect.CLEAR_CURRENT: lambda v: replace(v, current=0),
        Effect.SAVE_IRQS: lambda v: replace(v, saved=v.irqs),
        Effect.RESTORE_IRQS: lambda v: replace(v, irqs=to),
        Effect.IRQS_OFF: lambda v: replace(v, irqs=0),
        Effect.IRQS_ON: lambda v: replace(v, irqs=1),
        Effect.CLEAR_PENDING: lambda v: replace(v, pending=0),
        Effect.SET_CONDITION: lambda v: replace(v, condition=given),
        Effect.SET_ALLOWED: lambda v: replace(v, allowed=given[1]),
    }
    seen = before
    for effect in TRANSITIONS[row].effects:
        seen = effects[effect](seen)
    return seen


def moved(case: Case) -> Interpreter:
    interpreter = Interpreter(case.program)
    drive(interpreter, *case.moves)
    return interpreter


def test_every_row_has_a_program() -> None:
    assert list(CASES) == list(TRANSITIONS)


@pytest.mark.parametrize(
    ("row", "guard"), [(row.name, guard) for row in TRANSITIONS.values() for guard in row.guards]
)
def test_each_guard_alone_keeps_a_context_where_it_is(row: str, guard: Guard) -> None:
    case = CASES[row](guard)
    interpreter = moved(case)
    assert by_name(interpreter, case.mover) not in interpreter.enabled()
    interpreter.discard()


@pytest.mark.parametrize("row", [name for name in TRANSITIONS if name != "retire"])
def test_when_all_guards_hold_it_may_move_and_every_effect_is_seen(row: str) -> None:
    case = CASES[row](None)
    interpreter = moved(case)
    subject, mover = by_name(interpreter, "subject"), by_name(interpreter, case.mover)
    assert subject.state in TRANSITIONS[row].source
    assert mover in interpreter.enabled()
    before, state = view(interpreter, case.program, subject), subject.state
    interpreter.step(mover)
    after = view(interpreter, case.program, subject)
    assert after == expected(before, row, subject, case.given)
    assert subject.state is (TRANSITIONS[row].target or state)
    # a row with effects changes something here, or the comparison would prove nothing
    assert (after != before) == bool(TRANSITIONS[row].effects)
    interpreter.discard()


def test_each_effect_makes_a_difference_somewhere() -> None:
    # of those in one row, none hides behind another: without any one the view would be another
    for row in TRANSITIONS.values():
        case = CASES[row.name](None)
        interpreter = moved(case)
        subject = by_name(interpreter, "subject")
        before = view(interpreter, case.program, subject)
        for effect in row.effects:
            rest = tuple(other for other in row.effects if other is not effect)
            alone = replace(row, effects=rest)
            with pytest.MonkeyPatch.context() as patch:
                patch.setitem(TRANSITIONS, row.name, alone)
                without = expected(before, row.name, subject, case.given)
            assert without != expected(before, row.name, subject, case.given), effect
        interpreter.discard()


def test_an_interrupt_whose_body_ends_is_retired() -> None:
    interpreter = moved(CASES["retire"](None))
    assert by_name(interpreter, "subject").state is State.DEAD
    interpreter.discard()
