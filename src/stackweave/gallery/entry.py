"""An entry of the gallery: one known defect, where it comes from, what shows it, and what it comes to.

Its verdict is a claim; `evidence` holds what was measured for it, and the tests measure that again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from stackweave.campaign import Subject
from stackweave.programs import Parameters
from stackweave.registry import find
from stackweave.replaying import Step

EXECUTIONS: Final = 2_000
"""Over which a rate or a cost is measured, where an entry does not say otherwise."""


_AS_DECLARED: Final = Parameters()


class Verdict(Enum):
    """What is claimed of a defect."""

    REPRODUCED = "reproduced"
    """Seeds show it, or a schedule that is kept does."""
    GONE = "gone"
    """A complete search of the program that shows it in another generation finds no such signature."""
    OPEN = "open"
    """Not found in so many executions, or not within reach of the models: the entry says which."""
    REFUTED = "refuted"
    """A complete search does not find it, under what the entry is conditional on."""
    NOT_AN_INTERLEAVING = "not an interleaving"
    """A comment, a build break, a number."""
    DESIGN_COST = "design cost"
    """Nothing breaks; it is measured how much it costs."""


@dataclass(frozen=True, slots=True)
class Case:
    """A program, by the name that `stress` takes, and its parameters."""

    program: str
    parameters: Parameters = _AS_DECLARED

    def subject(self) -> Subject:
        """The program, made afresh."""
        return Subject.of(find(self.program), self.parameters)


@dataclass(frozen=True, slots=True)
class Gone:
    """Where a defect is no more: the same program of another generation or flavour."""

    where: str
    by: str
    """The commit, or what else did it."""
    case: Case


@dataclass(frozen=True, slots=True)
class Cost:
    """What a design costs: among the steps of some kind, the share that is of another."""

    what: str
    """Such as "mutex acquisitions that had to wait"."""
    counted: Callable[[Step, Subject], bool]
    among: Callable[[Step, Subject], bool]
    beside: tuple[str, ...] = ()
    """Later generations, whose cost is measured for comparison."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One known defect."""

    id: str
    """`<generation>-<number or slug>`, as `stress` names it."""
    title: str
    generation: str
    source: str
    """Kernel file, symbol and revision, or the message that tells it."""
    verdict: Verdict
    story: tuple[str, str, str]
    """Three sentences: what the code does, what comes between, what comes of it."""
    case: Case | None = None
    """The smallest program that shows it; None where the models do not reach it."""
    signatures: tuple[str, ...] = ()
    """It is shown by any of these."""
    gone: tuple[Gone, ...] = ()
    also: tuple[str, ...] = ()
    """Other generations in which the same program shows it."""
    scripted: bool = False
    """Rarer than seeds would show: a schedule is kept."""
    executions: int = EXECUTIONS
    seen: bool = False
    """Whether a running 7.2 kernel was recorded doing it."""
    conditional: str = ""
    """What the verdict depends on, beside the model following its source."""
    cost: Cost | None = None

    def of_generation(self, generation: str) -> "Entry":
        """The same defect in another generation of `also`."""
        assert self.case is not None
        parameters = replace(self.case.parameters, generation=generation)
        number = self.id.removeprefix(f"{self.generation}-")
        return replace(
            self,
            id=f"{generation}-{number}",
            generation=generation,
            case=replace(self.case, parameters=parameters),
            gone=(),
            also=(),
            seen=False,
        )
