"""How fast the pure Python loop unwinds: packed programs, CPU seconds, medians.

`warm` unwinds every captured state of a program with rules already made, as a profiler does
after its first samples; `cold` decodes the program's ELF files and unwinds one state.
"""

from measure import Row, median_seconds

from stackweave.core.sframe import AddressSpace, Module, packed
from stackweave.core.sframe.packed import PackedProgram


def run() -> list[Row]:
    """One row per packed program."""
    return [_measure(packed.load(name)) for name in packed.names()]


def _measure(program: PackedProgram) -> Row:
    states = program.states
    frames = sum(len(packed.unwind_pcs(state)) for state in states)

    def warm() -> None:
        for state in states:
            state.dump.unwind(state.space)

    def cold() -> None:
        modules = {n: Module.parse(module.image.data, n) for n, module in program.modules.items()}
        space = AddressSpace(states[0].space.mappings, modules)
        states[0].dump.unwind(space)

    seconds = median_seconds(warm)
    return {
        "program": program.name,
        "states": len(states),
        "frames": frames,
        "frames_per_second": round(frames / seconds),
        "microseconds_per_state": round(seconds / len(states) * 1e6, 2),
        "cold_milliseconds": round(median_seconds(cold) * 1e3, 3),
    }
