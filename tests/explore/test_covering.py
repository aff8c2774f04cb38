"""What executions reach is counted as the search counts it, and is the same in whatever parts it is counted."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from stackweave.core import Program
from stackweave.core.explore import cover
from stackweave.core.explore.engine import Engine
from stackweave.core.explore.reached import Coverage
from stackweave.core.explore.search import search
from stackweave.core.strategies import RANDOM_WALK, Tactic
from stackweave.programs import BUILTIN, Parameters

from ..core.programs import cas_program, mixed_program
from .models import program_of, random_codes


def covered(program: Program, *ends: int, tactic: Tactic = RANDOM_WALK) -> Coverage:
    """Of the executions up to each of these, one range after the other."""
    engine = Engine(program, tactic, covering=True)
    coverage = Coverage()
    first = 0
    for end in ends:
        part = engine.run(7, first, end).reached
        assert part is not None
        coverage.add(part)
        first = end
    engine.discard()
    return coverage


PROGRAMS: dict[str, Callable[[], Program]] = {
    "cas": lambda: cas_program(2, 2),
    "perf-migration": lambda: BUILTIN["perf-migration"](Parameters()),
    "spurious-callback": lambda: BUILTIN["spurious-callback"](Parameters()),
    "two-unwinds": lambda: BUILTIN["two-unwinds"](Parameters()),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_with_patience_all_is_reached_that_the_search_finds(name: str) -> None:
    coverage = covered(PROGRAMS[name](), 40_000)
    whole = search(PROGRAMS[name]())
    assert whole.complete
    assert (coverage.states, coverage.transitions) == (whole.states, whole.transitions)
    assert coverage.complete


@pytest.mark.parametrize("seed", range(12))
def test_random_programs(seed: int) -> None:
    codes = random_codes(seed)
    coverage = covered(program_of(codes), 20_000)
    whole = search(program_of(codes))
    assert coverage.states <= whole.states
    assert coverage.transitions <= whole.transitions
    assert coverage.states > 0.9 * whole.states


@pytest.mark.parametrize("tactic", ["pct:3", "pos", "surw", "preemption-bound:2"])
def test_a_strategy_reaches_what_there_is(tactic: str) -> None:
    coverage = covered(cas_program(2, 2), 3_000, tactic=Tactic.parse(tactic))
    whole = search(cas_program(2, 2))
    assert 0 < coverage.states <= whole.states
    assert coverage.transitions <= whole.transitions


def test_a_part_of_a_large_program_is_reached() -> None:
    coverage, whole = covered(mixed_program(), 2_000), search(mixed_program())
    assert 0 < coverage.states < whole.states
    assert 0 < coverage.transitions < whole.transitions


def default() -> Program:
    return BUILTIN["default"](Parameters())


def told(coverage: Coverage, executions: int) -> object:
    return coverage.curve(executions), coverage.newest, coverage.complete


def test_it_is_the_same_in_whatever_parts() -> None:
    whole = covered(default(), 40)
    assert whole.states > 10_000  # so the tables have grown
    assert told(covered(default(), 1, 7, 40), 40) == told(whole, 40)


_OTHER = """
from stackweave.core.explore.engine import Engine
from stackweave.core.explore.reached import Coverage
from stackweave.programs import BUILTIN, Parameters
engines = [Engine(BUILTIN["default"](Parameters()), covering=True) for _ in range(2)]
coverage = Coverage()
for at, first, end in (1, 5, 12), (0, 0, 5), (0, 12, 20), (1, 20, 40):
    coverage.add(engines[at].run(7, first, end).reached)
print((coverage.curve(40), coverage.newest, coverage.complete))
"""


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_it_is_the_same_in_other_processes_and_another_order(hash_seed: str) -> None:
    made = subprocess.run(
        [sys.executable, "-c", _OTHER],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout.strip() == repr(told(covered(default(), 40), 40))


def test_memory_is_bounded_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cover, "MOST_REACHED", 1_000)
    coverage = covered(default(), 5, 40)
    assert not coverage.complete
    assert 1_000 <= coverage.transitions < 20_000


def test_what_came_later_can_be_cut_off() -> None:
    coverage = covered(default(), 40)
    coverage.cut(12)
    assert told(coverage, 12) == told(covered(default(), 12), 12)


def test_planted_without_identities_states_are_taken_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A twin of the first test, which must see that nodes count."""
    monkeypatch.setattr("stackweave.core.explore.automaton.Automaton.identity", lambda *_: 1)
    assert covered(cas_program(2, 2), 5_000).states < search(cas_program(2, 2)).states
