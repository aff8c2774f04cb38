"""`stackweave explore`: its arguments, and what happens in which order."""

import argparse
import json

from ..arguments import add_allow, add_parameters, count, parameters_of
from ..campaign import Subject
from ..progress import tell_of_compiling
from ..registry import DEFAULT, blaming, find

_STATES = 100_000_000
_MEMORY = 2048


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
    parser.add_argument(
        "--reductions",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="leave out moves that make no difference to what is found, if not to how; default no",
    )
    add_allow(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Search and report."""
    subject = Subject.of(find(arguments.program), parameters_of(arguments))
    tell_of_compiling()
    from .report import Report  # here: it takes a while to load
    from .searching import explore, prepare

    prepare()
    with blaming(subject.recipe.name):
        explored = explore(
            subject.program,
            states=arguments.states,
            memory=arguments.memory << 20,
            signature=arguments.signature,
            switches=arguments.switches,
            cycles=arguments.cycles,
            reductions=arguments.reductions,
        )
    report = Report(subject, explored, frozenset(arguments.allow), arguments.signature)
    print(json.dumps(report.as_json(), indent=2) if arguments.json else report.as_text())
    return report.exit
