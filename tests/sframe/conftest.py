"""Fixtures of the SFrame tests."""

from pathlib import Path

import pytest

from .commands import Commands


@pytest.fixture
def sframe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Commands:
    """Runs `stackweave sframe`."""
    return Commands(tmp_path, capsys)
