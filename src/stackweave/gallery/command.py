"""`stackweave gallery`: the table of known defects, or one of them, run again."""

import argparse
import json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what it takes."""
    parser.add_argument("id", nargs="?", metavar="ID", help="run this entry; without: the table")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")


def run(arguments: argparse.Namespace) -> int:
    """0 when what is shown agrees with the verdicts, 1 when it does not. Raises `UsageError` for an unknown id."""
    from . import kept
    from .entries import ENTRIES, find
    from .showing import Shown
    from .table import Table

    if arguments.id is None:
        report: Table | Shown = Table(ENTRIES, kept.load())
    else:
        entry = find(arguments.id)
        report = Shown.of(entry, kept.load().get(entry.id))
    print(json.dumps(report.as_json(), indent=2) if arguments.json else report.as_text())
    return report.exit
