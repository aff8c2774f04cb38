"""Each target of `python -m tests.fuzz` on some damaged files, and on all that was ever found."""

from pathlib import Path
from random import Random
from typing import Final

import pytest

from ..fuzz.bounds import bounded
from ..fuzz.mutate import mutated
from ..fuzz.targets import TARGETS
from .recordings import OWN, unxz

CORPUS: Final = sorted((OWN / "fuzz").glob("*.xz"))
"""What once was a finding, named for its target."""
_INPUTS: Final = 12


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_files(name: str) -> None:
    target = TARGETS[name]
    random, seeds = Random(name), target.seeds()
    for _ in range(_INPUTS):
        target.run(mutated(random, seeds))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_findings_stay_repaired(path: Path) -> None:
    target = next(TARGETS[name] for name in TARGETS if path.name.startswith(f"{name}-"))
    data = unxz(path)
    target.warm_up()
    with bounded(len(data), target.budget):
        target.run(data)


def test_mutations_are_the_same_each_time() -> None:
    seeds = [bytes(range(200)), b"x" * 50]
    first, again = ([mutated(Random(seed), seeds) for seed in range(50)] for _ in range(2))
    assert first == again
    assert len(set(first)) > 40
    assert all(each not in seeds for each in first[:5])


def test_a_reader_that_breaks_its_promises_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A length that is believed: the section's headers, unchecked, lead past the end."""
    from stackweave.core.sframe import header

    monkeypatch.setattr(header, "_check_extents", lambda *_: None)
    target = TARGETS["section"]
    random, seeds = Random(0), target.seeds()
    inputs = [mutated(random, seeds) for _ in range(500)]

    def run_all() -> None:
        for data in inputs:
            target.run(data)

    with pytest.raises(Exception, match=r"buffer|iterative"):
        run_all()
