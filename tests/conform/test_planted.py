"""A changed model is rejected by the recordings of a real kernel, and the unchanged one is not."""

import pytest

from .changes import SEEN
from .plants import Change, plant
from .support import RECORDINGS, first_difference


def test_the_unchanged_model_conforms() -> None:
    assert first_difference(*RECORDINGS) is None


@pytest.mark.parametrize("change", [pytest.param(each, id=each.name) for each in SEEN])
def test_the_recordings_reject(change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, change)
    assert first_difference(*RECORDINGS) is not None
