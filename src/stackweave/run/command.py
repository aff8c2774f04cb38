"""The command line of `run`."""

import argparse
import json
import math
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from stackweave.arguments import add_judgement, add_parameters, count, parameters_of, seed

if TYPE_CHECKING:
    from stackweave.wire import Codec

    from .report import Report

BACKENDS = ("trio", "asyncio")
CODECS = ("msgpack", "msgspec")
ENTRIES = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what it takes."""
    parser.add_argument("--backend", choices=BACKENDS, default=BACKENDS[0], help="default trio")
    add_parameters(parser, ("cpus", "tasks", "tracers"))
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--entries", type=count, metavar="N", help=f"kernel entries, default {ENTRIES}"
    )
    length.add_argument("--seconds", type=_seconds, metavar="S", help="instead, a time")
    parser.add_argument(
        "--seed",
        type=seed,
        default=0,
        metavar="S",
        help="answers choices and times what comes; the back end owns the order; default 0",
    )
    parser.add_argument("--codec", choices=CODECS, default=CODECS[0], help="default msgpack")
    parser.add_argument(
        "--journal", type=Path, metavar="FILE", help="write the run to a new file, for replay"
    )
    add_judgement(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Run live, and report it."""
    report = _run(arguments)
    print(json.dumps(report.as_json(), indent=2) if arguments.json else report.as_text())
    return report.exit


def _run(arguments: argparse.Namespace) -> "Report":
    from stackweave.digest import digest_of
    from stackweave.programs import machine as maker
    from stackweave.programs.machine import machine

    from .findings import Findings
    from .journal import Keeper
    from .records import Header
    from .report import Report
    from .session import Session, Until

    parameters = parameters_of(arguments)
    emulator = machine(parameters)
    program = emulator.program
    codec = _codec(arguments.codec)
    header = Header(
        program.name,
        parameters,
        arguments.backend,
        arguments.codec,
        arguments.seed,
        tuple(spec.name for spec in program.contexts),
        digest_of(program, maker),
    )
    endless = arguments.seconds is not None
    until = Until(
        None if endless else arguments.entries or ENTRIES, arguments.seconds, arguments.stop_first
    )
    findings = Findings(str(program.parameters["generation"]), frozenset(arguments.allow))
    with (
        nullcontext() if arguments.journal is None else Keeper(arguments.journal, header) as keeper
    ):
        session = Session(
            emulator,
            seed=arguments.seed,
            codec=codec,
            until=until,
            findings=findings,
            keeper=keeper,
        )
        outcome = session.run(arguments.backend)
    return Report(header, program, session, outcome, arguments.journal)


def _codec(name: str) -> "Codec":
    """Raises `ImportError` for one whose library is not installed."""
    from stackweave.wire import codec_named

    try:
        return codec_named(name)
    except LookupError as error:
        raise ImportError(str(error)) from None


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not math.isfinite(number) or not 0 < number <= 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not a time above 0")
    return number
