"""Comparing what the kernel showed with what the emulation shows, group by group.

A group is one function (or watched field), one outer visit, one nested request: over all its instructions the
kernel showed a set of outcomes. None of them may be missing. An outcome that only the emulation shows is a failure
too, where the recording covers every instruction of the function, unless a `Reason` of the closed table holds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from stackweave.conform.driver import Driver, Point, Run
from stackweave.conform.lines import Kind, Line, canonical
from stackweave.conform.recording import MAX_INSTRUCTION, Case, How, Recording

Outcome = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One outcome that the emulation shows, and the runs that show it."""

    outcome: Outcome
    points: tuple[Point | None, ...]
    """Where the injection was; None: nowhere."""
    siblings: frozenset[Outcome]
    """Outcomes at the same points, had a `choose` been answered otherwise."""


class Reason(Enum):
    """Why the kernel need not have shown an outcome of the emulation."""

    UNREACHED = "nothing was injected: the kernel reached every instruction that was tried"
    CHANCE = "a test of bit -1 reads what lies beside the mask: both answers are right, the kernel gave the other"


def _is_unreached(shown: Shown, kernel: Mapping[Outcome, object]) -> bool:
    nothing = any(
        line.kind is Kind.NEVER_HELD or (line.kind is Kind.INJECTED and line.numbers[0] == 0)
        for line in shown.outcome
    )
    return nothing and shown.points == (None,)


def _is_chance(shown: Shown, kernel: Mapping[Outcome, object]) -> bool:
    return any(sibling in kernel for sibling in shown.siblings - {shown.outcome})


REASONS: Mapping[Reason, Callable[[Shown, Mapping[Outcome, object]], bool]] = {
    Reason.UNREACHED: _is_unreached,
    Reason.CHANCE: _is_chance,
}


@dataclass(frozen=True, slots=True)
class Group:
    """The comparison of one group."""

    how: How
    title: str
    instructions: int
    covered: bool
    """Whether the recording covers every instruction, so that extra outcomes count."""
    matched: int
    missing: tuple[tuple[Outcome, tuple[int, ...]], ...]
    """(outcome, offsets where the kernel showed it)."""
    extra: tuple[Shown, ...]
    explained: tuple[Reason, ...]

    @property
    def failed(self) -> bool:
        """Whether the emulation and the kernel differ."""
        return bool(self.missing or self.extra)


def compare(recording: Recording) -> Iterator[Group]:
    """Every group of a recording; each script is a group of its own."""
    for cases in _grouped(recording).values():
        shown: list[Shown] = []
        for variant in {(case.before, case.visits): case for case in cases}.values():
            shown += _shown(variant, recording)
        yield _compare_group(recording, cases, shown)


def _grouped(recording: Recording) -> dict[object, list[Case]]:
    groups: dict[object, list[Case]] = {}
    for number, case in enumerate(recording.cases):
        alone = case.how in (How.SCRIPT, How.WATCH)
        key = number if alone else (case.how, case.symbol, case.title, case.inner)
        groups.setdefault(key, []).append(case)
    return groups


def _shown(case: Case, recording: Recording) -> list[Shown]:
    driver = Driver(case, recording.tracers)
    if case.how is How.SCRIPT:
        return [_shown_at(driver, None)]
    if case.how is How.WATCH:
        return [_shown_at(driver, case.offset + _first_write(recording))]
    return _all_shown(driver, case.symbol)


def _first_write(recording: Recording) -> int:
    """Recordings may count writes from 0; the driver counts from 1."""
    return int(any(case.how is How.WATCH and case.offset == 0 for case in recording.cases))


def runs_at(driver: Driver, point: Point | int | None) -> list[Run]:
    """The run with the injection at a point; two, where a `choose` may be answered either way."""
    first = driver.run(point)
    return [first, driver.run(point, answer=1)] if first.asked else [first]


def _shown_at(driver: Driver, point: int | None) -> Shown:
    runs = runs_at(driver, point)
    # a recording may or may not count an interrupt visit that follows at once as part of the outer one
    outcomes = [outcome for run in runs for outcome in (run.outcome, run.without_interrupt)]
    return Shown(outcomes[0], (None,), frozenset(outcomes))


def _all_shown(driver: Driver, symbol: str) -> list[Shown]:
    plain = driver.run()
    points: dict[Outcome, list[Point | None]] = {plain.outcome: [None]}
    siblings: dict[Outcome, set[Outcome]] = {plain.outcome: set()}
    for point in plain.points:
        if point.symbol == symbol:
            outcomes = [run.outcome for run in runs_at(driver, point)]
            for outcome in outcomes:
                points.setdefault(outcome, []).append(point)
                siblings.setdefault(outcome, set()).update(outcomes)
    return [Shown(key, tuple(at), frozenset(siblings[key])) for key, at in points.items()]


def _compare_group(recording: Recording, cases: Sequence[Case], shown: Sequence[Shown]) -> Group:
    kernel: dict[Outcome, list[int]] = {}
    for case in cases:
        kernel.setdefault(canonical(case.lines), []).append(case.offset)
    emulated = {outcome for each in shown for outcome in (each.outcome, *each.siblings)}
    missing = [(outcome, tuple(at)) for outcome, at in kernel.items() if outcome not in emulated]
    covered = _covers(recording, cases[0])
    extra, explained = [], []
    for each in shown if covered else ():
        if each.outcome not in kernel:
            reason = explain(each, kernel)
            if reason is None:
                extra.append(each)
            else:
                explained.append(reason)
    matched = len(kernel) - len(missing)
    return Group(
        cases[0].how,
        _title(cases[0]),
        len(cases),
        covered,
        matched,
        tuple(missing),
        tuple(extra),
        tuple(explained),
    )


def explain(shown: Shown, kernel: Mapping[Outcome, object]) -> Reason | None:
    """The first reason that holds for an outcome that the kernel did not show."""
    return next((reason for reason, holds in REASONS.items() if holds(shown, kernel)), None)


def _covers(recording: Recording, case: Case) -> bool:
    """From the function's first byte on, with no gap that could hide an instruction."""
    if case.how not in (How.INJECT, How.STALL):
        return False
    offsets = sorted(recording.offsets[case.symbol])
    gaps = pairwise(offsets)
    return offsets[0] == 0 and len(offsets) > 1 and all(b - a <= MAX_INSTRUCTION for a, b in gaps)


def _title(case: Case) -> str:
    if case.how is How.SCRIPT:
        return case.title.removeprefix("case ").removeprefix("# ") or "before the first case"
    if case.how is How.WATCH:
        return f"{case.symbol} write {case.offset}: {case.title}, nested {case.inner}"
    if case.how is How.STALL:
        return f"{case.symbol}: {case.title}, stalled"
    return f"{case.symbol}: {case.title}, nested {case.inner}"
