"""What a number of executions came to, whichever driver ran them: sums, so that their order does not matter."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # numpy takes a while to load
    from .reached import Reached


class Breach(NamedTuple):
    """A set of signatures that executions showed, and no others."""

    signatures: tuple[str, ...]
    """Sorted."""
    executions: int
    """How many showed them."""
    first: int
    """The first of these."""


class Tally(NamedTuple):
    """Executions that were counted."""

    executions: int = 0
    operations: int = 0
    incomplete: int = 0
    breaches: tuple[Breach, ...] = ()
    """In the order of their first executions."""
    reached: "Reached | None" = None
    """What was reached first, where coverage is counted; a sum has none."""

    def by_signature(self) -> dict[str, int]:
        """How many executions showed each signature."""
        counts: dict[str, int] = {}
        for breach in self.breaches:
            for signature in breach.signatures:
                counts[signature] = counts.get(signature, 0) + breach.executions
        return counts

    def and_also(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            self.executions + other.executions,
            self.operations + other.operations,
            self.incomplete + other.incomplete,
            merged([*self.breaches, *other.breaches]),
        )


def merged(breaches: Iterable[Breach]) -> tuple[Breach, ...]:
    """One breach for each set."""
    sums: dict[tuple[str, ...], Breach] = {}
    for breach in breaches:
        before = sums.get(breach.signatures)
        if before is not None:
            breach = Breach(
                breach.signatures,
                breach.executions + before.executions,
                min(breach.first, before.first),
            )
        sums[breach.signatures] = breach
    return tuple(sorted(sums.values(), key=lambda breach: (breach.first, breach.signatures)))
