"""The text of the matching binutils' `objdump --sframe`, and look-ups against a search through its rows.

That the rows are printed as they are there is tried in `test_sframe_dump`.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from stackweave.core.sframe.constants import PcType
from stackweave.core.sframe.module import Module
from stackweave.core.sframe.rules import SIGNAL_ENTRY

from . import checks
from .recordings import OWN, elf_path, label, module, paths

_FUNCTION = re.compile(
    r'\s+func idx \[\d+\]: pc = (0x[0-9a-f]+), size = (\d+) bytes(?:, attr = "(\w+)")?'
    r"(?:, pauth = (B key))?$"
)
_ROW = re.compile(r"\s+([0-9a-f]{16})  (.*?)\s*$")

TEXTS = paths("oracle", "*.objdump.txt.xz")


@dataclass(frozen=True, slots=True)
class Printed:
    """One function as objdump prints it."""

    pc: int
    size: int
    attributes: str
    key: str
    """Of pointer authentication, if it is not A."""
    rows: tuple[tuple[int, str], ...]
    """Start, and the columns without spaces."""


def opened(text: Path) -> Module:
    return module(elf_path(text, text.name.removesuffix(".objdump.txt.xz")))


def parsed(text: str) -> list[Printed]:
    found: list[Printed] = []
    for line in text.splitlines():
        if function := _FUNCTION.match(line):
            pc, size, attributes, key = function.groups()
            found.append(Printed(int(pc, 16), int(size), attributes or "", key or "", ()))
        elif row := _ROW.match(line):
            last = found.pop()
            entry = (int(row[1], 16), row[2].replace(" ", ""))
            found.append(replace(last, rows=(*last.rows, entry)))
    return found


def test_there_is_a_text_for_every_folder() -> None:
    assert TEXTS
    assert len(paths("oracle", "*.objdump.txt.xz", OWN)) == 42


@pytest.mark.parametrize("text", TEXTS, ids=label)
def test_look_ups_find_the_printed_row(text: Path) -> None:
    """Every address of every function, against a search through the text itself."""
    section = opened(text).sframe
    if section is None or text.name.endswith(".o.objdump.txt.xz"):
        return
    for table in section.tables:
        for index in range(len(table)):
            descriptor = table.descriptor(index)
            rows = checks.interpreted_rows(section, table, index)
            repeats = descriptor.pc_type is PcType.MASK
            for offset in range(0, descriptor.size, 1 + descriptor.size // 512):
                within = offset % descriptor.rep_size if repeats else offset
                before = [rule for row, rule in rows if row.start <= within]
                found = section.rule_at(descriptor.start + offset)
                assert (found == before[-1]) if before else found in (None, SIGNAL_ENTRY)
