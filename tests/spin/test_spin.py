"""Our exhaustive search and SPIN's, on six programs: the same memories, the same ends, the same number of states.

What makes the numbers comparable: one step an operation in both (`d_step`, and what a process does between two
operations belongs to the one before); no process ends in SPIN's sense, which would be a step more; variables
that nobody reads any more are zeroed by hand there and found dead here; and our nodes are counted by classes.
"""

from pathlib import Path

import pytest

from stackweave.core.explore.search import Searcher, search

from .minimised import minimised_states
from .programs import make
from .promela import verify

CASES = [
    ("counter", {"THREADS": 2, "TIMES": 3}),
    ("counter", {"THREADS": 2, "TIMES": 4}),
    ("lock", {"THREADS": 2, "TIMES": 2, "LOCKED": 1}),
    ("lock", {"THREADS": 2, "TIMES": 2, "LOCKED": 0}),
    ("seqlock", {"TIMES": 2, "AGAIN": 1}),
    ("seqlock", {"TIMES": 3, "AGAIN": 1}),
    ("seqlock", {"TIMES": 2, "AGAIN": 0}),
    ("treiber", {"THREADS": 2, "ATOMIC": 1}),
    ("treiber", {"THREADS": 3, "ATOMIC": 1}),
    ("treiber", {"THREADS": 2, "ATOMIC": 0}),
    ("srcu", {"THREADS": 2, "FLIP": 1}),
    ("srcu", {"THREADS": 1, "FLIP": 1}),
    ("srcu", {"THREADS": 2, "FLIP": 0}),
    ("bitmask", {"THREADS": 2, "TIMES": 2, "CLEAR": 1}),
    ("bitmask", {"THREADS": 2, "TIMES": 2, "CLEAR": 0}),
]
NAMES = ["-".join([name, *(f"{key}{value}" for key, value in c.items())]) for name, c in CASES]


@pytest.mark.parametrize(("name", "constants"), CASES, ids=NAMES)
def test_same_states(name: str, constants: dict[str, int], tmp_path: Path) -> None:
    theirs = verify(name, constants, tmp_path)
    assert theirs.errors == 0
    ours = make(name, constants)
    searcher = Searcher(ours.program, keep=True)
    searcher.explore()
    assert searcher.result().complete
    memories = searcher.memory_words()[:, ours.addresses].tolist()
    assert set(map(tuple, memories)) == {tuple(memories[0]), *theirs.memories}
    finals = searcher.final_words()[:, ours.addresses].tolist()
    assert set(map(tuple, finals)) == theirs.finals
    assert minimised_states(searcher) == theirs.states


@pytest.mark.parametrize(("name", "constants"), CASES, ids=NAMES)
def test_same_verdict(name: str, constants: dict[str, int], tmp_path: Path) -> None:
    theirs = verify(name, constants, tmp_path, checked=True)
    ours = search(make(name, constants, checked=True).program)
    assert ours.signatures == (("check",) if theirs.errors else ())
