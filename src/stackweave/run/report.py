"""What a live run came to, as one screen or one document."""

from dataclasses import asdict, dataclass
from pathlib import Path

from stackweave.core import Outcome, Program
from stackweave.exits import Exit
from stackweave.lanes import replay_command
from stackweave.registry import titled

from .records import Header
from .session import Session


@dataclass(frozen=True, slots=True)
class Report:
    """A live run that has ended."""

    header: Header
    program: Program
    session: Session
    outcome: Outcome
    journal: Path | None

    @property
    def exit(self) -> Exit:
        """Clean, unless something was seen that was not allowed."""
        return Exit.VIOLATION if self.session.findings.failing else Exit.CLEAN

    def as_json(self) -> dict[str, object]:
        """The document for programs."""
        session, live = self.session, self.session.live
        return {
            "command": "run",
            "program": self.header.program,
            "parameters": dict(self.program.parameters),
            "backend": self.header.backend,
            "codec": self.header.codec,
            "seed": self.header.seed,
            "entries": session.tally.entries,
            "operations": live.operations,
            "messages": live.carrier.messages,
            "octets": live.carrier.octets,
            "refused": live.refused,
            "tracers": [asdict(each) for each in session.tally.tracers],
            "verdict": self.outcome.verdict.value,
            "interrupted": session.interrupted,
            "given_up": live.given_up,
            "seconds": round(session.seconds, 3),
            "violations": session.findings.as_json(),
            "journal": None if self.journal is None else str(self.journal),
            "exit": int(self.exit),
        }

    def as_text(self) -> str:
        """The summary."""
        title = titled(self.header.program, self.program.parameters)
        lines = [
            f"{title}, {self.header.backend}, seed {self.header.seed}",
            "",
            self._speed(),
            *self._ending(),
            *self._tracers(),
            f"messages refused, for want of room: {self.session.live.refused:,}",
            "",
            *self.session.findings.rows(),
        ]
        if self.journal is not None:
            lines += ["", f"replay: {replay_command(str(self.journal))}"]
        return "\n".join(lines)

    def _speed(self) -> str:
        session, live = self.session, self.session.live
        seconds = session.seconds or 1e-9
        counts = {
            "entries": session.tally.entries,
            "operations": live.operations,
            "messages": live.carrier.messages,
        }
        done = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        rates = ", ".join(f"{count / seconds:,.0f} {name}/s" for name, count in counts.items())
        interrupted = "interrupted after " if session.interrupted else ""
        return f"{interrupted}{done} in {seconds:.1f} s ({rates})"

    def _ending(self) -> list[str]:
        """Why it ended, where nobody had asked it to."""
        live = self.session.live
        if live.given_up:
            return ["given up: it did not come to rest when it was asked to stop"]
        if not live.stopping and self.outcome.violations:
            return [f"ended by {self.outcome.violations[-1].signature}: nothing runs after it"]
        return []

    def _tracers(self) -> list[str]:
        """How many samples became what, a line for each tracer."""
        names = ("merged", "unmerged", "direct", "lost")
        head = "tracer" + "".join(f"{name:>10}" for name in names)
        rows = [
            f"{number:>6}" + "".join(f"{getattr(each, name):>10,}" for name in names)
            for number, each in enumerate(self.session.tally.tracers)
        ]
        return ["", head, *rows]
