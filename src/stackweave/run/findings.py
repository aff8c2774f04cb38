"""What a live run showed: its violations by signature, with the known defect that each is.

A live run is one long execution. So of signatures that several defects lead to, each is put down to the first of
those that show in the same run.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from stackweave.core import Violation
from stackweave.known import identify, is_among, standing


@dataclass(slots=True)
class Finding:
    """A signature that was seen."""

    first: Violation
    count: int = 0
    known: str | None = None
    """The id of the known defect that it is."""


class Findings:
    """The findings of one run, in the order of their discovery."""

    def __init__(self, generation: str, allowed: Collection[str] = ()) -> None:
        self.by_signature: dict[str, Finding] = {}
        self._allowed = allowed
        self._generation = generation
        self._seen = 0

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.by_signature.values())

    def take(self, violations: Sequence[Violation]) -> None:
        """Count those that have come since the last call."""
        if len(violations) == self._seen:
            return
        before = len(self.by_signature)
        for violation in violations[self._seen :]:
            found = self.by_signature.setdefault(violation.signature, Finding(violation))
            found.count += 1
        self._seen = len(violations)
        if len(self.by_signature) > before:
            known = identify(self._generation, self.by_signature)
            for signature, finding in self.by_signature.items():
                finding.known = known.get(signature)

    @property
    def failing(self) -> list[Finding]:
        """Those that are not allowed."""
        return [each for each in self if not self._is_allowed(each)]

    def _is_allowed(self, finding: Finding) -> bool:
        return is_among(self._allowed, finding.first.signature, finding.known)

    def as_json(self) -> list[dict[str, object]]:
        """For programs."""
        return [
            {
                "signature": each.first.signature,
                "property": each.first.property,
                "known": each.known,
                "allowed": self._is_allowed(each),
                "count": each.count,
                "first_operation": each.first.step,
                "explanation": each.first.explanation,
            }
            for each in self
        ]

    def rows(self) -> list[str]:
        """One line each."""
        width = max((len(each.first.signature) for each in self), default=0)
        return [self._row(each, width) for each in self] or ["no violation"]

    def _row(self, finding: Finding, width: int) -> str:
        name = standing(finding.known, is_allowed=self._is_allowed(finding))
        times = "once" if finding.count == 1 else f"{finding.count:,} times"
        first = finding.first
        return f"{first.signature:<{width}}  {name}, {times}, first at operation {first.step:,}"
