"""How fast piles of samples are unwound, beside `perf script` on the same file, in CPU seconds.

`perf script` unwinds with libunwind or libdw, whichever it was built with. What its unwinding alone takes is a
difference: `-F ip` with callchains less `-F ip -G`, which reads the same records and unwinds none; so the printing
of the addresses is in it. Unwinding alone is, here, the compiled loop over samples that lie in arrays: `loop`.
"""

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from shutil import which
from statistics import median
from time import process_time
from typing import Final

from measure import Row, round_seconds
from perf_data import Recorded, recorded, write

from stackweave.core.sframe import Module
from stackweave.core.sframe.batch import BatchUnwinder, pack
from stackweave.core.sframe.perf import PerfSession, session

_COPIES: Final = 8
"""Of the recorded samples in the file: 26 thousand altogether, 120 MB."""
_ROUNDS: Final = 5
_ALIKE: Final = 0.002
"""By how much the numbers of frames may differ: where bytes were overwritten, perf guesses on."""


def run() -> list[Row]:
    """One row a way to unwind."""
    source = recorded()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "perf.data"
        program = write(path, source, _COPIES)
        frames, rows = _here(path, program, source)
        command = [sys.executable, "-m", "stackweave", "unwind", str(path), "--elf", str(program)]
        rows.append(_row("stackweave unwind, whole", frames, _commands(command)))
        perf = which("perf")
        if perf is not None:
            rows += _perf([perf, "script", "-i", str(path), "--no-inline"], frames)
    return rows


def _here(path: Path, program: Path, source: Recorded) -> tuple[int, list[Row]]:
    """In this process: frames of the file, and rows."""
    unwinder = BatchUnwinder(source.space)
    samples = pack(source.dumps)
    one = sum(len(dump.unwind(source.space).frames) for dump in source.dumps)

    def by_python() -> None:
        for dump in source.dumps:
            dump.unwind(source.space)

    counted = 0

    def whole_session(small_job: int) -> Callable[[], None]:
        def read() -> None:
            nonlocal counted
            vars(session)["_SMALL_JOB"] = small_job
            stacks = PerfSession.open(path, [Module.open(program)]).stacks()
            counted = sum(len(stack.user) for stack in stacks)

        return read

    in_batches = _once(whole_session(0))
    by_one = _once(whole_session(1 << 60))
    rows = [
        _row("unwinder in Python", one, round_seconds(by_python)),
        _row("batch of dumps", one, round_seconds(lambda: unwinder.unwind(source.dumps))),
        _row("loop", one, round_seconds(lambda: unwinder.unwind_packed(samples))),
        _row("session, sample by sample", counted, by_one),
        _row("session, in batches", counted, in_batches),
    ]
    return counted, rows


def _once(work: Callable[[], None]) -> list[float]:
    """CPU seconds, a round for each; one round before them."""
    work()
    rounds = []
    for _ in range(_ROUNDS):
        begin = process_time()
        work()
        rounds.append(process_time() - begin)
    return rounds


def _perf(command: list[str], frames: int) -> list[Row]:
    theirs = subprocess.run([*command, "-F", "ip"], capture_output=True, text=True, check=True)
    lines = sum(map(bool, map(str.strip, theirs.stdout.splitlines())))
    if abs(lines - frames) > _ALIKE * frames:
        raise SystemExit(f"perf script finds {lines} frames, not {frames}: not the same work")
    bare = median(_commands([*command, "-F", "ip", "-G"]))
    unwinding = [seconds - bare for seconds in _commands([*command, "-F", "ip"])]
    return [
        _row("perf script, whole", lines, _commands([*command, "-F", "ip,sym"])),
        _row("perf script, unwinding", lines, unwinding),
    ]


def _commands(command: list[str]) -> list[float]:
    """CPU seconds of a command, of each round; what it says goes nowhere."""
    rounds = []
    for _ in range(_ROUNDS):
        begin = _children()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        rounds.append(_children() - begin)
    return rounds


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _row(what: str, frames: int, rounds: list[float]) -> Row:
    return {
        "what": what,
        "frames": frames,
        "cpu_milliseconds": round(median(rounds) * 1e3, 2),
        "fastest": round(min(rounds) * 1e3, 2),
        "slowest": round(max(rounds) * 1e3, 2),
        "frames_per_second": round(frames / median(rounds)),
    }
