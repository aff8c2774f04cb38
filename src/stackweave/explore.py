"""`stackweave explore`: visit every state of a program, and show the shortest way to what breaks."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from stackweave.core import Interpreter, UsageError

from .arguments import add_allow, add_parameters, count, parameters_of
from .campaign import Subject
from .digest import digest_of
from .exits import Exit
from .known import identify
from .lanes import draw, replay_command, screen_width
from .registry import DEFAULT, blame, find, given
from .replaying import Replay, follow, replay_on, steps_of
from .schedule import Origin, Schedule, by_name, keep

if TYPE_CHECKING:
    from stackweave.core.explore.search import Search
    from stackweave.core.explore.search_cycles import Lasso

_STATES = 100_000_000
_MEMORY = 2048
_CYCLE = "fair-cycle"
"""As `--allow` names it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what it takes."""
    parser.add_argument("program", nargs="?", default=DEFAULT, metavar="PROGRAM")
    add_parameters(parser, ("cpus", "tasks", "tracers", "syscalls"))
    parser.add_argument(
        "--states", type=count, default=_STATES, metavar="N", help=f"at most; default {_STATES}"
    )
    parser.add_argument(
        "--memory", type=count, default=_MEMORY, metavar="MB", help=f"at most; default {_MEMORY}"
    )
    parser.add_argument("--signature", metavar="S", help="stop where it is seen, and show it")
    parser.add_argument(
        "--switches",
        action="store_true",
        help="counterexamples with the fewest context switches, not the fewest steps",
    )
    parser.add_argument(
        "--cycles", action="store_true", help="look also for fair cycles: what never ends"
    )
    add_allow(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Search and report."""
    from stackweave.core.explore.search import search  # here: it takes a while to load

    subject = Subject.of(find(arguments.program), parameters_of(arguments))
    started = perf_counter()
    try:
        found = search(
            subject.program,
            most=arguments.states,
            memory=arguments.memory << 20,
            until=() if arguments.signature is None else (arguments.signature,),
            switches=arguments.switches,
        )
        lasso = _lasso(subject, found, arguments) if arguments.cycles else None
    except Exception as error:
        raise _explained(subject, error) from error
    report = _Report(subject, found, lasso, perf_counter() - started, arguments)
    print(json.dumps(report.as_json(), indent=2) if arguments.json else report.as_text())
    return report.exit


def _lasso(subject: Subject, found: "Search", arguments: argparse.Namespace) -> "Lasso | None":
    """A fair cycle; none is looked for where not all states were visited."""
    from stackweave.core.explore.search_cycles import fair_cycle

    if not found.complete:
        return None
    return fair_cycle(subject.program, most=arguments.states, memory=arguments.memory << 20)


def _explained(subject: Subject, error: Exception) -> Exception:
    """The program's errors as the caller's; what is said already, as it is."""
    from stackweave.core import ModelError

    if isinstance(error, UsageError | ModelError):
        return error
    return UsageError(f"{subject.recipe.name} failed: {blame(error)}")


@dataclass(frozen=True, slots=True)
class _Seen:
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


class _Report:
    def __init__(
        self,
        subject: Subject,
        found: "Search",
        lasso: "Lasso | None",
        seconds: float,
        arguments: argparse.Namespace,
    ) -> None:
        self._lasso = lasso
        self._cycles: bool = arguments.cycles
        self._subject = subject
        self._found = found
        self._seconds = seconds
        self._allowed = frozenset(arguments.allow)
        self._wanted: str | None = arguments.signature
        self._switches: bool = arguments.switches
        self._seen = [self._look_at(signature) for signature in self._in_order()]

    def _in_order(self) -> list[str]:
        """The shortest first."""
        moves = self._found.moves
        return sorted(moves, key=lambda signature: (moves[signature], signature))

    def _look_at(self, signature: str) -> _Seen:
        subject = self._subject
        contexts, choices = by_name(subject.program, self._found.schedules[signature])
        schedule = Schedule(
            subject.recipe.name,
            subject.parameters,
            digest_of(subject.program, subject.recipe.module),
            contexts,
            choices,
            Origin("exhaustive search", 0, 0),
            signature,
        )
        replay = replay_on(schedule, subject.program)
        known = identify(
            subject.generation, {each.signature: each for each in replay.outcome.violations}
        )
        moves = self._found.moves[signature]
        reference = keep(schedule, Path())
        return _Seen(signature, known.get(signature), moves, replay, reference)

    def _is_allowed(self, seen: _Seen) -> bool:
        return seen.signature in self._allowed or seen.known in self._allowed

    @property
    def exit(self) -> Exit:
        """Clean, unless something was seen that was not allowed."""
        if self._lasso is not None and _CYCLE not in self._allowed:
            return Exit.VIOLATION
        return Exit.CLEAN if all(map(self._is_allowed, self._seen)) else Exit.VIOLATION

    def _chosen(self) -> dict[str, int | str]:
        return {**self._subject.program.parameters, **given(self._subject.parameters)}

    def as_json(self) -> dict[str, object]:
        """The document for programs."""
        found = self._found
        return {
            "command": "explore",
            "program": self._subject.recipe.name,
            "parameters": self._chosen(),
            "states": found.states,
            "transitions": found.transitions,
            "depth": found.depth,
            "ends": found.ends,
            "complete": found.complete,
            "bound": found.bound,
            "omission": found.omission,
            "seconds": round(self._seconds, 3),
            "violations": [self._seen_json(each) for each in self._seen],
            "cycle": None if self._lasso is None else self._lasso._asdict(),
            "exit": int(self.exit),
        }

    def _seen_json(self, seen: _Seen) -> dict[str, object]:
        property, explanation = seen.explanation
        return {
            "signature": seen.signature,
            "property": property,
            "known": seen.known,
            "allowed": self._is_allowed(seen),
            "moves": seen.moves,
            "explanation": explanation,
            "replay": seen.reference,
        }

    def as_text(self) -> str:
        """One screen of summary; before it the lanes of what was looked for, or of the first that is new."""
        chosen = "".join(f" {key}={value}" for key, value in self._chosen().items())
        lines = [f"{self._subject.recipe.name}{chosen}, every state", ""]
        for seen in self._drawn():
            lines += [
                f"{seen.signature}, after {seen.moves:,} moves:",
                "",
                draw(seen.replay, screen_width()),
                "",
                f"replay: {replay_command(seen.reference)}",
                "",
            ]
        return "\n".join([*lines, *self._cycle(), *self._figures(), *self._table()])

    def _cycle(self) -> list[str]:
        """The lasso as lanes."""
        if not self._cycles:
            return []
        if self._lasso is None:
            return ["no fair cycle" if self._found.complete else "fair cycles: not looked for", ""]
        decisions = self._lasso.schedule
        interpreter = Interpreter(self._subject.program)
        outcome = follow(interpreter, decisions)
        steps = tuple(steps_of(interpreter, decisions))
        shown = Replay(self._subject.program, outcome, steps, _CYCLE)
        repeated = (
            f"the last {self._lasso.cycle:,} moves repeat for ever, and all who could move do"
        )
        return [f"{_CYCLE}:", "", draw(shown, screen_width()), "", repeated, ""]

    def _drawn(self) -> list[_Seen]:
        """At most one."""
        failing = [seen for seen in self._seen if not self._is_allowed(seen)]
        if self._wanted is not None:
            return [seen for seen in self._seen if seen.signature == self._wanted]
        return [seen for seen in failing if seen.known is None][:1]

    def _figures(self) -> list[str]:
        found, seconds = self._found, self._seconds or 1e-9
        farthest = "switches" if self._switches else "moves"
        return [
            f"{found.states:,} states, {found.transitions:,} transitions, {found.depth:,} {farthest} deep, "
            f"in {seconds:.1f} s ({found.states / seconds:,.0f} states/s)",
            f"incomplete: {found.bound}"
            if found.bound
            else f"complete, but that a state was left out with probability {found.omission:.1g}",
        ]

    def _table(self) -> list[str]:
        if not self._seen:
            return ["no violation"]
        width = max(len(each.signature) for each in self._seen)
        lines = []
        for seen in self._seen:
            name = f"known: {seen.known}" if seen.known else "NEW"
            allowed = " (allowed)" if self._is_allowed(seen) else ""
            lines.append(f"{seen.signature:<{width}}  {name}{allowed}, after {seen.moves:,} moves")
            lines.append(f"{'':<{width}}  {replay_command(seen.reference)}")
        return lines
