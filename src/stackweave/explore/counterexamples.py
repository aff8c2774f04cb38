"""What a search found, as schedules that replay."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stackweave.core.explore.search import Search
from stackweave.core.explore.search_cycles import Lasso

from ..campaign import Subject
from ..known import identify
from ..lasso import FAIR_CYCLE, ReplayedLasso, replay_lasso_on
from ..replaying import Replay, replay_on
from ..schedule import SEARCH, Origin, keep

_ORIGIN: Final = Origin(SEARCH, 0, 0)


@dataclass(frozen=True, slots=True)
class Seen:
    """A signature and the execution that shows it."""

    signature: str
    known: str | None
    moves: int
    """That lead to it."""
    replay: Replay
    reference: str
    """What `stackweave replay` takes."""

    @property
    def explanation(self) -> tuple[str, str]:
        """The property that is violated, and how."""
        violation = next(
            each for each in self.replay.outcome.violations if each.signature == self.signature
        )
        return violation.property, violation.explanation


@dataclass(frozen=True, slots=True)
class Endless:
    """A fair cycle, which was replayed."""

    lasso: ReplayedLasso
    reference: str
    """What `stackweave replay` takes."""


def seen_in(subject: Subject, found: Search) -> list[Seen]:
    """Every signature, the shortest first."""
    return [
        _look_at(subject, found, signature)
        for signature, _ in sorted(found.moves.items(), key=lambda item: (item[1], item[0]))
    ]


def endless_in(subject: Subject, lasso: Lasso) -> Endless:
    """A fair cycle. Raises `ModelError` where it does not replay."""
    schedule = subject.schedule_of(lasso.schedule, FAIR_CYCLE, _ORIGIN, lasso.cycle)
    return Endless(replay_lasso_on(schedule, subject.program), keep(schedule, Path()))


def _look_at(subject: Subject, found: Search, signature: str) -> Seen:
    schedule = subject.schedule_of(found.schedules[signature], signature, _ORIGIN)
    replay = replay_on(schedule, subject.program)
    known = identify(
        subject.generation, {each.signature: each for each in replay.outcome.violations}
    )
    moves = found.moves[signature]
    return Seen(signature, known.get(signature), moves, replay, keep(schedule, Path()))
