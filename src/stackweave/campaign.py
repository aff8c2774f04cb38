"""A campaign: many executions of one program, and what they showed, one finding a signature."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from time import perf_counter

from stackweave.core import (
    Interpreter,
    ModelError,
    Outcome,
    Program,
    RandomWalk,
    UsageError,
    Verdict,
    Violation,
)

from .digest import digest_of
from .known import identify
from .programs import Parameters
from .registry import Recipe, blame
from .schedule import Origin, Schedule, by_name


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

    def is_among(self, ids: Collection[str]) -> bool:
        """Whether its signature or the known defect's id is one of these."""
        return self.signature in ids or self.known in ids


@dataclass(slots=True)
class Campaign:
    """The results so far. Memory does not grow with the number of executions."""

    seed: int
    executions: int = 0
    operations: int = 0
    incomplete: int = 0
    """Executions that reached the program's bound: neither clean nor a violation."""
    interrupted: bool = False
    seconds: float = 0.0
    findings: dict[tuple[str, str | None], Finding] = field(default_factory=dict)
    """By signature and known defect, in the order of their discovery."""

    def count(self, outcome: Outcome, generation: str | None) -> None:
        """Add one execution."""
        if outcome.violations:
            violations = {each.signature: each for each in reversed(outcome.violations)}
            known = identify(generation, violations)
            for violation in reversed(violations.values()):
                self._count_violation(violation, outcome, known.get(violation.signature))
        self.incomplete += outcome.verdict is Verdict.INCOMPLETE
        self.operations += outcome.operations
        self.executions += 1

    def _count_violation(self, violation: Violation, outcome: Outcome, known: str | None) -> None:
        key = violation.signature, known
        finding = self.findings.get(key)
        if finding is None:
            finding = Finding(violation, known, self.executions, outcome.schedule)
            self.findings[key] = finding
        finding.count += 1


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

    def schedule(self, finding: Finding, seed: int) -> Schedule:
        """The finding as a schedule that replays."""
        contexts, choices = by_name(self.program, finding.decisions)
        return Schedule(
            self.recipe.name,
            self.parameters,
            digest_of(self.program, self.recipe.module),
            contexts,
            choices,
            Origin("random walk", seed, finding.first),
            finding.signature,
        )


def run(
    subject: Subject,
    seed: int,
    executions: int,
    *,
    stop_first: bool = False,
    allowed: Collection[str] = (),
    watch: Callable[[Campaign], None] | None = None,
) -> Campaign:
    """Run the executions 0 to `executions` of a seed; Ctrl-C ends it with the results so far.

    `stop_first` ends it at the first finding that is not allowed; `watch` is called after each execution.
    Raises `UsageError` or `ModelError` when the program is at fault.
    """
    campaign = Campaign(seed)
    started = perf_counter()
    try:
        for _ in _run(subject, campaign, executions):
            if watch is not None:
                watch(campaign)
            if stop_first and not all(
                each.is_among(allowed) for each in campaign.findings.values()
            ):
                break
    except KeyboardInterrupt:
        campaign.interrupted = True
    except (UsageError, ModelError):
        raise
    except Exception as error:
        raise UsageError(f"{subject.recipe.name} failed: {blame(error)}") from error
    finally:
        campaign.seconds = perf_counter() - started
    return campaign


def _run(subject: Subject, campaign: Campaign, executions: int) -> Iterator[None]:
    """Run and count one execution after another."""
    interpreter, strategy = Interpreter(subject.program), RandomWalk(campaign.seed)
    generation = subject.generation
    try:
        for execution in range(executions):
            campaign.count(interpreter.run(strategy, execution), generation)
            yield
    finally:
        interpreter.discard()
