"""Loading and running examples."""

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """An example as a module, as the examples find one another: by their folder."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module(name)


def printed(name: str) -> str:
    """What an example prints; it must end well and complain of nothing."""
    words = [sys.executable, "-W", "error", f"{name}.py"]
    ended = subprocess.run(words, cwd=EXAMPLES, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout
