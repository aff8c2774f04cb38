"""Exhaustive search beside SPIN's verifier, on the programs of tests/spin: states a CPU second.

Both with reductions off: `pan` as it is, and with hash compaction (-DHC4), which keeps a hash of a state as we do.
"""

import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import process_time
from typing import Final

from measure import Row

from stackweave.core.explore.search import Searcher

sys.path.insert(0, str(Path(__file__).parent.parent))  # the programs are the tests'
from tests.spin.programs import make

_REPEATS: Final = 3
_PROGRAMS: Final = (
    ("counter", {"THREADS": 4, "TIMES": 3}),
    ("treiber", {"THREADS": 3, "ATOMIC": 1}),
    ("srcu", {"THREADS": 4, "FLIP": 1}),
)
_FOLDER: Final = Path(__file__).parent.parent / "tests" / "spin"


def run() -> list[Row]:
    """One row a program."""
    return [_measure(name, constants) for name, constants in _PROGRAMS]


def _measure(name: str, constants: dict[str, int]) -> Row:
    states, rate = _ours(name, constants)
    row: dict[str, object] = {"program": name, "states": states, "states/s": round(rate)}
    installed = shutil.which("spin") is not None and shutil.which("gcc") is not None
    for option in ("", "-DHC4"):
        beside = f"pan {option}".strip()
        if installed:
            theirs, their_rate = _pan(name, constants, option)
            row |= {
                f"{beside} states": theirs,
                f"{beside} states/s": round(their_rate),
                f"ratio to {beside}": round(rate / their_rate, 2),
            }
        else:
            row |= {f"ratio to {beside}": "spin or gcc is not installed"}
    return row


def _ours(name: str, constants: dict[str, int]) -> tuple[int, float]:
    visits = [visit(name, constants) for _ in range(_REPEATS + 1)]
    # the first one loads the machine code
    return visits[0][0], median(states / seconds for states, seconds in visits[1:])


def visit(name: str, constants: dict[str, int]) -> tuple[int, float]:
    """All states of a program by our search: how many, and the CPU seconds that the search took."""
    searcher = Searcher(make(name, constants).program)
    started = process_time()
    searcher.explore()
    states = searcher.result().states
    return states, process_time() - started


def _pan(name: str, constants: dict[str, int], option: str) -> tuple[int, float]:
    with tempfile.TemporaryDirectory() as folder:
        compile_pan(folder, name, constants, option)
        runs = [run_pan(folder) for _ in range(_REPEATS)]
        return runs[0][0], median(states / seconds for states, seconds in runs)


def compile_pan(folder: str, name: str, constants: dict[str, int], option: str) -> None:
    """Make SPIN's verifier of a program, with reductions off."""
    shutil.copy(_FOLDER / "check.h", folder)
    chosen = [f"-D{key}={value}" for key, value in constants.items()]
    source = str(_FOLDER / f"{name}.pml")
    run_in(folder, "spin", "-a", "-o1", "-o2", "-o3", *chosen, source)
    compiler = ("gcc", "-w", "-O2", "-DSAFETY", "-DNOREDUCE", *filter(None, [option]))
    run_in(folder, *compiler, "-o", "pan", "pan.c")


def run_pan(folder: str) -> tuple[int, float]:
    """All states by that verifier: how many, and its CPU seconds."""
    before = child_seconds()
    printed = run_in(folder, "./pan", "-m1000000", "-w20", "-E")
    seconds = child_seconds() - before
    found = re.search(r"(\d+) states, stored", printed)
    assert found is not None
    return int(found[1]), seconds


def child_seconds() -> float:
    """CPU seconds of all processes that this one has run."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_in(folder: str, *command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
