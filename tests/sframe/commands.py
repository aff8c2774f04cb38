"""Runs `stackweave sframe` in this process, on the packed files and on damaged ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from stackweave.__main__ import main

from .recordings import OWN, unxz


class Commands:
    """Runs one command at a time in a folder of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *words: str | Path, code: int = 0) -> str:
        """What a command prints; it must end with `code`, and blame in one line if that is 2."""
        assert main(["sframe", *map(str, words)]) == code
        out, err = self._capsys.readouterr()
        self.blame = err
        assert err.count("\n") <= 1
        return out

    def json(self, *words: str | Path, code: int = 0) -> Any:  # tests say what they expect of it
        """The one document that a command prints."""
        return json.loads(self(*words, "--json", code=code))

    def elf(self, name: str) -> Path:
        """A packed ELF file, such as `v3/recur`, unpacked."""
        return self.file(name.rpartition("/")[2], unxz(OWN / "elf" / f"{name}.xz"))

    def file(self, name: str, data: bytes) -> Path:
        """A file that holds these bytes."""
        path = self.folder / name
        path.write_bytes(data)
        return path
