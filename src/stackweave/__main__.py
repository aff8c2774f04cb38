"""The command line. Each subcommand is a module, imported only when it is the one that was asked for."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final, Protocol, cast

from .exits import Exit

SUBCOMMANDS: Final = {
    "stress": "run a program many times, each time interleaved otherwise",
    "explore": "visit every state of a program, and show the shortest way to what breaks",
    "run": "run the emulator live, on trio or asyncio",
    "replay": "run one failing schedule or a journal again and print it as lanes",
    "shrink": "make a failing schedule smaller, while it fails in the same way",
    "gallery": "show the known defects and what was measured for each, or run one",
    "conform": "compare the kernel models with what real kernels did",
    "unwind": "unwind the stacks of a core file, a perf.data or a dump by SFrame tables",
    "sframe": "show, judge, convert and make SFrame tables",
}

_EPILOGUE: Final = """\
A PROGRAM is built in (default) or a function in a file of yours: my_protocol.py:program.
Exit codes: 0 clean, 1 violation seen, 2 bad usage or input, 3 could not run."""


class _Subcommand(Protocol):
    """What a subcommand's module offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what it takes."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; the exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    chosen = words[0] if words and words[0] in SUBCOMMANDS else None
    try:
        subcommand = None if chosen is None else _import(chosen)
        arguments = _parser(chosen, subcommand).parse_args(words)
        assert subcommand is not None
        code = subcommand.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 128 + 2
    except BrokenPipeError:
        # the reader has gone; what is still buffered must not fail again when Python exits
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED
    except Exception as error:  # told in a line, by who is to blame
        return _blame(error)
    return code


def _import(name: str) -> _Subcommand:
    return cast(_Subcommand, importlib.import_module(f"stackweave.{name}"))


def _parser(chosen: str | None, subcommand: _Subcommand | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stackweave",
        description="Search the interleavings of Linux's deferred stack unwinding for the ones that break it.",
        epilog=_EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, purpose in SUBCOMMANDS.items():
        each = parsers.add_parser(name, help=purpose, description=purpose)
        if name == chosen and subcommand is not None:
            subcommand.add_arguments(each)
    return parser


def _blame(error: Exception) -> int:
    """One line for an error that is the caller's, the input's or the system's; ours are raised again."""
    from stackweave.core import ModelError, UsageError
    from stackweave.wire import WireError

    if isinstance(error, UsageError | ModelError | WireError):
        code = Exit.USAGE
    elif isinstance(error, OSError | ImportError):
        code = Exit.FAILED
    else:
        raise error
    print(f"stackweave: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
