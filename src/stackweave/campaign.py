"""A campaign: many executions of one program, and what they showed, one finding a signature."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Final

from stackweave.core import (
    Interpreter,
    Outcome,
    Program,
    Violation,
)
from stackweave.core.errors import diverged
from stackweave.core.explore.tally import Breach, Tally
from stackweave.core.strategies import RANDOM_WALK, Tactic, strategy_of

from .digest import digest_of
from .drivers import DRIVERS, Driver
from .known import identify, is_among
from .programs import Parameters
from .registry import Recipe, blaming, given, titled
from .schedule import Origin, Schedule, by_name

if TYPE_CHECKING:
    from stackweave.core.explore.reached import Coverage

BATCH_SECONDS: Final = 0.1
"""How long a batch of executions should take: nothing is told, and Ctrl-C waits, until one ends."""


@dataclass(slots=True)
class Finding:
    """A signature that was seen, as one known defect or none, and the first execution that showed it."""

    violation: Violation
    known: str | None
    """The id of the known defect that it is."""
    first: int
    """The number of the first failing execution."""
    decisions: tuple[int, ...]
    """That execution's schedule."""
    count: int = 0
    """Executions that showed it."""

    @property
    def key(self) -> tuple[str, str | None]:
        """What tells it from others."""
        return self.signature, self.known

    @property
    def signature(self) -> str:
        """The violation's signature."""
        return self.violation.signature


@dataclass(slots=True)
class Campaign:
    """The results so far. Memory does not grow with the number of executions."""

    seed: int
    tally: Tally = field(default_factory=Tally)
    interrupted: bool = False
    seconds: float = 0.0
    findings: dict[tuple[str, str | None], Finding] = field(default_factory=dict)
    """By signature and known defect, in the order of their discovery; made when the campaign ends."""
    tactic: Tactic = RANDOM_WALK
    coverage: "Coverage | None" = None
    """What was reached, where that is counted: 40 bytes a state or transition, of at most 33 million each."""

    @property
    def executions(self) -> int:
        """How many there were."""
        return self.tally.executions

    @property
    def operations(self) -> int:
        """Of all of them."""
        return self.tally.operations

    @property
    def incomplete(self) -> int:
        """Executions that reached the program's bound: neither clean nor a violation."""
        return self.tally.incomplete

    def add(self, tally: Tally) -> None:
        """Count more executions."""
        self.tally = self.tally.and_also(tally)
        if self.coverage is not None and tally.reached is not None:
            self.coverage.add(tally.reached)


@dataclass(frozen=True, slots=True)
class Subject:
    """A program under test, and how it was made."""

    recipe: Recipe
    parameters: Parameters
    program: Program

    @classmethod
    def of(cls, recipe: Recipe, parameters: Parameters) -> "Subject":
        """A fresh program."""
        return cls(recipe, parameters, recipe.make(parameters))

    @property
    def generation(self) -> str | None:
        """The generation that the program says it is, or that was asked for."""
        generation = self.program.parameters.get("generation", self.parameters.generation)
        return None if generation is None else str(generation)

    @property
    def chosen(self) -> dict[str, int | str]:
        """The parameters that the program has, and whatever else was asked for."""
        return {**self.program.parameters, **given(self.parameters)}

    @property
    def title(self) -> str:
        """What it is called, with its parameters."""
        return titled(self.recipe.name, self.chosen)

    def schedule(self, finding: Finding, seed: int, tactic: Tactic = RANDOM_WALK) -> Schedule:
        """The finding as a schedule that replays."""
        origin = Origin(str(tactic), seed, finding.first)
        return self.schedule_of(finding.decisions, finding.signature, origin)

    def schedule_of(
        self, decisions: Sequence[int], signature: str, origin: Origin, cycle: int = 0
    ) -> Schedule:
        """Decisions as a schedule that replays; the last `cycle` of them go on for ever."""
        contexts, choices = by_name(self.program, decisions)
        return Schedule(
            self.recipe.name,
            self.parameters,
            digest_of(self.program, self.recipe.module),
            contexts,
            choices,
            origin,
            signature,
            cycle,
        )


def run(
    subject: Subject,
    seed: int,
    executions: int,
    *,
    tactic: Tactic = RANDOM_WALK,
    driver: str = "interpreter",
    jobs: int = 1,
    stop_first: bool = False,
    allowed: Collection[str] = (),
    seconds: float | None = None,
    covering: bool = False,
    no_new: int | None = None,
    watch: Callable[[Campaign], None] | None = None,
) -> Campaign:
    """Run the executions 0 to `executions` of a seed; Ctrl-C ends it with the results so far.

    `stop_first` ends it at the first execution that shows what is not allowed, `seconds` after that time;
    `covering` counts what is reached, and `no_new` ends it when so many executions in a row have reached nothing
    new, or with several jobs soon after; `watch` is called now and then. With several jobs the program must be one
    that its name finds. Raises `UsageError` or `ModelError` when the program is at fault.
    """
    campaign = Campaign(seed, tactic=tactic)
    if covering or no_new is not None:
        from stackweave.core.explore.reached import Coverage  # here: numpy takes a while to load

        campaign.coverage = Coverage()
    started = perf_counter()
    deadline = None if seconds is None else started + seconds
    failures = _Failures(subject.generation, allowed)
    end = _End(campaign, executions, no_new, deadline, failures if stop_first else None)

    def count(tally: Tally) -> None:
        campaign.add(tally)
        if watch is not None:
            watch(campaign)

    try:
        covers = campaign.coverage is not None
        with (
            blaming(subject.recipe.name),
            _driving(subject.program, tactic, driver, covers) as runner,
        ):
            if jobs > 1:
                from .jobs import Jobs  # here: an event loop takes a while to load

                Jobs(subject.recipe.name, subject.parameters, tactic, driver, covers, jobs).run(
                    seed, executions, count, end.is_here
                )
            else:
                _run_here(runner, seed, end, count)
            if stop_first:
                _cut(campaign, runner, failures)
    except KeyboardInterrupt:
        campaign.interrupted = True
    finally:
        campaign.seconds = perf_counter() - started
    campaign.findings = {each.key: each for each in _findings(subject, campaign)}
    return campaign


@dataclass(frozen=True, slots=True)
class _Failures:
    """Which breaches are failures."""

    generation: str | None
    allowed: Collection[str]

    def among(self, tally: Tally) -> list[Breach]:
        """Those that show something that is not allowed."""
        return [each for each in tally.breaches if self._is_one(each)]

    def _is_one(self, breach: Breach) -> bool:
        known = identify(self.generation, breach.signatures)
        return not all(is_among(self.allowed, each, known.get(each)) for each in breach.signatures)


@dataclass(frozen=True, slots=True)
class _End:
    """When a campaign has run enough."""

    campaign: Campaign
    executions: int
    no_new: int | None
    deadline: float | None
    failures: _Failures | None
    """The first of them ends it; None: none does."""

    def last(self) -> int:
        """The execution before which there is more to do, as far as is known."""
        coverage = self.campaign.coverage
        if self.no_new is None or coverage is None:
            return self.executions
        return min(self.executions, coverage.newest + 1 + self.no_new)

    def is_here(self) -> bool:
        """Whether it is enough."""
        if self.campaign.executions >= self.last():
            return True
        if self.deadline is not None and perf_counter() >= self.deadline:
            return True
        return self.failures is not None and bool(self.failures.among(self.campaign.tally))


@contextmanager
def _driving(program: Program, tactic: Tactic, driver: str, covering: bool) -> Iterator[Driver]:
    runner = DRIVERS[driver](program, tactic, covering)
    try:
        yield runner
    finally:
        runner.discard()


def _run_here(
    driver: Driver,
    seed: int,
    until: _End,
    count: Callable[[Tally], None],
) -> None:
    """In batches that grow until each takes a moment."""
    first, size = 0, 1
    while first == 0 or not until.is_here():
        end = min(first + size, until.last())
        begun = perf_counter()
        tally = driver.run(seed, first, end)
        took = perf_counter() - begun
        if took < BATCH_SECONDS / 2:
            size *= 2
        elif took > 2 * BATCH_SECONDS:
            size = max(size // 2, 1)
        first = end
        count(tally)


def _cut(campaign: Campaign, driver: Driver, failures: _Failures) -> None:
    """Count no further than the first failure, which a batch may have gone beyond."""
    first = min((each.first for each in failures.among(campaign.tally)), default=None)
    if first is None:
        return
    campaign.tally = driver.run(campaign.seed, 0, first + 1)
    if campaign.coverage is not None:
        campaign.coverage.cut(first + 1)
    if not any(each.first == first for each in failures.among(campaign.tally)):
        raise diverged(f"execution {first} does not fail again")


def _findings(subject: Subject, campaign: Campaign) -> list[Finding]:
    """The tally by signature and known defect; the first execution of each is run again, for what it tells."""
    counts: dict[tuple[str, str | None], tuple[int, int]] = {}
    for breach in campaign.tally.breaches:
        known = identify(subject.generation, breach.signatures)
        for signature in breach.signatures:
            key = signature, known.get(signature)
            count, first = counts.get(key, (0, breach.first))
            counts[key] = count + breach.executions, min(first, breach.first)
    strategy = strategy_of(campaign.tactic, campaign.seed, subject.program)
    interpreter = Interpreter(subject.program)
    firsts = {first: interpreter.run(strategy, first) for _, first in counts.values()}
    findings = []
    for (signature, defect), (count, first) in counts.items():
        outcome = firsts[first]
        violation = next((v for v in outcome.violations if v.signature == signature), None)
        if violation is None:
            raise diverged(f"execution {first} does not show {signature} again")
        findings.append(Finding(violation, defect, first, outcome.schedule, count))
    return sorted(findings, key=lambda each: (each.first, _position(firsts[each.first], each)))


def _position(outcome: Outcome, finding: Finding) -> int:
    return [each.signature for each in outcome.violations].index(finding.signature)
