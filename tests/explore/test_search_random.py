"""Random small programs, searched: against plain Python, and against the list of all their executions."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from stackweave.core.explore.search import Searcher, search

from ..core.listing import executions
from .models import program_of, random_codes, visit
from .showing import replays


@pytest.mark.parametrize("seed", range(120))
def test_random_programs_have_the_states_that_plain_python_finds(seed: int) -> None:
    codes = random_codes(seed)
    program, wanted = program_of(codes), visit(codes)
    found = search(program)
    assert found.complete
    assert (found.states, found.transitions) == (len(wanted.states), wanted.transitions)
    assert set(found.signatures) == wanted.signatures
    replays(program, found)


@pytest.mark.parametrize("seed", range(120, 150))
def test_random_programs_have_the_memories_that_all_executions_end_with(seed: int) -> None:
    codes = random_codes(seed)
    program = program_of(codes)
    searcher = Searcher(program, keep=True)
    searcher.explore()
    runs = list(executions(program))
    finals = {run.words for run in runs if not run.violations}
    assert set(map(tuple, searcher.final_words().tolist())) == finals
    assert searcher.seen() == {each.signature for run in runs for each in run.violations}


def switches_of(decisions: Sequence[int]) -> int:
    """Moves of another context than moved before."""
    moves = [entry for entry in decisions if entry >= 0]
    return sum(now != before for before, now in pairwise(moves))


@pytest.mark.parametrize("seed", range(0, 120, 3))
def test_no_execution_has_fewer_switches(seed: int) -> None:
    program = program_of(random_codes(seed))
    found = search(program, switches=True)
    assert found.complete
    replays(program, found)
    fewest: dict[str, int] = {}
    for run in executions(program):
        for each in run.violations:
            fewest[each.signature] = min(
                switches_of(run.schedule), fewest.get(each.signature, len(run.schedule))
            )
    assert {name: switches_of(each) for name, each in found.schedules.items()} == fewest
