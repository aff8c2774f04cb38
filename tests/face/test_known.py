"""Which signature is which known defect: by generation, and by what else an execution shows."""

import pytest

from stackweave.core import Interpreter, RandomWalk
from stackweave.core.kernel.system import GENERATIONS
from stackweave.known import identify
from stackweave.programs import BUILTIN, Parameters


@pytest.mark.parametrize(
    ("generation", "signatures", "known"),
    [
        ("upstream", ["cookie-zero"], ["7"]),
        ("per_work", ["cookie-zero"], ["first-cookie"]),
        ("mutex_list_nmi", ["cookie-zero"], ["exit-window"]),
        # upstream remembers who was called, and has the hook
        ("upstream", ["twice"], [None]),
        ("upstream", ["wrong-stack:empty"], [None]),
        ("completed", ["wrong-stack:empty"], ["exit"]),
        ("bitmask", ["twice"], ["spurious"]),
        # what several lead to is put down to the one whose sign is there
        ("upstream", ["unrequested"], [None]),
        ("upstream", ["unrequested", "inherited:stale-snapshot"], ["3", "3"]),
        ("upstream", ["twice", "undefined-behaviour:test_bit-out-of-bounds"], ["4", "4"]),
        ("upstream", ["late:after-reset", "cookie-shared"], ["after-reset", "after-reset"]),
        ("upstream", ["wrong-stack"], [None]),
        ("per_work", ["cookie-zero", "lost"], ["first-cookie", "first-cookie"]),
        ("per_work", ["lost"], ["blocked"]),
        ("bitmask_v12", ["lost"], ["spoilt-swap"]),
        ("bitmask_v12_patch8", ["lost"], ["exit-window"]),
        ("bitmask_v12", ["unrequested"], ["zero-bit"]),
        ("bitmask_v12", ["unrequested", "inherited:racing-request"], ["6", "6"]),
        ("bitmask_v12", ["twice"], ["called-again"]),
        ("bitmask_v12_patch8", ["twice"], ["requeue"]),
        ("bitmask_v12", ["null-pointer:func"], ["3"]),
        ("bitmask_v12_patch8", ["null-pointer:func"], ["6"]),
        ("nobody", ["lost"], [None]),
        (None, ["lost"], [None]),
    ],
)
def test_identify(generation: str | None, signatures: list[str], known: list[str | None]) -> None:
    found = identify(generation, signatures)
    assert [found.get(each) for each in signatures] == [
        f"{generation}-{defect}" if defect else None for defect in known
    ]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_default_program_shows_nothing_unknown(generation: str) -> None:
    interpreter = Interpreter(BUILTIN["default"](Parameters(generation)))
    unknown: set[str] = set()
    for execution in range(150):
        outcome = interpreter.run(RandomWalk(0), execution)
        shown = {each.signature for each in outcome.violations}
        unknown |= shown - set(identify(generation, shown))
    assert not unknown
