"""What is measured for each verdict, and whether it bears the verdict out."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stackweave.core import Interpreter, Program, UsageError
from stackweave.replaying import follow

from .entry import Case, Cost, Entry, Verdict
from .measure import (
    ENOUGH,
    PER_SEED,
    SEEDS,
    Rate,
    cost_of,
    digest_of,
    first_of,
    rate_of,
    shows,
)

if TYPE_CHECKING:
    from stackweave.core.explore.search import Search


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search of every execution gave."""

    complete: bool
    states: int = field(compare=False)
    """As the Python at hand compiles protocols: another one may tell more of them apart, or fewer."""
    signatures: tuple[str, ...]
    moves: int | None = None
    """The fewest that lead to what was looked for; None where nothing does, or nothing was looked for."""

    @classmethod
    def of(cls, found: "Search", wanted: Collection[str]) -> "Searched":
        """Without the schedules."""
        moves = [found.moves[each] for each in wanted if each in found.moves]
        return cls(found.complete, found.states, found.signatures, min(moves, default=None))

    def is_without(self, signatures: tuple[str, ...]) -> bool:
        """Whether it proves that none of the signatures can be."""
        return self.complete and not set(signatures) & set(self.signatures)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured for one entry; which of it there is depends on the verdict."""

    digest: str = ""
    firsts: tuple[int | None, ...] = ()
    """Of each seed, the first execution that shows it; None: not within the executions that a seed has."""
    rate: Rate | None = None
    beside: tuple[Rate, ...] = ()
    """Of each generation in `Cost.beside`, what it costs there."""
    others: tuple[str, ...] = ()
    """Signatures that the executions of the rate show besides."""
    script: tuple[int, ...] = ()
    """A kept schedule's decisions."""
    searched: Searched | None = None
    """Every execution of the entry's own program: what a refutation rests on, and beside what is reproduced."""
    gone: tuple[Searched, ...] = ()
    """Of each `Gone`, every execution of its program."""
    also: tuple[int | None, ...] = ()
    """Of each generation in `Entry.also`, the first execution of seed 0 that shows it."""

    def bears_out(self, entry: Entry) -> bool:
        """Whether this is what the entry's verdict claims."""
        if entry.case is None:
            return True
        return (
            self.bears_out_verdict(entry)
            and self._search_agrees(entry)
            and len(self.gone) == len(entry.gone)
            and all(each.is_without(entry.signatures) for each in self.gone)
            and len(self.also) == len(entry.also)
            and None not in self.also
        )

    def bears_out_verdict(self, entry: Entry) -> bool:
        """The same of the verdict alone, and not of where it is gone and where it is also."""
        match entry.verdict:
            case Verdict.REPRODUCED if entry.scripted:
                return bool(self.script)
            case Verdict.REPRODUCED:
                return sum(first is not None for first in self.firsts) >= ENOUGH
            case Verdict.REFUTED | Verdict.GONE:
                return self.searched is not None and self.searched.is_without(entry.signatures)
            case Verdict.OPEN:
                return self.rate is not None and not self.rate.count
            case Verdict.DESIGN_COST:
                return self.rate is not None and self.rate.count > 0
            case Verdict.NOT_AN_INTERLEAVING:
                return True

    def _search_agrees(self, entry: Entry) -> bool:
        """Whether the search has found what is reproduced, as far as it went."""
        if entry.verdict is not Verdict.REPRODUCED:
            return True
        return self.searched is not None and not self.searched.is_without(entry.signatures)

    def repeats(self, before: "Evidence") -> bool:
        """Whether the verdict's measurement is the same as before."""
        names = ["firsts", "rate", "beside", "others", "script"]
        if self.searched is not None:
            names.append("searched")
        return all(getattr(self, name) == getattr(before, name) for name in names)


def measure(entry: Entry, kept: Evidence | None = None) -> Evidence:
    """Measure all that an entry claims; a scripted one may go on with the schedule that was kept."""
    evidence = measure_verdict(entry, kept)
    if entry.verdict is Verdict.REPRODUCED and entry.case is not None:
        evidence = replace(evidence, searched=every_execution(entry.case, entry.signatures))
    return replace(
        evidence,
        gone=tuple(every_execution(each.case) for each in entry.gone),
        also=tuple(first_in(entry, generation) for generation in entry.also),
    )


def measure_verdict(entry: Entry, kept: Evidence | None = None) -> Evidence:
    """Measure what the verdict rests on, and nothing beside it."""
    case = entry.case
    if case is None:
        return Evidence()
    evidence = Evidence(digest_of(case))
    match entry.verdict:
        case Verdict.REPRODUCED if entry.scripted:
            old = kept.script if kept is not None else ()
            return replace(_with_rate(evidence, entry, case), script=script_of(entry, case, old))
        case Verdict.REPRODUCED:
            return replace(_with_rate(evidence, entry, case), firsts=firsts_of(entry, case))
        case Verdict.REFUTED | Verdict.GONE:
            return replace(evidence, searched=every_execution(case))
        case Verdict.OPEN:
            return _with_rate(evidence, entry, case)
        case Verdict.DESIGN_COST if entry.cost is not None:
            return _with_cost(evidence, entry, entry.cost)
    return evidence


def every_execution(case: Case, wanted: Collection[str] = ()) -> Searched:
    """What a program can show at all, and how soon any of the signatures that are wanted."""
    return Searched.of(_search(case.subject().program), wanted)


def _search(program: Program, until: Collection[str] = ()) -> "Search":
    from stackweave.core.explore.search import search  # here: it takes a while to load

    return search(program, until=until)


def script_of(entry: Entry, case: Case, kept: tuple[int, ...]) -> tuple[int, ...]:
    """Decisions that show an entry: those that were kept, if they still do, or what a search finds."""
    program = case.subject().program
    if kept and replays(program, kept, entry.signatures):
        return kept
    found = _search(program, entry.signatures).schedules
    for signature in entry.signatures:
        if signature in found:
            return found[signature]
    return ()


def replays(program: Program, decisions: tuple[int, ...], signatures: tuple[str, ...]) -> bool:
    """Whether these decisions make an execution that shows one of the signatures."""
    try:
        return shows(follow(Interpreter(program), decisions), signatures)
    except UsageError:
        return False


def _with_cost(evidence: Evidence, entry: Entry, cost: Cost) -> Evidence:
    cases = (entry, *map(entry.of_generation, cost.beside))
    rate, *beside = (
        cost_of(each.case, cost, entry.executions) for each in cases if each.case is not None
    )
    return replace(evidence, rate=rate, beside=tuple(beside))


def _with_rate(evidence: Evidence, entry: Entry, case: Case) -> Evidence:
    rate, others = rate_of(case, entry.signatures, entry.executions)
    return replace(evidence, rate=rate, others=tuple(others))


def firsts_of(entry: Entry, case: Case, at_most: int = PER_SEED) -> tuple[int | None, ...]:
    """Of each seed, the first execution that shows an entry."""
    found = (first_of(case, entry.signatures, seed, at_most) for seed in SEEDS)
    return tuple(first[0] if first is not None else None for first in found)


def first_in(entry: Entry, generation: str) -> int | None:
    """The first execution of the first seed that shows an entry in another generation."""
    variant = entry.of_generation(generation)
    assert variant.case is not None
    first = first_of(variant.case, entry.signatures, SEEDS[0])
    return first[0] if first is not None else None
