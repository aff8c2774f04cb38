"""The ELF reader against `readelf`, and on files that are cut or strange."""

import os
import re
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from stackweave.core.sframe import ElfError, Module, SFrameError, elf
from stackweave.core.sframe.constants import PT_GNU_SFRAME
from stackweave.core.sframe.elf import (
    PT_LOAD,
    PT_NOTE,
    SHT_DYNSYM,
    SHT_NOBITS,
    SHT_NOTE,
    SHT_SYMTAB,
    ByteOrder,
    ElfImage,
    map_file,
    parse_elf,
    parse_notes,
    string_at,
)

from .recordings import OWN, elf_path, label, module, paths, unxz
from .test_cores import members

PRINTED = paths("readelf", "*.txt.xz", OWN)
AGAINST_READELF = pytest.mark.parametrize("path", PRINTED, ids=label)

_SECTION = re.compile(
    r"  \[ *\d+\] (\S*) +(\S+) +([0-9a-f]{16}) ([0-9a-f]+) ([0-9a-f]+) \w\w (.{3}) +(\d+) +\d+ +\d+$"
)
_SEGMENT = re.compile(r"  (\S+) +0x(\w+) 0x(\w{16}) 0x\w{16} 0x(\w+) 0x(\w+) ([R ][W ][E ]) \w+$")
_SYMBOL = re.compile(
    r" +\d+: ([0-9a-f]{16}) +(\w+) (\w+) +(\w+) +\w+ +(\w+) ([^\s@]*)\S*(?: \(\d+\))?$"
)
_NOTE = re.compile(r"  (\w+) +0x([0-9a-f]{8})\t")
_TYPES = {
    "section": {"SYMTAB": SHT_SYMTAB, "NOTE": SHT_NOTE, "NOBITS": SHT_NOBITS, "DYNSYM": SHT_DYNSYM},
    "segment": {"LOAD": PT_LOAD, "NOTE": PT_NOTE, "GNU_SFRAME": PT_GNU_SFRAME},
    "symbol": {"NOTYPE": 0, "OBJECT": 1, "FUNC": 2, "SECTION": 3, "FILE": 4},
}
_SECTION_FLAGS = {"W": 1, "A": 2, "X": 4}
_SEGMENT_FLAGS = {"E": 1, "W": 2, "R": 4}
_BINDINGS = {"LOCAL": 0, "GLOBAL": 1, "WEAK": 2}
_PLACES = {"UND": "0", "ABS": "65521"}


def image_of(path: Path) -> ElfImage:
    name = path.name.removesuffix(".txt.xz")
    if name.endswith(".core"):
        archive = OWN / "cores" / path.parent.name / f"{name.partition('-')[0]}.tar.xz"
        return parse_elf(members(archive)[name], name)
    return module(elf_path(path, name)).image


def printed(path: Path, line: re.Pattern[str]) -> list[tuple[str, ...]]:
    found = map(line.match, unxz(path).decode().splitlines())
    return [match.groups() for match in found if match]


def known_type(what: str, number: int) -> str:
    """What readelf calls the types that we know."""
    return next((name for name, known in _TYPES[what].items() if known == number), "")


def flags(letters: dict[str, int], number: int) -> set[str]:
    return {letter for letter, bit in letters.items() if number & bit}


def test_the_texts_are_there() -> None:
    assert len(PRINTED) == 8


@AGAINST_READELF
def test_sections_equal_readelfs(path: Path) -> None:
    image = image_of(path)
    rows = printed(path, _SECTION)
    assert (len(image.sections), image.missing) == (len(rows), ())
    for section, (name, kind, address, offset, size, letters, link) in zip(
        image.sections, rows, strict=True
    ):
        assert section.name.decode() == name
        assert known_type("section", section.type) == (kind if kind in _TYPES["section"] else "")
        assert flags(_SECTION_FLAGS, section.flags) == set(letters) & _SECTION_FLAGS.keys()
        assert [section.address, section.offset, section.size] == [
            int(number, 16) for number in (address, offset, size)
        ]
        assert section.link == int(link)


@AGAINST_READELF
def test_segments_equal_readelfs(path: Path) -> None:
    segments, rows = image_of(path).segments, printed(path, _SEGMENT)
    assert bool(segments) == (".o." not in path.name)
    for segment, (kind, *numbers, letters) in zip(segments, rows, strict=True):
        assert known_type("segment", segment.type) == (kind if kind in _TYPES["segment"] else "")
        assert flags(_SEGMENT_FLAGS, segment.flags) == set(letters) - {" "}
        assert [segment.offset, segment.address, segment.file_size, segment.memory_size] == [
            int(number, 16) for number in numbers
        ]


@AGAINST_READELF
def test_symbols_equal_readelfs(path: Path) -> None:
    """Names are compared up to the version, which readelf spells its own way."""
    image = image_of(path)
    rows = iter(printed(path, _SYMBOL))
    for table in (s for s in image.sections if s.type in (SHT_SYMTAB, SHT_DYNSYM)):
        strings = image.sections[table.link]
        names = image.contents(strings.offset, strings.size)
        for entry in image.symbols(table):
            address, size, kind, binding, place, name = next(rows)
            assert (entry.address, entry.size) == (int(address, 16), int(size, 0))
            assert known_type("symbol", entry.type) == kind
            assert (entry.binding, entry.section) == (
                _BINDINGS[binding],
                int(_PLACES.get(place, place)),
            )
            if kind != "SECTION":
                assert string_at(names, entry.name_at).decode().partition("@")[0] == name
    assert list(rows) == []


@AGAINST_READELF
def test_notes_equal_readelfs(path: Path) -> None:
    image = image_of(path)
    expected = [(owner, int(size, 16)) for owner, size in printed(path, _NOTE)]
    assert [(n.owner.decode(), len(n.contents)) for n in image.notes()] == expected
    build_ids = re.findall(r"Build ID: (\w+)", unxz(path).decode())
    if build_ids:
        assert [n.contents.hex() for n in image.notes() if n.type == 3] == build_ids


def test_symbols_are_found_by_address() -> None:
    symbols = module(OWN / "elf" / "v3" / "recur.xz").symbols
    for address, name in ((0x10C0, "main"), (0x11C0, "main"), (0x1300, "leaf"), (0x1344, "leaf")):
        found = symbols.find(address)
        assert found is not None
        assert found.name == name
    assert symbols.find(0x11C1) is None
    assert symbols.find(0) is None


def test_pyelftools_waits_for_the_first_file() -> None:
    program = (
        "import sys, stackweave.unwind; from stackweave.core.sframe import packed;"
        "assert 'elftools' not in sys.modules;"
        "packed.load('mini-v3'); assert 'elftools' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_segment_serves_when_section_headers_are_stripped() -> None:
    whole = Module.parse(unxz(OWN / "elf" / "v3" / "recur.xz"), "recur")
    stripped = Module.parse(unxz(OWN / "elf" / "v3" / "edge-recur-noshdr.xz"), "recur")
    assert stripped.image.sections == ()
    assert whole.sframe is not None
    assert stripped.sframe is not None
    addresses = range(0x1000, 0x1700)
    assert [whole.sframe.rule_at(a) for a in addresses] == [
        stripped.sframe.rule_at(a) for a in addresses
    ]
    assert stripped.symbols.find(0x1380) is None


@pytest.mark.parametrize("name", ["edge-empty.o", "edge-zerosize.o"])
def test_files_with_nothing_to_unwind(name: str) -> None:
    module = Module.parse(unxz(OWN / "elf" / "v3" / f"{name}.xz"), name)
    assert module.sframe is None or module.sframe.rule_at(0x1C) is None


def test_a_debug_file_has_no_bytes() -> None:
    """`objcopy --only-keep-debug` leaves a NOBITS section; the segment is not asked then."""
    image = parse_elf(unxz(OWN / "elf" / "v3" / "recur.xz"), "recur")
    (found,) = (s for s in image.sections if s.name == b".sframe")
    at = image.data.find(struct.pack("<QQQQ", found.flags, found.address, found.offset, found.size))
    data = bytearray(image.data)
    data[at - 4 : at] = SHT_NOBITS.to_bytes(4, "little")
    assert any(segment.type == PT_GNU_SFRAME for segment in image.segments)
    assert Module.parse(bytes(data), "recur").sframe is None


@pytest.mark.parametrize("length", [1, 15, 63, 64, 65, 1000, 9000, 14000])
def test_cut_files_say_what_is_missing(length: int) -> None:
    data = unxz(OWN / "elf" / "v3" / "recur.xz")[:length]
    if length < 64:
        with pytest.raises(ElfError):
            parse_elf(data, "recur")
        return
    assert parse_elf(data, "recur").missing
    with suppress(SFrameError):
        assert Module.parse(data, "recur").symbols.find(0) is None


def test_what_pyelftools_refuses_is_an_elf_error() -> None:
    with pytest.raises(ElfError, match="expected 1, found 0"):
        elf._decode(elf._structs("little").Elf_Ehdr, b"\x7fELF\2")


def test_huge_counts_cost_nothing() -> None:
    head = b"\x7fELF\2\1\1".ljust(16, b"\0")
    fields = (4, 62, 1, 0, 64, 1 << 62, 0, 64, 56, 0xFFFF, 64, 0, 0)
    image = parse_elf(head + struct.pack("<HHIQQQIHHHHHH", *fields), "core")
    assert (image.segments, image.sections) == ((), ())
    assert len(image.missing) == 2


def test_cut_notes_end_the_walk() -> None:
    note = struct.pack("<III4s", 4, 5, 7, b"GNU\0") + b"abcde\0\0\0"
    assert [n.contents for n in parse_notes(note * 2)] == [b"abcde"] * 2
    assert [n.contents for n in parse_notes(note + note[:18])] == [b"abcde"]
    assert list(parse_notes(struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, 1))) == []


@pytest.mark.parametrize("name", ["", "missing", "pipe"])
def test_what_is_no_regular_file_is_refused(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ElfError):
        map_file(tmp_path / name)


@pytest.mark.parametrize(("machine", "order"), [(40, "little"), (62, "big"), (22, "little")])
def test_modules_must_be_of_a_known_machine(machine: int, order: ByteOrder) -> None:
    image = ElfImage("other", b"", 3, machine, (), (), (), order)
    with pytest.raises(ElfError, match=f"machine {machine}, {order}-endian, is not AMD64"):
        Module(image)


def test_modules_must_be_programs() -> None:
    with pytest.raises(ElfError, match="a core"):
        Module(ElfImage("core", b"", 4, 62, (), (), ()))
