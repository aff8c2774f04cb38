"""One round of one peer, in the peer's environment: `child.py KIND NAME ROUND` prints what it measured, as JSON.

CPU seconds are this process's and its children's, over as many executions as last long enough to measure.
"""

import json
import resource
import sys
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from workload import SHAPES, Tally

sys.path.append(str(Path(__file__).parents[1]))  # some of ours are other benchmarks'

SHORTEST: Final = 0.25
"""CPU seconds that the executions of one program last at least."""

HUNTS: Final = 4
"""Seeds with which a round looks for the bug of W2."""

PATIENCE: Final = 1000
"""Executions after which a seed is given up."""


class Explore(Protocol):
    """Executions of a program; with `stop`, up to the first at whose end the word is wrong."""

    def __call__(self, program: str, executions: int, seed: int, *, stop: bool) -> Tally: ...


def _explorer(name: str) -> Explore:
    if name in ("engine", "interpreter"):
        import ours

        return ours.engine if name == "engine" else ours.interpreter
    if name == "spin":
        from simulated import spin

        return spin
    import asynchronous
    import threaded

    tools: dict[str, Explore] = {
        "detangle": asynchronous.detangle,
        "simloop": asynchronous.simloop,
        "simloom": asynchronous.simloom,
        "seedloop": asynchronous.seedloop,
        "interleave-test, opcodes": partial(threaded.interleave_test, "opcode"),
        "interleave-test, lines": partial(threaded.interleave_test, "line"),
        "frontrun, random": partial(threaded.frontrun, "random"),
        "frontrun, DPOR": partial(threaded.frontrun, "dpor"),
        "ploom": threaded.ploom,
    }
    return tools[name]


def main() -> None:
    """Measure and print."""
    kind, name, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    result = _all_states(name) if kind == "states" else _executions(_explorer(name), number)
    print(json.dumps(result))


def _all_states(name: str) -> object:
    from states import VISITS

    begun = _seconds()
    visited = VISITS[name]()
    took = _seconds() - begun if visited.seconds is None else visited.seconds
    return {"states": visited.states, "seconds": took}


def _executions(explore: Explore, number: int) -> object:
    programs = {program: _measure(explore, program, number) for program in SHAPES}
    seeds = range(HUNTS * number, HUNTS * (number + 1))
    return {"programs": programs, "hunts": [_hunt(explore, seed) for seed in seeds]}


def _measure(explore: Explore, program: str, seed: int) -> object:
    explore(program, 1, seed, stop=False)
    executions = 1
    while True:
        begun = _seconds()
        tally = explore(program, executions, seed, stop=False)
        seconds = _seconds() - begun
        if seconds >= SHORTEST or tally.executions < executions:
            return {**vars(tally), "seconds": seconds}
        executions *= 2


def _hunt(explore: Explore, seed: int) -> int | None:
    """How many executions it took to find the bug of W2; None if it was not found."""
    tally = explore("W2", PATIENCE, seed, stop=True)
    return tally.executions if tally.executions < PATIENCE else None


def _seconds() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
