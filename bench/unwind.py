"""How fast the pure Python loop unwinds: packed programs, CPU seconds, medians.

`warm` unwinds every captured state of a program with rules already made, as a profiler does
after its first samples; `cold` decodes the program's ELF files and unwinds one state.
Run as `python bench/unwind.py [--json]`.
"""

import argparse
import json
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Final

from stackweave.core.sframe import AddressSpace, Module, packed
from stackweave.core.sframe.packed import PackedProgram

ROUNDS: Final = 9
SHORTEST: Final = 0.02
"""CPU seconds that one round lasts at least."""


def run() -> list[dict[str, object]]:
    """One row per packed program."""
    return [_measure(packed.load(name)) for name in packed.names()]


def _measure(program: PackedProgram) -> dict[str, object]:
    states = program.states
    frames = sum(len(packed.unwind_pcs(state)) for state in states)

    def warm() -> None:
        for state in states:
            state.dump.unwind(state.space)

    def cold() -> None:
        modules = {n: Module.parse(module.image.data, n) for n, module in program.modules.items()}
        space = AddressSpace(states[0].space.mappings, modules)
        states[0].dump.unwind(space)

    seconds = _median_seconds(warm)
    return {
        "program": program.name,
        "states": len(states),
        "frames": frames,
        "frames_per_second": round(frames / seconds),
        "microseconds_per_state": round(seconds / len(states) * 1e6, 2),
        "cold_milliseconds": round(_median_seconds(cold) * 1e3, 3),
    }


def _median_seconds(work: Callable[[], None]) -> float:
    """Median CPU seconds of one call, over rounds long enough to measure."""
    calls = 1
    while _seconds(work, calls) < SHORTEST:
        calls *= 2
    return median(_seconds(work, calls) / calls for _ in range(ROUNDS))


def _seconds(work: Callable[[], None], calls: int) -> float:
    start = process_time()
    for _ in range(calls):
        work()
    return process_time() - start


def main() -> None:
    """Print the rows as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    as_json = parser.parse_args().json
    rows = run()
    if as_json:
        print(json.dumps(rows))
        return
    columns = list(rows[0])
    print("  ".join(f"{column:>{len(column)}}" for column in columns))
    for row in rows:
        print("  ".join(f"{row[column]!s:>{len(column)}}" for column in columns))


if __name__ == "__main__":
    main()
