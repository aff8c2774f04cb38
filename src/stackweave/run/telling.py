"""A replayed journal, told as one screen or one document."""

import shlex

from stackweave.exits import Exit
from stackweave.lanes import draw, screen_width
from stackweave.registry import titled
from stackweave.replaying import Replay

from .again import AROUND, BEFORE, Again


class Told:
    """What `stackweave replay` says of a journal."""

    def __init__(self, again: Again, reference: str, around: int | None) -> None:
        self.excerpt: Replay | None = again.excerpt(around)
        self.program = again.program
        self._again = again
        self._reference = reference
        self._around = around

    @property
    def exit(self) -> Exit:
        """A violation was seen, or the replay differs: else clean."""
        seen = self._again.difference is not None or self._again.outcome.violations
        return Exit.VIOLATION if seen else Exit.CLEAN

    def as_json(self) -> dict[str, object]:
        """The document for programs, but for the steps."""
        again, header = self._again, self._again.header
        return {
            "command": "replay",
            "program": header.program,
            "parameters": dict(self.program.parameters),
            "backend": header.backend,
            "codec": header.codec,
            "seed": header.seed,
            "operations": again.outcome.operations,
            "messages": len(again.messages),
            "ended": again.ended,
            "torn": again.torn,
            "difference": again.difference,
            "violations": again.findings.as_json(),
        }

    def as_text(self) -> str:
        """The summary, and some operations as lanes."""
        header = self._again.header
        title = titled(header.program, self.program.parameters)
        return "\n".join(
            [
                f"{title}, {header.backend}, seed {header.seed}",
                "",
                *self._lanes(),
                self._compared(),
                *self._missing(),
                *self._again.findings.rows(),
            ]
        )

    def _lanes(self) -> list[str]:
        if self.excerpt is None:
            return []
        if self._around is None:
            first = (
                f"{self.excerpt.signature}, operation {self._again.outcome.violations[0].step:,}"
            )
            title = f"{first}, and up to {BEFORE} before it"
        else:
            title = f"operation {self._around:,}, and up to {AROUND} before and after it"
        command = f"stackweave replay {shlex.quote(self._reference)} --around STEP"
        return [
            f"{title}:",
            "",
            draw(self.excerpt, screen_width()),
            "",
            f"others: {command}",
            "",
        ]

    def _compared(self) -> str:
        again = self._again
        done = f"{again.outcome.operations:,} operations and {len(again.messages):,} messages"
        if again.difference is not None:
            return f"the replay DIFFERS from the run, at {again.difference}"
        return f"{done} replayed: equal events, equal memory"

    def _missing(self) -> list[str]:
        if self._again.ended or self._again.difference is not None:
            return []
        torn = "its end is torn" if self._again.torn else "it has no end"
        return [f"only the beginning of a run, as far as the journal goes: {torn}"]
