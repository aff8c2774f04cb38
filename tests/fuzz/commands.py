"""The command line on hostile files: it says what is wrong and ends as it promises."""

import argparse
import os
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from stackweave import sframe, unwind
from stackweave.exits import Exit

UNWINDING: Final = ((), ("--json",), ("--format", "folded"), ("--format", "chrome"))
_OUT: Final = "OUT"
SFRAME: Final = (
    *(("dump",), ("dump", "--json"), ("stat",), ("check",), ("check", "--profile", "kernel")),
    *(("generate", "--address", "500000", "-o", _OUT), ("convert", "--version", "2", "-o", _OUT)),
)
_ENDINGS: Final = (Exit.CLEAN, Exit.VIOLATION, Exit.USAGE)


def unwind_file(data: bytes) -> None:
    """`stackweave unwind`, in several forms."""
    _each(data, UNWINDING, unwind.add_arguments, unwind.run)


def describe_file(data: bytes) -> None:
    """`stackweave sframe`: every subcommand but `lookup`."""
    _each(data, SFRAME, sframe.add_arguments, sframe.run)


@cache
def _parser(add_arguments: Callable[[argparse.ArgumentParser], None]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser


def _each(
    data: bytes,
    lines: Sequence[tuple[str, ...]],
    add_arguments: Callable[[argparse.ArgumentParser], None],
    run: Callable[[argparse.Namespace], int],
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "hostile"
        path.write_bytes(data)
        for line in lines:
            words = [str(Path(folder) / word) if word == _OUT else word for word in line]
            arguments = _parser(add_arguments).parse_args([*words, str(path)])
            with (
                open(os.devnull, "w", encoding="utf-8") as nowhere,
                redirect_stdout(nowhere),
                redirect_stderr(nowhere),
            ):
                code = run(arguments)
            assert code in _ENDINGS, f"{' '.join(line)} ended with {code}"
