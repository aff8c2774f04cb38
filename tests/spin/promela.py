"""Running SPIN: the verifier it makes of a Promela file, with its reductions off, and what that prints."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pytest

FOLDER: Final = Path(__file__).parent
_OPTIONAL: Final = "STACKWEAVE_WITHOUT_SPIN"
"""In the environment: tests that need SPIN are skipped where it is absent, and do not fail."""
_SECONDS: Final = 120


class Verified(NamedTuple):
    """What `pan` found."""

    states: int
    transitions: int
    errors: int
    memories: set[tuple[int, ...]]
    """That the steps left behind them."""
    finals: set[tuple[int, ...]]
    """Those when every process had ended."""


def verify(
    name: str, constants: Mapping[str, int], folder: Path, *, checked: bool = False
) -> Verified:
    """Make and run the verifier of a program.

    One step an operation: no statements merged, no dead variables found, no reduction (-o1 -o2 -o3, -DNOREDUCE).
    """
    require_spin()
    chosen = [f"-D{key}={value}" for key, value in constants.items()]
    if checked:
        chosen.append("-DCHECKED")
    shutil.copy(FOLDER / "check.h", folder)
    _run(folder, "spin", "-a", "-o1", "-o2", "-o3", *chosen, str(FOLDER / f"{name}.pml"))
    _run(folder, "gcc", "-w", "-O0", "-DSAFETY", "-DNOREDUCE", "-DPRINTF", "-o", "pan", "pan.c")
    return _read(_run(folder, "./pan", "-m1000000", "-E"))


def require_spin() -> None:
    """End the test here where SPIN is absent."""
    missing = [tool for tool in ("spin", "gcc") if shutil.which(tool) is None]
    if missing:
        absent = (
            f"{' and '.join(missing)} not installed: apt-get install spin gcc, or set {_OPTIONAL}=1"
        )
        if os.environ.get(_OPTIONAL):
            pytest.skip(absent)  # somebody asked for it: without the variable it fails
        pytest.fail(absent)


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=True
    )
    return done.stdout


def _read(printed: str) -> Verified:
    return Verified(
        _number(printed, r"(\d+) states, stored"),
        _number(printed, r"(\d+) transitions"),
        _number(printed, r"errors: (\d+)"),
        _valuations(printed, "V"),
        _valuations(printed, "F"),
    )


def _number(printed: str, pattern: str) -> int:
    found = re.search(pattern, printed)
    assert found is not None, printed
    return int(found[1])


def _valuations(printed: str, letter: str) -> set[tuple[int, ...]]:
    lines = re.findall(rf"^{letter}((?: -?\d+)+)$", printed, re.MULTILINE)
    return {tuple(map(int, line.split())) for line in lines}
