"""What several subcommands take: a file and how to read it, addresses."""

import argparse
from pathlib import Path


def add_source(parser: argparse.ArgumentParser) -> None:
    """One file, and how to read it."""
    parser.add_argument("file", metavar="FILE", type=Path, help="a program, library or object file")
    parser.add_argument(
        "--raw", action="store_true", help="FILE holds the bytes of a section and nothing else"
    )
    parser.add_argument(
        "--address", type=address, metavar="HEX", default=0, help="with --raw: where it is linked"
    )


def address(text: str) -> int:
    """A hexadecimal address of the command line, with or without 0x."""
    try:
        number = int(text, 16)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no hexadecimal address") from None
    if not 0 <= number < 1 << 64:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 2**64 - 1")
    return number
