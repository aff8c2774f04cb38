"""`stackweave stress`: run a program many times, count what breaks, show the first failure."""

import argparse
import json
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from stackweave.core.explore.tally import Tally
from stackweave.core.strategies import RANDOM_WALK

from . import progress
from .arguments import add_judgement, add_parameters, count, parameters_of, seed, strategy
from .campaign import Campaign, Finding, Subject
from .campaign import run as run_campaign
from .drivers import DRIVERS
from .exits import Exit
from .known import is_among, standing
from .lanes import draw, replay_command, screen_width, shrink_command
from .registry import DEFAULT, find
from .replaying import replay_on
from .schedule import keep

if TYPE_CHECKING:
    from .coverage import Whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what it takes."""
    parser.add_argument("program", nargs="?", default=DEFAULT, metavar="PROGRAM")
    add_parameters(parser, ("cpus", "tasks", "tracers", "syscalls"))
    parser.add_argument(
        "--executions", type=count, default=10_000, metavar="N", help="default 10000"
    )
    parser.add_argument("--seconds", type=count, metavar="S", help="stop after that time")
    parser.add_argument(
        "--coverage", action="store_true", help="count the states and transitions that are reached"
    )
    parser.add_argument(
        "--no-new",
        type=count,
        metavar="N",
        help="stop when N executions in a row have reached no new state or transition",
    )
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="default 0")
    parser.add_argument(
        "--strategy",
        type=strategy,
        default="random-walk",
        metavar="NAME",
        help="random-walk (the default), pct:D, pos, surw, preemption-bound:N",
    )
    parser.add_argument("--driver", choices=tuple(DRIVERS), default="engine", help="default engine")
    parser.add_argument("--jobs", type=count, default=1, metavar="N", help="processes; default 1")
    add_judgement(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Run the campaign and report it."""
    subject = Subject.of(find(arguments.program), parameters_of(arguments))
    if arguments.driver == "engine":
        progress.tell_of_compiling()
    watch = _Progress(arguments.executions)
    with progress.Ticker(watch.line):
        campaign = run_campaign(
            subject,
            arguments.seed,
            arguments.executions,
            tactic=arguments.strategy,
            driver=arguments.driver,
            jobs=arguments.jobs,
            seconds=arguments.seconds,
            stop_first=arguments.stop_first,
            allowed=arguments.allow,
            covering=arguments.coverage,
            no_new=arguments.no_new,
            watch=watch.take,
        )
    whole = None if campaign.coverage is None else _whole_of(subject)
    report = _Report(subject, campaign, whole, frozenset(arguments.allow), arguments.stop_first)
    print(json.dumps(report.as_json(), indent=2) if arguments.json else report.as_text())
    return report.exit


def _whole_of(subject: Subject) -> "Whole | None":
    """What a search finds; None where it was ended by Ctrl-C."""
    from .coverage import whole_of  # here: it takes a while to load

    try:
        return whole_of(subject.recipe.make(subject.parameters))
    except KeyboardInterrupt:
        return None


class _Progress:
    """How far a campaign has come."""

    def __init__(self, executions: int) -> None:
        self._executions = executions
        self._started = monotonic()
        self._tally = Tally()

    def take(self, campaign: Campaign) -> None:
        """After each batch."""
        self._tally = campaign.tally

    def line(self) -> str:
        """Empty before the first batch: the engine may still be compiled."""
        tally = self._tally
        if not tally.executions:
            return ""
        speed = tally.executions / max(monotonic() - self._started, 1e-9)
        failing = ", ".join(
            f"{signature} {count:,}" for signature, count in tally.by_signature().items()
        )
        return f"{tally.executions:,} of {self._executions:,} executions, {speed:,.0f}/s  {failing}"


class _Report:
    def __init__(
        self,
        subject: Subject,
        campaign: Campaign,
        whole: "Whole | None",
        allowed: frozenset[str],
        stopped: bool,
    ) -> None:
        self._subject = subject
        self._campaign = campaign
        self._whole = whole
        self._allowed = allowed
        self._stopped = stopped
        self._findings = list(campaign.findings.values())
        self._schedules = {
            key: subject.schedule(finding, campaign.seed, campaign.tactic)
            for key, finding in campaign.findings.items()
        }
        self._references = {
            key: keep(schedule, Path()) for key, schedule in self._schedules.items()
        }

    def _is_allowed(self, finding: Finding) -> bool:
        return is_among(self._allowed, finding.signature, finding.known)

    @property
    def exit(self) -> Exit:
        """Clean, unless something was seen that was not allowed."""
        return Exit.CLEAN if all(map(self._is_allowed, self._findings)) else Exit.VIOLATION

    def as_json(self) -> dict[str, object]:
        """The document for programs."""
        campaign = self._campaign
        document: dict[str, object] = {
            "command": "stress",
            "program": self._subject.recipe.name,
            "parameters": self._subject.chosen,
            "strategy": str(campaign.tactic),
            "seed": campaign.seed,
            "executions": campaign.executions,
            "operations": campaign.operations,
            "incomplete": campaign.incomplete,
            "interrupted": campaign.interrupted,
            "seconds": round(campaign.seconds, 3),
            "violations": [self._finding_json(each) for each in self._findings],
            "exit": int(self.exit),
        }
        if campaign.coverage is not None:
            from . import coverage  # here, as above

            document["coverage"] = coverage.as_json(
                campaign.coverage, self._whole, campaign.executions
            )
        return document

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
        tactic = self._campaign.tactic
        strategy = f", {tactic}" if tactic != RANDOM_WALK else ""
        lines = [f"{self._subject.title}{strategy}, seed {self._campaign.seed}", ""]
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

    def _lanes(self, finding: Finding) -> list[str]:
        schedule = self._schedules[finding.key]
        shrink = f"shrink: {shrink_command(self._references[finding.key])}"
        return [
            f"{finding.signature}, execution {finding.first:,}:",
            "",
            draw(replay_on(schedule, self._subject.program), screen_width()),
            "",
            f"replay: {self._command(finding)}",
            *([shrink] if finding.known is None else []),
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
        if self._campaign.coverage is not None:
            from . import coverage  # here, as above

            lines.append(coverage.as_text(self._campaign.coverage, self._whole))
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
        name = standing(finding.known, is_allowed=self._is_allowed(finding))
        share = 100 * finding.count / self._campaign.executions
        executions = f"{finding.count:,} execution{'s' if finding.count > 1 else ''}"
        row = (
            f"{finding.signature:<{width}}  {name}, {executions} ({share:.3g} %), "
            f"first {finding.first:,}"
        )
        if finding.known or self._is_allowed(finding):
            return [row]
        return [row, f"{'':<{width}}  {self._command(finding)}"]
