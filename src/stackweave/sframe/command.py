"""The subcommands. Each is a module, imported only when it is the one that was asked for."""

import argparse
import importlib
import sys
from typing import Final

from stackweave.exits import Exit

PURPOSES: Final = {
    "dump": "print a table as objdump --sframe does",
    "stat": "count functions, rows and rules, the text they cover and the bytes they take",
    "lookup": "print the rules that hold at addresses",
    "check": "name what violates the specification and what is suspicious",
    "convert": "write a table in another version of the format",
    "generate": "write a table made from a program's .eh_frame",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parsers = parser.add_subparsers(metavar="COMMAND", dest="subcommand", required=True)
    for name, purpose in PURPOSES.items():
        each = parsers.add_parser(name, help=purpose, description=purpose)
        importlib.import_module(f"{__package__}.{name}").add_arguments(each)


def run(arguments: argparse.Namespace) -> int:
    """0 if the input could be read, 1 for what `check` finds, 2 if the input is bad."""
    from stackweave.core.sframe import ElfError, SFrameError
    from stackweave.core.sframe.errors import EncodeError
    from stackweave.printable import printable

    try:
        subcommand = importlib.import_module(f"{__package__}.{arguments.subcommand}")
        code: int = subcommand.run(arguments)
    except (ElfError, SFrameError, EncodeError) as error:
        print(f"stackweave sframe: {printable(str(error))}", file=sys.stderr)
        return Exit.USAGE
    return code
