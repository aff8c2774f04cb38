"""Who is to blame: the caller (`UsageError`), the program's author (`ModelError`), or nobody: a `Violation` is
a finding, not a fault."""

from dataclasses import dataclass


class UsageError(Exception):
    """The caller asked for something that cannot be: a context that is not enabled, a stale schedule."""


class ModelError(Exception):
    """The program is not one: an operation outside the machine's rules, an undeclared address."""


def diverged(how: str) -> ModelError:
    """The same decisions did not lead to the same: what to look for."""
    return ModelError(
        f"the same decisions led elsewhere: {how}; a protocol must depend on nothing but the results of its "
        "operations (look for a captured list, a global, a clock, a random number, the order of a set)"
    )


@dataclass(frozen=True, slots=True)
class Violation:
    """A property that an execution broke.

    `signature` is stable: equal for the same defect in every execution; `explanation` has the particulars.
    """

    property: str
    signature: str
    explanation: str
    context: str
    """The context whose operation broke it; empty when it was none, as in a deadlock."""
    step: int
    """How many operations had been performed, the failing one included."""


class ViolationFound(Exception):
    """Raised where a violation is seen; the driver makes a `Violation` of it."""

    def __init__(self, property: str, signature: str, explanation: str) -> None:
        super().__init__(explanation)
        self.property = property
        self.signature = signature
        self.explanation = explanation
