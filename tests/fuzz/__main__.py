"""`python -m tests.fuzz --seconds 600`: damages real files and reads them, target after target.

Inputs follow from the target's name and `--seed`, so a finding comes again. Each is kept in the
folder `--into` under the target's name; with `xz` it belongs into `tests/data/sframe/fuzz`.
"""

import argparse
import resource
import signal
import sys
import traceback
from hashlib import sha256
from pathlib import Path
from random import Random
from time import monotonic
from types import FrameType
from typing import Final

from .bounds import Excess, bounded
from .mutate import mutated
from .targets import TARGETS, Target

_LONGEST_RUN: Final = 20
"""Seconds for one input, which is a finding if it takes longer."""
_MEMORY: Final = 2 << 30
"""Bytes of address space."""
_MEASURED_EVERY: Final = 8
"""Counting calls and memory is slow, so not every run is measured."""


def main() -> int:
    """0: no findings."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="for all targets together")
    parser.add_argument("--target", choices=TARGETS, nargs="+", default=[*TARGETS])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--into", type=Path, default=Path("findings"))
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    signal.signal(signal.SIGALRM, _too_long)
    findings = 0
    for name in arguments.target:
        seconds = arguments.seconds / len(arguments.target)
        runs, found = _fuzz(name, arguments.seed, seconds, arguments.into)
        findings += found
        print(f"{name}: {runs} inputs, {found} findings", flush=True)
    return min(1, findings)


def _fuzz(name: str, seed: int, seconds: float, into: Path) -> tuple[int, int]:
    """How many inputs a target has read, and how many of them are findings."""
    target = TARGETS[name]
    random, seeds = Random(f"{name}:{seed}"), target.seeds()
    target.warm_up()
    runs, seen = 0, set[str]()
    end = monotonic() + seconds
    while monotonic() < end:
        data = mutated(random, seeds)
        failure = _failure(target, data, is_measured=not runs % _MEASURED_EVERY)
        runs += 1
        if failure is not None and failure not in seen:
            seen.add(failure)
            _keep(into, name, data, failure)
    return runs, len(seen)


def _failure(target: Target, data: bytes, *, is_measured: bool) -> str | None:
    """What went wrong, as the place where it did; None: nothing."""
    signal.alarm(_LONGEST_RUN)
    try:
        if is_measured:
            with bounded(len(data), target.budget):
                target.run(data)
        else:
            target.run(data)
    except (Exception, Excess) as error:
        frames = traceback.extract_tb(error.__traceback__)[-4:]
        places = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames))
        if isinstance(error, Excess):
            return f"more {error.what} than the input explains"
        return f"{type(error).__name__} at {places}"
    finally:
        signal.alarm(0)
    return None


def _keep(into: Path, name: str, data: bytes, failure: str) -> None:
    into.mkdir(parents=True, exist_ok=True)
    path = into / f"{name}-{sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    print(f"{path}: {failure}", file=sys.stderr, flush=True)


def _too_long(_: int, __: FrameType | None) -> None:
    raise Excess("time", f"{_LONGEST_RUN} seconds")


if __name__ == "__main__":
    sys.exit(main())
