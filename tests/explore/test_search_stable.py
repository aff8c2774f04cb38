"""The number of states is the program's, and not the history of the process that counts them."""

import pytest

from stackweave.core import Interpreter, Program, RandomWalk
from stackweave.core.explore import statics
from stackweave.core.explore.search import search
from stackweave.core.monitors import specification
from stackweave.programs import BUILTIN, Parameters

from ..core.programs import mixed_program


def cookie_zero() -> Program:
    """Made afresh for every search."""
    return BUILTIN["cookie-zero"](Parameters())


def counts() -> tuple[int, int, int, int]:
    """All that a search counts."""
    found = search(cookie_zero())
    assert found.complete
    return found.states, found.transitions, found.depth, found.ends


def work() -> None:
    """What a process may have done before: executions of the same program, and searches of others."""
    interpreter, walk = Interpreter(cookie_zero()), RandomWalk(0)
    for execution in range(300):
        interpreter.run(walk, execution)
    search(mixed_program())
    search(BUILTIN["reset-skipped"](Parameters()))


def test_a_search_counts_the_same_whatever_came_before() -> None:
    specification._after.cache_clear()
    before = counts()
    work()
    assert counts() == before


def test_values_that_are_numbered_where_they_were_made_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planted: a value that lives longer than one execution counts as an object of its own."""
    monkeypatch.setattr(statics, "makeup", lambda kind: None)
    specification._after.cache_clear()
    before = counts()
    work()
    assert counts() != before
