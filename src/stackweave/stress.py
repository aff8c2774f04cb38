"""`stackweave stress`: run a program many times, count what breaks, show the first failure."""

import argparse
import json
import sys
from pathlib import Path
from time import monotonic

from stackweave.core.kernel.flavour import in_order

from .campaign import Campaign, Finding, Subject
from .campaign import run as run_campaign
from .exits import Exit
from .lanes import draw, replay_command, screen_width
from .programs import Parameters
from .registry import DEFAULT, find, given
from .replaying import replay_on
from .schedule import keep

_EVERY = 0.5
"""Seconds between two lines of progress."""
_LINE = 78
"""Characters of one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what it takes."""
    parser.add_argument("program", nargs="?", default=DEFAULT, metavar="PROGRAM")
    parser.add_argument("--generation", help="of the kernel's mechanism")
    parser.add_argument(
        "--flavour", metavar="NAME[+NAME]", help="of the generation, such as 32-bit"
    )
    for size in ("cpus", "tasks", "tracers", "syscalls"):
        parser.add_argument(f"--{size}", type=_count, metavar="N", help=f"number of {size}")
    parser.add_argument(
        "--executions", type=_count, default=10_000, metavar="N", help="default 10000"
    )
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="default 0")
    parser.add_argument(
        "--stop-first", action="store_true", help="stop at the first that is not allowed"
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="ID",
        help="a known defect or a signature that is no failure; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Run the campaign and report it."""
    parameters = Parameters(
        arguments.generation,
        arguments.cpus,
        arguments.tasks,
        arguments.tracers,
        arguments.syscalls,
        None if arguments.flavour is None else in_order(arguments.flavour),
    )
    subject = Subject.of(find(arguments.program), parameters)
    progress = _Progress(arguments.executions) if sys.stderr.isatty() else None
    campaign = run_campaign(
        subject,
        arguments.seed,
        arguments.executions,
        stop_first=arguments.stop_first,
        allowed=arguments.allow,
        watch=progress,
    )
    if progress is not None:
        progress.clear()
    report = _Report(subject, campaign, frozenset(arguments.allow), arguments.stop_first)
    print(json.dumps(report.as_json(), indent=2) if arguments.json else report.as_text())
    return report.exit


class _Progress:
    """One line on a terminal that is written over."""

    def __init__(self, executions: int) -> None:
        self._executions = executions
        self._next = monotonic() + _EVERY

    def __call__(self, campaign: Campaign) -> None:
        if monotonic() < self._next:
            return
        self._next = monotonic() + _EVERY
        failing = ", ".join(
            f"{each.signature} {each.count:,}" for each in campaign.findings.values()
        )
        line = f"{campaign.executions:,} of {self._executions:,} executions  {failing}"
        print(f"\r\033[K{line[:_LINE]}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leave no trace on the screen."""
        print("\r\033[K", end="", file=sys.stderr, flush=True)


class _Report:
    def __init__(
        self, subject: Subject, campaign: Campaign, allowed: frozenset[str], stopped: bool
    ) -> None:
        self._subject = subject
        self._campaign = campaign
        self._allowed = allowed
        self._stopped = stopped
        self._findings = list(campaign.findings.values())
        self._schedules = {
            key: subject.schedule(finding, campaign.seed)
            for key, finding in campaign.findings.items()
        }
        self._references = {
            key: keep(schedule, Path()) for key, schedule in self._schedules.items()
        }

    def _is_allowed(self, finding: Finding) -> bool:
        return finding.is_among(self._allowed)

    @property
    def exit(self) -> Exit:
        """Clean, unless something was seen that was not allowed."""
        return Exit.CLEAN if all(map(self._is_allowed, self._findings)) else Exit.VIOLATION

    def as_json(self) -> dict[str, object]:
        """The document for programs."""
        campaign = self._campaign
        return {
            "command": "stress",
            "program": self._subject.recipe.name,
            "parameters": self._chosen(),
            "seed": campaign.seed,
            "executions": campaign.executions,
            "operations": campaign.operations,
            "incomplete": campaign.incomplete,
            "interrupted": campaign.interrupted,
            "seconds": round(campaign.seconds, 3),
            "violations": [self._finding_json(each) for each in self._findings],
            "exit": int(self.exit),
        }

    def _finding_json(self, finding: Finding) -> dict[str, object]:
        return {
            "signature": finding.signature,
            "property": finding.violation.property,
            "known": finding.known,
            "allowed": self._is_allowed(finding),
            "count": finding.count,
            "first_execution": finding.first,
            "explanation": finding.violation.explanation,
            "replay": self._references[finding.key],
        }

    def as_text(self) -> str:
        """One screen of summary; before it the lanes of the first failure that is new, or that stopped the run."""
        chosen = "".join(f" {key}={value}" for key, value in self._chosen().items())
        lines = [f"{self._subject.recipe.name}{chosen}, seed {self._campaign.seed}", ""]
        failing = [each for each in self._findings if not self._is_allowed(each)]
        drawn = [each for each in failing if each.known is None or self._stopped]
        if drawn:
            lines += [*self._lanes(drawn[0]), ""]
        lines += [self._speed(), *self._table()]
        if failing and not drawn:
            lines += ["", f"{failing[0].signature} as lanes:", self._command(failing[0])]
        return "\n".join(lines)

    def _command(self, finding: Finding) -> str:
        return replay_command(self._references[finding.key])

    def _chosen(self) -> dict[str, int | str]:
        return {**self._subject.program.parameters, **given(self._subject.parameters)}

    def _lanes(self, finding: Finding) -> list[str]:
        schedule = self._schedules[finding.key]
        return [
            f"{finding.signature}, execution {finding.first:,}:",
            "",
            draw(replay_on(schedule, self._subject.program), screen_width()),
            "",
            f"replay: {self._command(finding)}",
        ]

    def _speed(self) -> str:
        campaign = self._campaign
        seconds = campaign.seconds or 1e-9
        ended = "interrupted after " if campaign.interrupted else ""
        return (
            f"{ended}{campaign.executions:,} executions, {campaign.operations:,} operations "
            f"in {seconds:.1f} s ({campaign.executions / seconds:,.0f} executions/s, "
            f"{campaign.operations / seconds:,.0f} operations/s)"
        )

    def _table(self) -> list[str]:
        lines = []
        if self._campaign.incomplete:
            bound = f"{self._subject.program.bound:,}"
            lines.append(f"{self._campaign.incomplete:,} incomplete, at {bound} operations")
        if not self._findings:
            return [*lines, "no violation"]
        width = max(len(each.signature) for each in self._findings)
        for each in self._findings:
            lines += self._rows(each, width)
        return lines

    def _rows(self, finding: Finding, width: int) -> list[str]:
        """One line, and for what is new the command that replays it."""
        name = f"known: {finding.known}" if finding.known else "NEW"
        allowed = " (allowed)" if self._is_allowed(finding) else ""
        share = 100 * finding.count / self._campaign.executions
        executions = f"{finding.count:,} execution{'s' if finding.count > 1 else ''}"
        row = (
            f"{finding.signature:<{width}}  {name}{allowed}, {executions} ({share:.3g} %), "
            f"first {finding.first:,}"
        )
        if finding.known or self._is_allowed(finding):
            return [row]
        return [row, f"{'':<{width}}  {self._command(finding)}"]


def _count(text: str) -> int:
    return _integer(text, 1)


def _seed(text: str) -> int:
    return _integer(text, 0)


def _integer(text: str, low: int) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no integer") from None
    if not low <= number < 1 << 63:
        raise argparse.ArgumentTypeError(f"{text} is not from {low} to 2**63 - 1")
    return number
