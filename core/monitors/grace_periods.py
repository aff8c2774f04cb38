"""`grace-period`: no grace period ends over a reader that began before it. For SRCU, RCU and tasks-trace RCU."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from ..events import GracePeriodBegin, GracePeriodEnd, ReaderBegin, ReaderEnd
from ..monitor import Monitor, violate
from .specification import sliced


@dataclass(frozen=True, slots=True)
class GracePeriod:
    """`grace-period:DOMAIN`: an updater has waited, and a reader from before its wait is still inside.

    A reader's sections nest: it is outside when its outermost one has ended.
    """

    domain: str
    depth: int = 0
    waited_for: bool = False
    """The reader was inside when the grace period began, and has not left since."""

    def after(self, event: object) -> Self:
        match event:
            case ReaderBegin():
                return replace(self, depth=self.depth + 1)
            case ReaderEnd():
                waited_for = self.waited_for and self.depth > 1
                return replace(self, depth=self.depth - 1, waited_for=waited_for)
            case GracePeriodBegin():
                return replace(self, waited_for=self.depth > 0)
            case GracePeriodEnd() if self.waited_for:
                violate(
                    f"grace-period:{self.domain}",
                    "a grace period ends over a reader that began before it",
                )
        return self


def grace_periods(domain: str, readers: Iterable[int], updaters: Iterable[int]) -> list[Monitor]:
    """Grace periods of a domain wait for its readers: one slice a reader and updater."""
    kinds = (ReaderBegin, ReaderEnd, GracePeriodBegin, GracePeriodEnd)
    waiting = tuple(updaters)
    return [
        sliced(
            "grace-period", GracePeriod(domain), *kinds, domain=domain, reader=one, updater=other
        )
        for one in readers
        for other in waiting
    ]
