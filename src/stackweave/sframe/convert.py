"""`stackweave sframe convert`: a table in another version."""

import argparse

from stackweave.core.sframe.contents import read_contents
from stackweave.core.sframe.convert import convert
from stackweave.core.sframe.elf import ET_REL
from stackweave.core.sframe.errors import ElfError, SFrameError
from stackweave.exits import Exit

from .arguments import add_source
from .source import source_of
from .writing import Written, add_output, dialect_of, write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_source(parser)
    add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 when the table is written, even if not all of it could be said."""
    source, dialect = source_of(arguments), dialect_of(arguments)
    if not source.contents:
        raise ElfError(f"{source.name}: no SFrame data")
    if source.image is not None and source.image.kind == ET_REL:
        raise ElfError(f"{source.name}: an object file, whose relocations fit its own table only")
    try:
        section, losses = convert(read_contents(source.contents, source.address), dialect)
    except SFrameError as error:
        raise ElfError(f"{source.name}: {error}") from error
    write(Written(source, dialect, section, losses), arguments.output, arguments.json)
    return Exit.CLEAN
