"""What `convert` and `generate` share: the version asked for, the file written, the account."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stackweave.core.sframe.contents import SectionContents
from stackweave.core.sframe.dialect import Dialect, Loss
from stackweave.core.sframe.encode import encode
from stackweave.files import write_file
from stackweave.printable import printable

from .showing import Json, hexadecimal
from .source import Source

_DIALECTS: Final = {dialect.value.removeprefix("v"): dialect for dialect in Dialect}


def add_output(parser: argparse.ArgumentParser) -> None:
    """Where to write, which version, and how to tell of it."""
    parser.add_argument(
        "-o",
        dest="output",
        metavar="OUT",
        type=Path,
        required=True,
        help="the section's bytes, for objcopy --update-section",
    )
    parser.add_argument(
        "--version",
        choices=_DIALECTS,
        default=Dialect.V3.value.removeprefix("v"),
        help="of the format; 2-pcrel: V2 with its errata, as binutils 2.45 wrote it (default: 3)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def dialect_of(arguments: argparse.Namespace) -> Dialect:
    """The version that the command line names."""
    return _DIALECTS[arguments.version]


@dataclass(frozen=True, slots=True)
class Written:
    """A section to write, and what it lacks."""

    source: Source
    dialect: Dialect
    section: SectionContents
    losses: tuple[Loss, ...]


def write(written: Written, output: Path, as_json: bool) -> None:
    """Write the section whole or not at all, then say what was written and what was not."""
    data = encode(written.section)
    write_file(output, data)
    if as_json:
        print(json.dumps(_json(written, output, len(data))))
    else:
        for line in _lines(written, output, len(data)):
            print(printable(line))


def _counts(written: Written) -> tuple[int, int]:
    """Functions and rows."""
    functions = [each for table in written.section.tables for each in table.functions]
    return len(functions), sum(len(function.rows) for function in functions)


def _lines(written: Written, output: Path, size: int) -> list[str]:
    functions, rows = _counts(written)
    address, symbols = written.section.address, written.source.symbols
    lost = sum(loss.size for loss in written.losses)
    return [
        f"{output}: {written.dialect.value} at {address:#x}, {size:,} bytes, "
        f"{functions:,} functions, {rows:,} rows",
        *(f"left out: {loss.told(symbols)}" for loss in written.losses),
        *([f"{lost:,} bytes of code no longer described"] if lost else []),
    ]


def _json(written: Written, output: Path, size: int) -> Json:
    functions, rows = _counts(written)
    return {
        "file": str(output),
        "version": written.dialect.value.removeprefix("v"),
        "address": hexadecimal(written.section.address),
        "size": size,
        "functions": functions,
        "rows": rows,
        "losses": [
            {
                "start": None if loss.start is None else hexadecimal(loss.start),
                "size": loss.size,
                "reason": loss.reason.name.lower(),
                "text": loss.told(written.source.symbols),
            }
            for loss in written.losses
        ],
    }
