"""How fast the interpreter runs: seeded random walks, recorded, monitors on.

The programs are fixed, and so are the operations that these seeds make: a change of speed that comes from doing
less is no change of speed, and stops the benchmark.
"""

from collections.abc import Callable
from statistics import median
from typing import Final

from measure import Row, round_seconds

from stackweave.core import Interpreter, Program, RandomWalk, Verdict, Word, check
from stackweave.programs import BUILTIN, Parameters

EXECUTIONS: Final = 200
"""One measured unit: seeds 0 to 199."""

CELLS: Final = 5


async def increment(counter: Word) -> None:
    """Five increments by compare-and-swap."""
    for _ in range(CELLS):
        while True:
            seen = await counter.load()
            if await counter.cmpxchg(seen, seen + 1) == seen:
                break


async def ten(counter: Word) -> None:
    """No increment is lost."""
    await check(await counter.load() == 2 * CELLS, "lost-update")


def two_threads() -> Program:
    """Two threads of five increments, and a check at the end."""
    program = Program("two-threads")
    counter = program.layout.word("counter")
    program.thread("a", increment, counter)
    program.thread("b", increment, counter)
    program.finally_(ten, counter)
    return program


PROGRAMS: Final[dict[str, Callable[[], Program]]] = {
    "2 threads x 5 CAS increments": two_threads,
    "spurious-callback, completed": lambda: BUILTIN["spurious-callback"](Parameters("completed")),
    "default, upstream": lambda: BUILTIN["default"](Parameters("upstream")),
}

OPERATIONS: Final = {
    "2 threads x 5 CAS increments": 5242,
    "spurious-callback, completed": 22683,
    "default, upstream": 133584,
}
"""Of the measured unit."""


def run() -> list[Row]:
    """One row a program."""
    return [_measure(name) for name in PROGRAMS]


def _measure(name: str) -> Row:
    program = PROGRAMS[name]()
    interpreter, walk = Interpreter(program), RandomWalk(0)

    def unit() -> int:
        operations = 0
        for execution in range(EXECUTIONS):
            outcome = interpreter.run(walk, execution)
            operations += outcome.operations
            if outcome.verdict is Verdict.INCOMPLETE:
                raise SystemExit(f"{name}: execution {execution} is incomplete")
        return operations

    operations = unit()
    if operations != OPERATIONS[name]:
        raise SystemExit(
            f"{name}: {operations} operations, not {OPERATIONS[name]}: not the same work"
        )
    rounds = round_seconds(unit)
    seconds = median(rounds)
    return {
        "program": name,
        "operations_per_execution": round(operations / EXECUTIONS, 1),
        "executions_per_second": round(EXECUTIONS / seconds),
        "operations_per_second": round(operations / seconds),
        "slowest_round": round(EXECUTIONS / max(rounds)),
        "fastest_round": round(EXECUTIONS / min(rounds)),
    }
