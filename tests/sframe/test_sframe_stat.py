"""`stackweave sframe stat`: its figures against objdump's text, sets of addresses, and hand-made sections."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from stackweave.core.sframe.decode import parse_section
from stackweave.core.sframe.describe_coverage import AddressSet, coverage
from stackweave.core.sframe.describe_statistics import statistics
from stackweave.core.sframe.elf import SHF_EXECINSTR

from .commands import Commands
from .recordings import OWN, elf_path, label, paths, unxz
from .sections import FLEX, MASK, SIGNAL, Function, row, section
from .test_oracle import parsed
from .twins import ADDRESS, SOUND, image, table
from .written import elf_image

TEXTS = [path for path in paths("oracle", "*.objdump.txt.xz") if "edge" not in path.name]


@pytest.mark.parametrize("text", TEXTS, ids=label)
def test_figures_are_those_of_objdumps_text(text: Path, sframe: Commands) -> None:
    name = text.name.removesuffix(".objdump.txt.xz")
    expected = parsed(unxz(text).decode())
    (printed,) = sframe.json("stat", sframe.file(name, unxz(elf_path(text, name))))["files"]
    rows = [columns for function in expected for _, columns in function.rows]
    assert (printed["functions"], printed["rows"]) == (len(expected), len(rows))
    assert sum(printed["rules"].values()) == len(rows)
    assert printed["rules"].get("RA undefined", 0) == rows.count("RAundefined")
    assert printed["flexible"] == sum("F" in function.attributes for function in expected)
    assert printed["signal"] == sum("S" in function.attributes for function in expected)
    assert printed["without_rows"] == sum(not function.rows for function in expected)
    assert printed["damaged"] == 0


@pytest.mark.parametrize(
    "name", ["v1/recur", "v2/zt", "v3/recur", "v3-aarch64/mini-O2", "llvm/recur"]
)
def test_coverage_is_that_of_the_addresses_one_by_one(name: str, sframe: Commands) -> None:
    (printed,) = sframe.json("stat", sframe.elf(name))["files"]
    found = elf_image(OWN / "elf" / f"{name}.xz")
    text = unxz(OWN / "oracle" / f"{name}.objdump.txt.xz").decode()
    described = {pc for each in parsed(text) for pc in range(each.pc, each.pc + each.size)}
    code = [section for section in found.sections if section.flags & SHF_EXECINSTR]
    assert [each["section"].encode() for each in printed["code"]] == [each.name for each in code]
    for section_, each in zip(code, printed["code"], strict=True):
        own = range(section_.address, section_.address + section_.size)
        assert (each["size"], each["described"]) == (len(own), len(described & set(own)))
    sizes = {each.name.decode(): each.size for each in found.sections}
    names = [n for n in (".sframe", ".eh_frame", ".eh_frame_hdr") if n in sizes]
    assert printed["sizes"] == {n: sizes[n] for n in names}
    others = sum(sizes[n] for n in names[1:])
    assert printed["ratio"] == pytest.approx(sizes[".sframe"] / others)


def test_sets_of_addresses() -> None:
    """Against Python's own sets: extents that touch, overlap, contain one another, are empty."""
    extents = [(5, 9), (9, 12), (20, 30), (22, 25), (28, 33), (40, 40), (-4, -1)]
    own = {address for low, high in extents for address in range(low, high)}
    made = AddressSet(extents)
    for low in range(-6, 45):
        for high in range(low, 45):
            assert made.count(low, high) == len(own & set(range(low, high)))


def test_what_is_described_twice_counts_once() -> None:
    tables = parse_section(table(SOUND, replace(SOUND, start=0x1008)), ADDRESS)
    (each,) = coverage(image(text=(0x1000, 64)), tables)
    assert each.described == 24


def test_each_kind_is_counted() -> None:
    data = section(
        Function(0x1000, 16, (row(0, 8), row(4, 16, -16, width=2))),
        Function(0x2000, 16, (row(0, 81, 0, width=1),), SIGNAL, FLEX),
        Function(0x3000, 16, (row(0, 8),), MASK, 0, 8),
        Function(0x4000, 16),
        Function(0x5000, 16, (row(0, 8), row(0, 8))),
    )
    figures = statistics(parse_section(data, 0), len(data))
    kinds = (figures.flexible, figures.repeating, figures.signal, figures.without_rows)
    assert (figures.functions, *kinds, figures.damaged) == (5, 1, 1, 1, 1, 1)
    assert figures.rows == 5
    assert figures.row_bytes == Counter({3: 3, 4: 1, 6: 1})
    assert figures.start_bytes == Counter({1: 5})
    assert figures.word_bytes == Counter({1: 4, 2: 1})
    assert figures.rules == Counter(
        {
            "CFA = rsp + n; RA = *(CFA + n); rbp unchanged": 3,
            "CFA = rsp + n; RA = *(CFA + n); rbp = *(CFA + n)": 1,
            "CFA = r10; RA = *(CFA + n); rbp unchanged (signal trampoline)": 1,
        }
    )


RECUR = """\
recur: V3

.init                     23 bytes, 0 described (0.0%)
.plt                      96 bytes, 96 described (100.0%)
.plt.got                   8 bytes, 8 described (100.0%)
.text                  1,524 bytes, 1,189 described (78.0%)
.fini                      9 bytes, 0 described (0.0%)
all                    1,660 bytes, 1,293 described (77.9%)
.sframe                  580 bytes
.eh_frame                576 bytes
.eh_frame_hdr            132 bytes
.sframe is 81.9% of .eh_frame and .eh_frame_hdr

15 functions: 0 flexible, 2 repeating, 0 of signals, 0 without rows, 0 damaged
67 rows; bytes 3: 40, 4: 19, 5: 7, 6: 1
  of the start 1: 56, 2: 11
  of a word 1: 60, 2: 6, 4: 1
          51  CFA = rsp + n; RA = *(CFA + n); rbp unchanged
          16  CFA = rsp + n; RA = *(CFA + n); rbp = *(CFA + n)
"""


def test_the_text(sframe: Commands) -> None:
    assert sframe("stat", sframe.elf("v3/recur")) == RECUR
    both = sframe("stat", sframe.elf("v3/recur"), sframe.elf("v3/recur.o"))
    assert both.startswith(
        RECUR + "\nrecur.o: V3\n\ncoverage unknown: no code that has addresses\n"
    )


def test_files_without_data_or_headers(sframe: Commands) -> None:
    stripped, empty = sframe.json(
        "stat", sframe.elf("v3/edge-recur-noshdr"), sframe.elf("v3/edge-empty.o")
    )["files"]
    assert [each["section"] for each in stripped["code"]] == ["PT_LOAD"]
    assert (stripped["code"][0]["described"], stripped["sizes"], stripped["ratio"]) == (
        1293,
        {},
        None,
    )
    assert (empty["versions"], empty["functions"], empty["code"]) == ([], 0, [])


def test_damage_is_counted_and_is_2(sframe: Commands) -> None:
    data = bytearray(unxz(OWN / "elf/v3/mini-O2.xz"))
    at = data.index(b"\xe2\xde\3")
    data[at + 28 + 12] = 0xFF  # the first function's rows are elsewhere
    (printed,) = sframe.json("stat", sframe.file("damaged", bytes(data)), code=2)["files"]
    assert (printed["functions"], printed["damaged"]) == (28, 1)
    assert sframe("stat", sframe.folder / "nothing", code=2) == ""
