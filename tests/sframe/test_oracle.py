"""Decoded rows against the text of the matching binutils' `objdump --sframe`, row by row."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from stackweave.core.sframe import SFrameSection
from stackweave.core.sframe.constants import FdeType, PcType, Version
from stackweave.core.sframe.decode import FrameRow, Table
from stackweave.core.sframe.module import Module
from stackweave.core.sframe.rules import CFA, SIGNAL_ENTRY, FrameRule, Location, RuleKind

from . import checks
from .recordings import OWN, elf_path, label, module, paths, unxz

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


def printed(section: SFrameSection, table: Table, index: int) -> Printed:
    """What objdump should print for a decoded function."""
    descriptor = table.descriptor(index)
    flexible = descriptor.fde_type is FdeType.FLEX
    base = 0 if descriptor.pc_type is PcType.MASK else descriptor.start
    rows = [
        (base + row.start, columns(section, table, row, rule, flexible))
        for row, rule in checks.interpreted_rows(section, table, index)
    ]
    attributes = "S" * descriptor.is_signal_frame + "F" * flexible
    key = "B key" * descriptor.pauth_key_b
    return Printed(descriptor.start, descriptor.size, attributes, key, tuple(rows))


def everything(section: SFrameSection) -> list[Printed]:
    return [
        printed(section, table, index) for table in section.tables for index in range(len(table))
    ]


def columns(
    section: SFrameSection, table: Table, row: FrameRow, rule: FrameRule, flexible: bool
) -> str:
    """CFA, FP and RA."""
    if rule.kind is RuleKind.OUTERMOST:
        return "RAundefined"
    names = {section.architecture.SP: "sp", section.architecture.FP: "fp", CFA: "c"}
    ra = ra_word(table, row, flexible) or spelled(rule.ra, names, flexible)
    fp = spelled(rule.fp, names, flexible) if rule.fp else "u"
    return spelled(rule.cfa, names, True) + fp + ra + "[s]" * row.mangled_ra


def ra_word(table: Table, row: FrameRow, flexible: bool) -> str:
    """How objdump says that the row has no rule for RA: fixed, unchanged or padding."""
    at = 2 if flexible else 1
    if table.header.cfa_fixed_ra_offset and not flexible:
        return "u" if table.header.version is Version.V1 else "f"
    if len(row.words) <= at:
        return "f" if table.header.cfa_fixed_ra_offset else "u"
    return "" if row.words[at] else "U"


def spelled(location: Location, names: dict[int, str], offsets: bool) -> str:
    """`sp+8`, `c-16` for saved at CFA-16, `(fp-8)` for other dereferences, `r16` for a register."""
    register = names.get(location.register, f"r{location.register}")
    if not offsets and not location.dereference:
        return register
    plain = f"{register}{location.offset:+}"
    return f"({plain})" if location.dereference and location.register != CFA else plain


def test_there_is_a_text_for_every_folder() -> None:
    assert TEXTS
    assert len(paths("oracle", "*.objdump.txt.xz", OWN)) == 42


@pytest.mark.parametrize("text", TEXTS, ids=label)
def test_rows_equal_objdumps(text: Path) -> None:
    section = opened(text).sframe
    expected = parsed(unxz(text).decode())
    got = everything(section) if section else []
    if "noshdr" in text.name:  # objdump cannot find the section; its twin's text tells
        assert expected == []
        twin = text.with_name(text.name.replace("edge-", "").replace("-noshdr", ""))
        expected = parsed(unxz(twin).decode())
    assert got == expected


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
