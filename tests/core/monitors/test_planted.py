"""Each property finds the bug that breaks it, and finds nothing where the bug is not."""

from collections.abc import Callable
from typing import Final

import pytest

from stackweave.core import Interpreter, Program, RandomWalk, Verdict
from stackweave.core.events import CallbackBegin, RequestEnd
from stackweave.core.monitors import PROPERTIES

from . import handover, others, planted
from .toy import Toy

EXECUTIONS: Final = 400

PLANTED: Final[dict[type[Toy], set[str]]] = {
    planted.CallsEverybody: {"unrequested"},
    planted.ForgetsCalls: {"twice"},
    planted.GivesUp: {"lost"},
    planted.Postpones: {"late"},
    planted.PostponesWithoutReset: {"late:no-reset"},
    planted.AsksAfterReset: {"late:after-reset"},
    planted.ReturnsTheBit: {"return-value"},
    planted.FirstCookieIsZero: {"cookie-zero", "cookie-mismatch", "lost"},
    planted.ReadsTheCounter: {"cookie-mismatch", "lost"},
    planted.KeepsTheCookie: {"cookie-shared"},
    planted.KeepsTheTrace: {"wrong-stack"},
    planted.NeverDone: {"live-lock"},
    handover.CallsUnlocked: {"after-cancel"},
    handover.ReadsOwnerLate: {
        "inherited:stale-snapshot",
        "inherited:racing-request",
        "unrequested",
        "twice",
    },
    handover.AsksUnlocked: {"inherited:racing-request", "unrequested"},
    handover.KeepsDone: {"inherited:swallowed", "lost"},
    handover.GrantsCancelled: {"lost:cancelled"},
}
"""Some bugs break more than one property, and cannot help it: a callback with a wrong cookie loses the request;
who inherits a bit is called unasked, or loses a request of its own."""

OTHERS: Final[dict[Callable[..., Program], set[str]]] = {
    others.grace_period_program: {"grace-period:toy"},
    others.tracepoint_program: {"probe-data"},
    others.shadow_stack_program: {"shadow-stack:freed-in-use", "shadow-stack:used-after-free"},
    others.shift_program: {"undefined-behaviour:shift"},
}


def found(program: Program) -> set[str]:
    """The signatures that some executions break."""
    interpreter = Interpreter(program)
    walk = RandomWalk(1)
    return {
        violation.signature
        for execution in range(EXECUTIONS)
        for violation in interpreter.run(walk, execution).violations
    }


@pytest.mark.parametrize("toy", PLANTED, ids=lambda toy: toy.__name__)
def test_a_planted_bug_breaks_exactly_its_property(toy: type[Toy]) -> None:
    assert found(toy().program) == PLANTED[toy]


@pytest.mark.parametrize("toy", [Toy, handover.Handover])
def test_the_sound_sibling_breaks_nothing(toy: type[Toy]) -> None:
    interpreter = Interpreter(toy().program)
    walk = RandomWalk(1)
    events = set()
    for execution in range(EXECUTIONS):
        outcome = interpreter.run(walk, execution)
        assert (outcome.verdict, outcome.violations) == (Verdict.CLEAN, ())
        events |= {occurrence.event for occurrence in outcome.events}
    # silence counts only because both tracers asked, were told both answers, and were called
    ends = {(e.tracer, e.returned) for e in events if isinstance(e, RequestEnd) and e.returned >= 0}
    assert ends >= {(0, 0), (1, 0), (1, 1)}
    assert {e.tracer for e in events if isinstance(e, CallbackBegin)} == {0, 1}


@pytest.mark.parametrize("make", OTHERS, ids=lambda make: make.__name__)
def test_other_mechanisms_with_their_bug_and_without(make: Callable[..., Program]) -> None:
    assert found(make(planted=True)) == OTHERS[make]
    assert found(make(planted=False)) == set()


def test_every_property_has_a_planted_bug() -> None:
    signatures = set().union(*PLANTED.values(), *OTHERS.values())
    assert {signature.partition(":")[0] for signature in signatures} == set(PROPERTIES)


def test_the_programs_end_by_themselves() -> None:
    # an execution cut off at its bound would not have judged what is lost
    for make in (*(toy for toy in PLANTED if toy is not planted.NeverDone), Toy):
        outcome = Interpreter(make().program).run(RandomWalk(2))
        assert outcome.verdict is not Verdict.INCOMPLETE
        assert outcome.operations < Toy.bound
