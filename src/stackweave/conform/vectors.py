"""The stronger comparison: instruction by instruction instead of set by set.

Over all pairs of outer visit and nested request, an instruction of the kernel has one outcome each: a vector.
It must equal the vector of some point of the emulated function. Sets of outcomes could be equal though the
operations stood in another order; vectors could not.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stackweave.conform.compare import Outcome, runs_at
from stackweave.conform.driver import Driver, Point
from stackweave.conform.lines import canonical
from stackweave.conform.recording import Case, How, Recording

Pair = tuple[str, int]
"""(outer visit, tracer of the nested request)."""

Vector = Mapping[Pair, Outcome]
Choices = Mapping[Pair, frozenset[Outcome]]
"""What a point shows for each pair: more than one outcome where a `choose` decides."""


@dataclass(frozen=True, slots=True)
class VectorComparison:
    """One function's instructions against its emulation's points."""

    how: How
    symbol: str
    instructions: int
    distinct: int
    """Different vectors among them."""
    unmatched: tuple[int, ...]
    """Offsets of instructions that behave like no point."""


def compare_vectors(recording: Recording) -> Iterator[VectorComparison]:
    """Every function of a recording that was injected into, or stalled in."""
    functions: dict[tuple[How, str], list[Case]] = {}
    for case in recording.cases:
        if case.how in (How.INJECT, How.STALL):
            functions.setdefault((case.how, case.symbol), []).append(case)
    for (how, symbol), cases in functions.items():
        points = list(_emulated(cases, recording.tracers, symbol).values())
        kernel = _recorded(cases)
        unmatched = tuple(
            offset
            for offset, vector in kernel.items()
            if not any(_fits(vector, point) for point in points)
        )
        distinct = len({tuple(vector.items()) for vector in kernel.values()})
        yield VectorComparison(how, symbol, len(kernel), distinct, unmatched)


def _recorded(cases: list[Case]) -> dict[int, Vector]:
    vectors: defaultdict[int, dict[Pair, Outcome]] = defaultdict(dict)
    for case in cases:
        vectors[case.offset][case.title, case.inner] = canonical(case.lines)
    return dict(vectors)


def _emulated(cases: list[Case], tracers: int, symbol: str) -> dict[Point | None, Choices]:
    """By point: its vector. A pair whose visit does not come by a point has the outcome of no injection."""
    drivers = {(case.title, case.inner): Driver(case, tracers) for case in reversed(cases)}
    plain = {pair: driver.run() for pair, driver in drivers.items()}
    points: dict[Point | None, None] = {None: None}
    for run in plain.values():
        points.update({point: None for point in run.points if point.symbol == symbol})
    return {
        point: {
            pair: frozenset(run.outcome for run in runs_at(drivers[pair], point))
            if point in plain[pair].points
            else frozenset([plain[pair].outcome])
            for pair in drivers
        }
        for point in points
    }


def _fits(vector: Vector, point: Choices) -> bool:
    return all(outcome in point[pair] for pair, outcome in vector.items())
