"""Fixtures of the face."""

from pathlib import Path

import pytest

from .support import Commands


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Commands:
    """Runs commands in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    return Commands(capsys)


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """No tracer leaves a live run: who does may crash the machine (upstream-3), and end the run early."""
    monkeypatch.setattr("stackweave.actors.soak.CHURN_GAP", 1 << 28)
