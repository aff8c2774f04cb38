"""`stackweave sframe dump`: every function and row, as text or as JSON.

Both are printed function by function, so the table's size does not matter.
"""

import argparse
import json
from collections.abc import Iterator
from itertools import groupby

from stackweave.core.sframe.constants import Flag
from stackweave.core.sframe.decode import FunctionDescriptor, Table
from stackweave.core.sframe.describe_functions import ReadFunction, ReadRow, read_functions
from stackweave.core.sframe.describe_objdump import function_lines, header_lines
from stackweave.core.sframe.errors import SFrameError
from stackweave.core.sframe.header import HEADER_SIZE
from stackweave.exits import Exit
from stackweave.printable import printable

from .arguments import add_source
from .showing import Json, error_json, hexadecimal, rule_json
from .source import Source, source_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_source(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """0 if all could be read, 2 if functions are damaged; what can be read is printed."""
    source = source_of(arguments)
    tables = source.section.tables
    functions = read_functions(tables, len(source.contents))
    show = _print_json if arguments.json else _print_text
    return Exit.USAGE if show(source, tables, functions) else Exit.CLEAN


def _print_text(
    source: Source, tables: tuple[Table, ...], functions: Iterator[ReadFunction]
) -> int:
    """Print as objdump does; the number of damaged functions."""
    print(f"\n{printable(source.name)}:     file format {source.file_format}\n")
    if not source.contents:
        print("No .sframe section present\n")
        return 0
    print(f"Contents of the SFrame {source.place}:")
    damaged = 0
    for table, its_functions in _by_table(tables, functions):
        for line in header_lines(table.header):
            print(line)
        for function in its_functions:
            damaged += function.is_damaged
            for line in function_lines(function):
                print(line)
    return damaged


def _print_json(
    source: Source, tables: tuple[Table, ...], functions: Iterator[ReadFunction]
) -> int:
    """Print one object, never held as one; the number of damaged functions."""
    start = {
        "file": source.name,
        "format": source.file_format,
        "address": hexadecimal(source.address),
        "size": len(source.contents),
    }
    print(json.dumps(start)[:-1] + ', "headers": [', end="")
    damaged = 0
    for number, (table, its_functions) in enumerate(_by_table(tables, functions)):
        separator = ", " if number else ""
        print(separator + json.dumps(_header_json(table))[:-1] + ', "functions": [', end="")
        for function in its_functions:
            damaged += function.is_damaged
            separator = ", " if function.index else ""
            print(separator + json.dumps(_function_json(source, function)), end="")
        print("]}", end="")
    print(f'], "damaged_functions": {damaged}}}')
    return damaged


def _by_table(
    tables: tuple[Table, ...], functions: Iterator[ReadFunction]
) -> Iterator[tuple[Table, Iterator[ReadFunction]]]:
    """Each table with its functions, also one that has none."""
    groups = groupby(functions, key=lambda function: function.table)
    for table in tables:
        yield table, next(groups)[1] if len(table) else iter(())


def _header_json(table: Table) -> Json:
    header = table.header
    auxiliary_at = header.offset + HEADER_SIZE
    return {
        "offset": header.offset,
        "version": int(header.version),
        "byte_order": "little" if header.byte_order == "<" else "big",
        "abi": header.abi.name,
        "flags": [flag.name for flag in Flag if flag in header.flags],
        "cfa_fixed_fp_offset": header.cfa_fixed_fp_offset,
        "cfa_fixed_ra_offset": header.cfa_fixed_ra_offset,
        "auxiliary": table.section[auxiliary_at : auxiliary_at + header.auxhdr_len].hex(),
        "num_fdes": header.num_fdes,
        "num_fres": header.num_fres,
        "fre_len": header.fre_len,
        "fdeoff": header.fdeoff,
        "freoff": header.freoff,
    }


def _function_json(source: Source, function: ReadFunction) -> Json:
    symbol = source.symbol(function.start)
    damage = function.damage
    return {
        "index": function.index,
        "start": hexadecimal(function.start),
        "size": function.size,
        "symbol": symbol.name if symbol else None,
        **_descriptor_json(function.descriptor),
        "rows": [_row_json(function, row) for row in function.rows],
        "damage": None if damage is None else error_json(damage),
    }


def _descriptor_json(descriptor: FunctionDescriptor | None) -> Json:
    """Nothing of one that cannot be read."""
    if descriptor is None:
        return {}
    return {
        "num_fres": descriptor.num_fres,
        "fres_at": descriptor.fres_at,
        "fre_type": descriptor.fre_type.name,
        "pc_type": descriptor.pc_type.name,
        "fde_type": descriptor.fde_type.name,
        "signal_frame": descriptor.is_signal_frame,
        "rep_size": descriptor.rep_size,
        "pauth_key": "B" if descriptor.pauth_key_b else "A",
    }


def _row_json(function: ReadFunction, read: ReadRow) -> Json:
    row, rule = read.row, read.rule
    abi = function.table.header.abi
    return {
        "offset": read.at,
        "start": row.start,
        "base": row.base.name,
        "mangled_ra": row.mangled_ra,
        "word_size": row.word_size,
        "words": row.words,
        "rule": None if isinstance(rule, SFrameError) else rule_json(abi, rule),
        "damage": error_json(rule) if isinstance(rule, SFrameError) else None,
    }
