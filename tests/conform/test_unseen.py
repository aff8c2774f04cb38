"""Changes that no set of outcomes shows are rejected by the order of operations, or by what holds everywhere."""

import pytest

from .plants import Change, plant
from .unseen import UNSEEN
from .wherever import CHECKS


@pytest.mark.parametrize("name", CHECKS)
def test_the_unchanged_model_passes(name: str) -> None:
    assert CHECKS[name]()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param(name, change, id=f"{name}: {change.name}")
        for name, changes in UNSEEN.items()
        for change in changes
    ],
)
def test_a_changed_model_does_not(
    name: str, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, change)
    assert not CHECKS[name]()
