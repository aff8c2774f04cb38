"""How fast the engine runs beside the interpreter: the same executions of the same programs, in one run.

Warm: every edge that the measured executions need is there. What it takes to come there is a column of its own:
CPU seconds of the first pass, without the compiler's.
"""

from statistics import median
from time import process_time
from typing import Final

from interpreter import PROGRAMS as SMALL
from measure import Row, round_seconds

from stackweave.core import Interpreter, Program, RandomWalk
from stackweave.core.explore.engine import Engine
from stackweave.core.kernel.system import requests
from stackweave.programs import Parameters
from stackweave.programs.sizes import sizes
from stackweave.programs.stage import Stage, asks

CALLS: Final = 3

INTERPRETED: Final = 200
"""Executions that the interpreter is measured on; the engine's tally of these must have as many operations."""

MEASURED: Final = {
    "2 threads x 5 CAS increments": 200_000,
    "deferred unwind, completed": 20_000,
    "spurious-callback, completed": 20_000,
    "default, upstream": 2_000,
}
"""Executions of one round."""


def deferred_unwind() -> Program:
    """One task of three system calls, and NMIs in which two tracers ask three times each; every monitor is on."""
    size = sizes(Parameters(), generation="completed", tracers=2, syscalls=CALLS)
    stage = Stage("deferred-unwind", size)
    system = stage.system
    system.start_all_registered()
    stage.task(0, asks(stage, 0))

    async def nmis(tracer: int) -> None:
        for _ in range(CALLS):
            await system.entry.nmi(system.cpus[0], requests(system, tracer))

    for tracer in range(2):
        stage.program.nmi(f"nmi{tracer}", nmis, tracer, cpu=0)
    return stage.finish()


PROGRAMS: Final = {**SMALL, "deferred unwind, completed": deferred_unwind}


def run() -> list[Row]:
    """One row a program."""
    return [_measure(name) for name in MEASURED]


def _measure(name: str) -> Row:
    executions = MEASURED[name]
    engine, interpreter = Engine(PROGRAMS[name]()), Interpreter(PROGRAMS[name]())
    walk = RandomWalk(0)

    def interpret() -> int:
        return sum(interpreter.run(walk, number).operations for number in range(INTERPRETED))

    engine.run(0, 0, 1)  # compiled
    begun = process_time()
    if engine.run(0, 0, INTERPRETED).operations != interpret():
        raise SystemExit(f"{name}: the engine does not do the interpreter's work")
    operations = engine.run(0, 0, executions).operations
    first = process_time() - begun
    rounds = round_seconds(lambda: engine.run(0, 0, executions))
    seconds = median(rounds)
    interpreted = median(round_seconds(interpret)) / INTERPRETED
    return {
        "program": name,
        "operations_per_execution": round(operations / executions, 1),
        "executions_per_second": round(executions / seconds),
        "operations_per_second": round(operations / seconds),
        "slowest_round": round(executions / max(rounds)),
        "fastest_round": round(executions / min(rounds)),
        "times_the_interpreter": round(interpreted / (seconds / executions), 1),
        "nodes": engine.nodes,
        "first_pass_seconds": round(first, 2),
    }
