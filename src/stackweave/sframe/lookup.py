"""`stackweave sframe lookup`: what holds at an address, or why nothing does."""

import argparse
import json
from bisect import bisect_right
from dataclasses import dataclass

from stackweave.core.sframe.constants import Abi, PcType
from stackweave.core.sframe.decode import FrameRow
from stackweave.core.sframe.describe_coverage import code_extents
from stackweave.core.sframe.describe_rules import equations
from stackweave.core.sframe.errors import SFrameError
from stackweave.core.sframe.lookup import FunctionRows
from stackweave.core.sframe.rules import FrameRule
from stackweave.exits import Exit
from stackweave.printable import printable

from .arguments import add_source, address
from .showing import Json, error_json, hexadecimal, rule_json
from .source import Source, source_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_source(parser)
    parser.add_argument(
        "addresses", metavar="ADDRESS", type=address, nargs="+", help="hexadecimal, as linked"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """0 if all was readable, also where nothing is described; 2 if damage was in the way."""
    source = source_of(arguments)
    finder = _Finder(source)
    answers = [finder.answer(each) for each in arguments.addresses]
    if arguments.json:
        found = [_json(source, answer) for answer in answers]
        print(json.dumps({"file": source.name, "addresses": found}))
    else:
        print("\n\n".join("\n".join(map(printable, _lines(source, each))) for each in answers))
    return Exit.USAGE if any(answer.damage for answer in answers) else Exit.CLEAN


@dataclass(frozen=True, slots=True)
class _Answer:
    address: int
    function: FunctionRows | None = None
    row: FrameRow | None = None
    rule: FrameRule | None = None
    why: str = ""
    """There is no rule: the reason."""
    damage: SFrameError | None = None

    @property
    def abi(self) -> Abi:
        """Of an answer that has a rule."""
        assert self.function is not None
        return self.function.table.header.abi


class _Finder:
    """Answers about one source."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._section = source.section
        self._extents = sorted(
            (start, start + size)
            for table in self._section.tables
            for start, size in zip(table.starts, table.sizes, strict=True)
            if size
        )

    def answer(self, address: int) -> _Answer:
        try:
            function = self._section.function_at(address)
            rule = self._section.rule_at(address)
        except SFrameError as error:
            return _Answer(address, why=str(error), damage=error)
        if function is None:
            return _Answer(address, why=self._why_no_function(address))
        row = function.row_at(address)
        why = "" if rule else _why_no_rule(function, row)
        return _Answer(address, function, row, rule, why)

    def _why_no_function(self, address: int) -> str:
        if not self._source.contents:
            return "the file has no SFrame data"
        if not self._extents:
            return "the table has no functions"
        code = [] if self._source.image is None else code_extents(self._source.image)
        if code and not any(start <= address < start + size for _, start, size in code):
            return "not in an executable section"
        found = bisect_right(self._extents, (address, 1 << 64))
        if not found:
            return f"the first function begins at {hexadecimal(self._extents[0][0])}"
        before = f"the function before ends at {hexadecimal(self._extents[found - 1][1])}"
        if found == len(self._extents):
            return f"{before}, and it is the last"
        return f"{before}, the next begins at {hexadecimal(self._extents[found][0])}"


def _why_no_rule(function: FunctionRows, row: FrameRow | None) -> str:
    if not function.places:
        return "the function has no rows"
    assert row is None
    return f"the function's first row begins {function.starts[0]:#x} bytes into it"


def _lines(source: Source, answer: _Answer) -> list[str]:
    symbol = source.symbol(answer.address)
    name = f" {symbol.name}+{answer.address - symbol.address:#x}" if symbol else ""
    lines = [f"{answer.address:#x}{name}"]
    if answer.function is not None:
        descriptor = answer.function.descriptor
        start = hexadecimal(descriptor.start)
        repeats = f", repeats every {descriptor.rep_size} bytes"
        lines.append(
            f"  function {start}, {descriptor.size} bytes"
            + repeats * (descriptor.pc_type is PcType.MASK)
        )
    if answer.row is not None:
        lines.append(f"  row from {answer.row.start:#x} on")
    if answer.rule is not None:
        lines.append(f"  {equations(answer.abi, answer.rule)}")
    else:
        lines.append(f"  no rule: {answer.why}")
    return lines


def _json(source: Source, answer: _Answer) -> Json:
    symbol = source.symbol(answer.address)
    function = answer.function
    return {
        "address": hexadecimal(answer.address),
        "symbol": symbol.name if symbol else None,
        "symbol_offset": answer.address - symbol.address if symbol else None,
        "function": None if function is None else hexadecimal(function.descriptor.start),
        "function_size": None if function is None else function.descriptor.size,
        "row": None if answer.row is None else answer.row.start,
        "rule": rule_json(answer.abi, answer.rule) if answer.rule else None,
        "why": answer.why or None,
        "damage": None if answer.damage is None else error_json(answer.damage),
    }
