"""Fixtures of the face."""

from pathlib import Path

import pytest

from stackweave.__main__ import main
from stackweave.run.command import BACKENDS

from .journals import SMALL
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


@pytest.fixture(scope="session", params=BACKENDS)
def journal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a short run."""
    path = tmp_path_factory.mktemp("journals") / "kept"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stackweave.run.journal.CHUNK", SMALL)
        patch.setattr("stackweave.actors.soak.CHURN_GAP", 1 << 28)
        main(["run", "--entries", "20", "--backend", request.param, "--journal", str(path)])
    return path
