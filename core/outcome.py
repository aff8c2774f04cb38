"""What comes of an execution, and a point of one that can be returned to."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from .errors import Violation


class Verdict(Enum):
    """How an execution ended."""

    CLEAN = "clean"
    VIOLATION = "violation"
    INCOMPLETE = "incomplete"
    """The step bound was reached: neither clean nor a violation."""


class Occurrence(NamedTuple):
    """An emitted event and where it happened."""

    step: int
    """The number of schedule entries before it."""
    context: str
    event: object


class Outcome(NamedTuple):
    """One finished execution."""

    verdict: Verdict
    violations: tuple[Violation, ...]
    schedule: tuple[int, ...]
    operations: int
    events: tuple[Occurrence, ...]
    words: tuple[int, ...]
    """Memory at the end."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A point of an execution: what was decided and injected until then."""

    schedule: tuple[int, ...]
    injected: tuple[tuple[int, int, object], ...]
    """(schedule entries before it, mailbox number, message)."""
