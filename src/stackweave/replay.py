"""`stackweave replay`: run one failing schedule or a journal again, and show it."""

import argparse
import json
import textwrap
from pathlib import Path

from stackweave.core import Program, UsageError
from stackweave.wire.journal import is_journal

from .arguments import count
from .exits import Exit
from .lanes import draw, replay_command, screen_width
from .registry import given, titled
from .replaying import Replay, Step, replay
from .schedule import Schedule, read
from .wording import describe, show_event


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what it takes."""
    parser.add_argument(
        "schedule", metavar="TOKEN-or-FILE", help="as stress, explore or run printed it"
    )
    parser.add_argument(
        "--around",
        type=count,
        metavar="STEP",
        help="of a journal, show the operations around this one",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Replay it: a schedule fails again, or is refused."""
    path = Path(arguments.schedule)
    if is_journal(path):
        return _tell_journal(path, arguments)
    if arguments.around is not None:
        raise UsageError("--around is for journals: a schedule is shown whole")
    schedule = read(arguments.schedule)
    if schedule.cycle:
        return _tell_lasso(schedule, arguments)
    told = replay(schedule)
    if arguments.json:
        print(json.dumps(_as_json(schedule, told), indent=2))
    else:
        print(_as_text(schedule, told, arguments.schedule))
    return Exit.VIOLATION


def _tell_lasso(schedule: Schedule, arguments: argparse.Namespace) -> int:
    from .lasso import TIMES, replay_lasso

    lasso = replay_lasso(schedule)
    if arguments.json:
        rounds = {"stem": lasso.stem, "moves": lasso.cycle, "moving": lasso.moving, "times": TIMES}
        print(json.dumps({**_as_json(schedule, lasso.replay), "cycle": rounds}, indent=2))
    else:
        print(_as_text(schedule, lasso.replay, arguments.schedule, lasso.verdict))
    return Exit.VIOLATION


def _tell_journal(path: Path, arguments: argparse.Namespace) -> int:
    from .run.again import replay_journal
    from .run.telling import Told

    told = Told(replay_journal(path), arguments.schedule, arguments.around)
    if arguments.json:
        steps = () if told.excerpt is None else told.excerpt.steps
        shown = [_step_json(step, told.program) for step in steps]
        print(json.dumps({**told.as_json(), "steps": shown, "exit": int(told.exit)}, indent=2))
    else:
        print(told.as_text())
    return told.exit


def _as_text(schedule: Schedule, told: Replay, reference: str, verdict: str = "") -> str:
    title = titled(schedule.program, given(schedule.parameters))
    return "\n".join(
        [
            f"{title}: {schedule.signature}, {schedule.origin}",
            "",
            draw(told, screen_width()),
            "",
            *([*textwrap.wrap(verdict, screen_width()), ""] if verdict else []),
            f"replay: {replay_command(reference)}",
        ]
    )


def _as_json(schedule: Schedule, told: Replay) -> dict[str, object]:
    return {
        "command": "replay",
        "program": schedule.program,
        "parameters": given(schedule.parameters),
        "signature": schedule.signature,
        "violations": [
            {
                "property": each.property,
                "signature": each.signature,
                "explanation": each.explanation,
                "context": each.context,
                "step": each.step,
            }
            for each in told.outcome.violations
        ],
        "steps": [_step_json(step, told.program) for step in told.steps],
        "exit": int(Exit.VIOLATION),
    }


def _step_json(step: Step, program: Program) -> dict[str, object]:
    return {
        "step": step.number,
        "context": step.context,
        "function": step.function,
        "operation": describe(step, program) if step.number else None,
        "choices": [answer for _, answer in step.answers],
        "events": [show_event(event) for event in step.events],
    }
