"""Measuring: how soon seeds show a signature, how often, and what a design costs. All of it is deterministic."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from math import sqrt
from typing import Final

from stackweave.campaign import Subject
from stackweave.core import Interpreter, Outcome, RandomWalk
from stackweave.replaying import steps_of

from .entry import Case, Cost

SEEDS: Final = range(20)
PER_SEED: Final = 20_000
"""Executions that each seed has to show a signature in."""
ENOUGH: Final = 19
"""Of the seeds."""
RATE_SEED: Final = len(SEEDS)
"""Rates are counted where nobody has looked for a first execution."""
_DIGEST_EXECUTIONS: Final = 10
_CONFIDENCE: Final = 1.959963984540054
"""Of the normal distribution: 95 % lie within so many standard deviations."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of some things there were among others."""

    count: int
    among: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the probability (Wilson 1927)."""
        if not self.among:
            return 0.0, 1.0
        share, square = self.count / self.among, _CONFIDENCE**2
        scale = 1 + square / self.among
        centre = share + square / (2 * self.among)
        spread = _CONFIDENCE * sqrt(share * (1 - share) / self.among + square / (4 * self.among**2))
        return max((centre - spread) / scale, 0.0), min((centre + spread) / scale, 1.0)


def outcomes(subject: Subject, seed: int) -> Iterator[Outcome]:
    """The executions 0, 1, … of a seed."""
    interpreter, walk = Interpreter(subject.program), RandomWalk(seed)
    execution = 0
    try:
        while True:
            yield interpreter.run(walk, execution)
            execution += 1
    finally:
        interpreter.discard()


def shows(outcome: Outcome, signatures: Collection[str]) -> bool:
    """Whether an execution has any of the signatures."""
    return any(each.signature in signatures for each in outcome.violations)


def first_of(
    case: Case, signatures: Collection[str], seed: int, at_most: int = PER_SEED
) -> tuple[int, Outcome] | None:
    """The first execution of a seed that shows one of the signatures."""
    for execution, outcome in enumerate(islice(outcomes(case.subject(), seed), at_most)):
        if shows(outcome, signatures):
            return execution, outcome
    return None


def rate_of(case: Case, signatures: Collection[str], executions: int) -> tuple[Rate, list[str]]:
    """The share of executions that show one of the signatures, and which others were seen."""
    count, others = 0, set[str]()
    for outcome in islice(outcomes(case.subject(), RATE_SEED), executions):
        count += shows(outcome, signatures)
        others.update(each.signature for each in outcome.violations)
    return Rate(count, executions), sorted(others - set(signatures))


def cost_of(case: Case, cost: Cost, executions: int) -> Rate:
    """The share that a cost counts."""
    subject = case.subject()
    interpreter = Interpreter(subject.program)
    count = among = 0
    for outcome in islice(outcomes(subject, RATE_SEED), executions):
        for step in steps_of(interpreter, outcome.schedule):
            count += cost.counted(step, subject)
            among += cost.among(step, subject)
    return Rate(count, among)


def digest_of(case: Case) -> str:
    """What the program does, in short: its first executions, step for step, and the signatures that they show.

    Evidence holds while this stays: a comment in a source changes nothing, a step more in the kernel model does.
    """
    result = blake2b(digest_size=8)
    for outcome in islice(outcomes(case.subject(), 0), _DIGEST_EXECUTIONS):
        signatures = [each.signature for each in outcome.violations]
        result.update(repr((outcome.schedule, signatures)).encode())
    return result.hexdigest()
