"""`stackweave sframe generate`: a table for a program that has none, from its `.eh_frame`."""

import argparse
from pathlib import Path

from stackweave.core.sframe.eh_frame import generate
from stackweave.core.sframe.errors import ElfError
from stackweave.exits import Exit

from .arguments import address
from .source import open_elf
from .writing import Written, add_output, dialect_of, write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("file", metavar="FILE", type=Path, help="a linked program or library")
    parser.add_argument(
        "--address",
        type=address,
        metavar="HEX",
        help="where the table will be linked (default: at the file's own .sframe)",
    )
    add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 when the table is written, even if not all functions are in it."""
    source, dialect = open_elf(arguments.file), dialect_of(arguments)
    place = arguments.address
    if place is None and source.contents:
        place = source.address
    if place is None:
        raise ElfError(f"{source.name}: has no .sframe; say with --address where it will be")
    assert source.image is not None
    section, losses = generate(source.image, dialect, place)
    write(Written(source, dialect, section, losses), arguments.output, arguments.json)
    return Exit.CLEAN
