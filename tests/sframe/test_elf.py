"""The ELF reader against pyelftools, and on files that are cut or strange."""

import io
import os
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import NoteSection, SymbolTableSection
from elftools.elf.segments import NoteSegment

from stackweave.core.sframe import ElfError, Module, SFrameError
from stackweave.core.sframe.constants import PT_GNU_SFRAME
from stackweave.core.sframe.elf import SHT_NOBITS, ElfImage, map_file, parse_elf, parse_notes

from .recordings import DATA, label, only_own, paths, unxz
from .test_cores import ARCHIVES, members

FILES = paths("elf", "*.xz")


@pytest.mark.parametrize("path", FILES, ids=label)
def test_tables_equal_pyelftools(path: Path) -> None:
    data = unxz(path)
    image = parse_elf(data, path.name)
    reference = ELFFile(io.BytesIO(data))
    assert (image.kind, image.machine, image.missing) == (*struct.unpack_from("<HH", data, 16), ())
    assert [
        (s.name.decode(), s.flags, s.address, s.offset, s.size, s.link) for s in image.sections
    ] == [
        (s.name, s["sh_flags"], s["sh_addr"], s["sh_offset"], s["sh_size"], s["sh_link"])
        for s in reference.iter_sections()
    ]
    assert [(s.flags, s.offset, s.address, s.file_size, s.memory_size) for s in image.segments] == [
        (s["p_flags"], s["p_offset"], s["p_vaddr"], s["p_filesz"], s["p_memsz"])
        for s in reference.iter_segments()
    ]


@pytest.mark.parametrize("path", FILES, ids=label)
def test_symbols_equal_pyelftools(path: Path) -> None:
    data = unxz(path)
    module = Module.parse(data, path.name)
    table = ELFFile(io.BytesIO(data)).get_section_by_name(".symtab")
    if module.image.kind == 1 or not isinstance(table, SymbolTableSection):
        return
    checked = 0
    for symbol in table.iter_symbols():
        if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_shndx"] != "SHN_UNDEF":
            found = module.symbols.find(symbol["st_value"])
            assert found is not None
            assert found.address == symbol["st_value"]
            checked += 1
    assert checked


@pytest.mark.parametrize("path", FILES, ids=label)
def test_build_ids_equal_pyelftools(path: Path) -> None:
    data = unxz(path)
    section = ELFFile(io.BytesIO(data)).get_section_by_name(".note.gnu.build-id")
    if isinstance(section, NoteSection):
        (note,) = section.iter_notes()
        build_id = Module.parse(data, path.name).build_id
        assert build_id is not None
        assert build_id.hex() == note["n_desc"]


def test_core_segments_and_notes_equal_pyelftools() -> None:
    for archive in ARCHIVES:
        for name, data in members(archive).items():
            if not name.endswith(".core"):
                continue
            image = parse_elf(data, name)
            reference = ELFFile(io.BytesIO(data))
            (notes,) = (s for s in reference.iter_segments() if isinstance(s, NoteSegment))
            expected = [(n["n_name"], n["n_descsz"]) for n in notes.iter_notes()]
            got = [(n.owner.decode(), len(n.contents)) for n in image.notes()]
            assert got == expected
            assert len(image.segments) == reference.num_segments()


@only_own
def test_the_segment_serves_when_section_headers_are_stripped() -> None:
    whole = Module.parse(unxz(DATA / "elf" / "v3" / "recur.xz"), "recur")
    stripped = Module.parse(unxz(DATA / "elf" / "v3" / "edge-recur-noshdr.xz"), "recur")
    assert stripped.image.sections == ()
    assert whole.sframe is not None
    assert stripped.sframe is not None
    addresses = range(0x1000, 0x1700)
    assert [whole.sframe.rule_at(a) for a in addresses] == [
        stripped.sframe.rule_at(a) for a in addresses
    ]
    assert stripped.symbols.find(0x1380) is None


@only_own
@pytest.mark.parametrize("name", ["edge-empty.o", "edge-zerosize.o"])
def test_files_with_nothing_to_unwind(name: str) -> None:
    module = Module.parse(unxz(DATA / "elf" / "v3" / f"{name}.xz"), name)
    assert module.sframe is None or module.sframe.rule_at(0x1C) is None


@only_own
def test_a_debug_file_has_no_bytes() -> None:
    """`objcopy --only-keep-debug` leaves a NOBITS section; the segment is not asked then."""
    image = parse_elf(unxz(DATA / "elf" / "v3" / "recur.xz"), "recur")
    (found,) = (s for s in image.sections if s.name == b".sframe")
    at = image.data.find(struct.pack("<QQQQ", found.flags, found.address, found.offset, found.size))
    data = bytearray(image.data)
    data[at - 4 : at] = SHT_NOBITS.to_bytes(4, "little")
    assert any(segment.type == PT_GNU_SFRAME for segment in image.segments)
    assert Module.parse(bytes(data), "recur").sframe is None


@only_own
@pytest.mark.parametrize("length", [1, 15, 63, 64, 65, 1000, 9000, 14000])
def test_cut_files_say_what_is_missing(length: int) -> None:
    data = unxz(DATA / "elf" / "v3" / "recur.xz")[:length]
    if length < 64:
        with pytest.raises(ElfError):
            parse_elf(data, "recur")
        return
    assert parse_elf(data, "recur").missing
    with suppress(SFrameError):
        assert Module.parse(data, "recur").symbols.find(0) is None


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


def test_modules_must_be_amd64_programs() -> None:
    image = ElfImage("arm", b"", 3, 183, (), (), ())
    with pytest.raises(ElfError, match="machine 183 is not AMD64"):
        Module(image)
    with pytest.raises(ElfError, match="a core"):
        Module(ElfImage("core", b"", 4, 62, (), (), ()))
