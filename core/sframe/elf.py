"""ELF headers, tables, symbols and notes as plain checked values.

pyelftools knows the layouts, and only this module knows pyelftools. Its `ELFFile` is not used:
the walks there believe every count, offset, link and string without an end, so a cut core stops
them with one of a dozen exceptions. Here each table is cut to what the file holds, with the rest
named in `missing`, and then pyelftools decodes row after row, each wholly there. Time and memory
are thus bounded by the file's size.

Notes are walked here as well: pyelftools decodes their contents by type alone, whoever owns
them, and fails on cores that hold a GNU note (its issue 656).

Data are slices of a buffer, and a file is mapped, never read whole. pyelftools is imported when
the first file is opened: it takes about 10 ms more.
"""

import mmap
import os
import stat
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from stackweave.core.sframe.errors import ElfError

if TYPE_CHECKING:
    from elftools.construct import Construct
    from elftools.elf.structs import ELFStructs

ET_REL: Final = 1
ET_CORE: Final = 4
EM_S390: Final = 22
EM_X86_64: Final = 62
EM_AARCH64: Final = 183
PT_LOAD: Final = 1
PT_NOTE: Final = 4
PF_X: Final = 1
PF_W: Final = 2
SHT_SYMTAB: Final = 2
SHT_RELA: Final = 4
SHT_NOTE: Final = 7
SHT_NOBITS: Final = 8
SHT_DYNSYM: Final = 11
SHF_EXECINSTR: Final = 4
LONGEST_NAME: Final = 1 << 12
"""Bytes of a function's name: C++ has long ones."""

_HEADER_SIZE: Final = 64
_PN_XNUM: Final = 0xFFFF
_NAME_LIMIT: Final = 256
_NT_GNU_BUILD_ID: Final = 3

Buffer = bytes | mmap.mmap
ByteOrder = Literal["little", "big"]
_BYTE_ORDERS: Final[Mapping[bytes, ByteOrder]] = {b"\1": "little", b"\2": "big"}
_Row = Mapping[str, Any]
"""One decoded row: a number, a nested row or, where pyelftools knows one, a number's name."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A program header."""

    type: int
    flags: int
    offset: int
    address: int
    file_size: int
    memory_size: int


@dataclass(frozen=True, slots=True)
class Section:
    """A section header."""

    name: bytes
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    """Index of the section that belongs to it, such as the string table of symbols."""
    info: int
    """For relocations: index of the section that they change."""


@dataclass(frozen=True, slots=True)
class SymbolEntry:
    """A row of a symbol table."""

    name_at: int
    """Offset of the name in the string table."""
    address: int
    size: int
    type: int
    binding: int
    section: int
    """Index of the section that holds it, or one of the reserved numbers."""


@dataclass(frozen=True, slots=True)
class RelocationEntry:
    """A row of a table of relocations with addends."""

    offset: int
    """In object files: bytes from the beginning of the changed section."""
    symbol: int
    """Index in the symbol table."""
    type: int
    """What it means depends on the machine."""
    addend: int


@dataclass(frozen=True, slots=True)
class Note:
    """One note; only owner and type together say what it is."""

    owner: bytes
    type: int
    contents: bytes


@dataclass(frozen=True, slots=True)
class ElfImage:
    """The tables of a 64-bit ELF file over its bytes."""

    name: str
    data: Buffer
    kind: int
    """e_type."""
    machine: int
    """e_machine."""
    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]
    missing: tuple[str, ...]
    """What the header promises but the bytes do not hold."""
    byte_order: ByteOrder = "little"

    def contents(self, offset: int, size: int) -> bytes:
        """The file's bytes there; fewer if the file ends before."""
        return bytes(self.data[offset : offset + size])

    def symbols(self, table: Section) -> Iterator[SymbolEntry]:
        """The rows of a symbol table that lie wholly in the file."""
        from elftools.elf import enums

        layout = _structs(self.byte_order).Elf_Sym
        size = layout.sizeof()
        for row in _rows(self.data, layout, table.offset, size, table.size // size):
            yield SymbolEntry(
                row["st_name"],
                row["st_value"],
                row["st_size"],
                _number(enums.ENUM_ST_INFO_TYPE, row["st_info"]["type"]),
                _number(enums.ENUM_ST_INFO_BIND, row["st_info"]["bind"]),
                _number(enums.ENUM_ST_SHNDX, row["st_shndx"]),
            )

    def relocations(self, table: Section) -> Iterator[RelocationEntry]:
        """The rows of a SHT_RELA table that lie wholly in the file."""
        layout = _structs(self.byte_order).Elf_Rela
        size = layout.sizeof()
        for row in _rows(self.data, layout, table.offset, size, table.size // size):
            yield RelocationEntry(
                row["r_offset"], row["r_info_sym"], row["r_info_type"], row["r_addend"]
            )

    def notes(self) -> Iterator[Note]:
        """The notes of all note segments, or of the note sections if there are no segments."""
        ranges = [(s.offset, s.file_size) for s in self.segments if s.type == PT_NOTE]
        if not self.segments:
            ranges = [(s.offset, s.size) for s in self.sections if s.type == SHT_NOTE]
        end = 0
        for offset, size in sorted(ranges):
            if offset >= end:  # a hostile file may name the same bytes thousands of times
                yield from parse_notes(self.contents(offset, size), self.byte_order)
                end = offset + size


def parse_notes(data: bytes, byte_order: ByteOrder = "little") -> Iterator[Note]:
    """Walk notes with 4-byte padding, as Linux writes them; a cut note ends the walk."""
    head = struct.Struct("<III" if byte_order == "little" else ">III")
    at = 0
    while at + head.size <= len(data):
        name_size, size, kind = head.unpack_from(data, at)
        name_at = at + head.size
        contents_at = name_at + (name_size + 3 & ~3)
        at = contents_at + (size + 3 & ~3)
        if contents_at + size > len(data):
            return
        owner = data[name_at : name_at + name_size].rstrip(b"\0")
        yield Note(owner, kind, data[contents_at : contents_at + size])


def map_file(path: Path) -> Buffer:
    """The file's bytes, mapped; raises `ElfError` for what is not a readable regular file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        raise ElfError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ElfError(f"{path}: not a regular file")
        if not status.st_size:
            raise ElfError(f"{path}: empty file")
        return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise ElfError(f"{path}: {error.strerror}") from error
    finally:
        os.close(descriptor)


def parse_elf(data: Buffer, name: str) -> ElfImage:
    """Read the header and both tables; raises `ElfError` if the header itself is unusable."""
    from elftools.elf import enums

    byte_order = _byte_order(data, name)
    structs = _structs(byte_order)
    header = _decode(structs.Elf_Ehdr, bytes(data[: structs.Elf_Ehdr.sizeof()]))
    segment_count, section_count = _counts(data, header, structs)
    phoff, phentsize = header["e_phoff"], header["e_phentsize"]
    segments = tuple(
        Segment(
            _number(enums.ENUM_P_TYPE_BASE, row["p_type"]),
            *(row[f"p_{field}"] for field in ("flags", "offset", "vaddr", "filesz", "memsz")),
        )
        for row in _rows(data, structs.Elf_Phdr, phoff, phentsize, segment_count)
    )
    shoff, shentsize = header["e_shoff"], header["e_shentsize"]
    rows = tuple(_rows(data, structs.Elf_Shdr, shoff, shentsize, section_count))
    names = _section_names(data, rows, header["e_shstrndx"])
    sections = tuple(
        Section(
            section_name,
            _number(enums.ENUM_SH_TYPE_AMD64, row["sh_type"]),
            *(row[f"sh_{field}"] for field in ("flags", "addr", "offset", "size", "link", "info")),
        )
        for section_name, row in zip(names, rows, strict=True)
    )
    counts = (("segment", len(segments), segment_count), ("section", len(rows), section_count))
    return ElfImage(
        name,
        data,
        _number(enums.ENUM_E_TYPE, header["e_type"]),
        _number(enums.ENUM_E_MACHINE, header["e_machine"]),
        segments,
        sections,
        tuple(f"{n - found} of {n} {what} headers" for what, found, n in counts if found < n),
        byte_order,
    )


def build_id(image: ElfImage) -> bytes | None:
    """The linker's build id, or None."""
    for note in image.notes():
        if note.owner == b"GNU" and note.type == _NT_GNU_BUILD_ID:
            return note.contents
    return None


def string_at(strings: bytes, at: int, limit: int = _NAME_LIMIT) -> bytes:
    """The zero-terminated string at `at` of a string table; cut at a sane length."""
    end = strings.find(b"\0", at, at + limit)
    return strings[at : end if end >= 0 else at + limit]


@cache
def _structs(byte_order: ByteOrder) -> "ELFStructs":
    """pyelftools' layouts; the machine gives only names to numbers, and one set will do."""
    from elftools.elf.structs import ELFStructs

    structs = ELFStructs(little_endian=byte_order == "little", elfclass=64)
    structs.create_basic_structs()
    structs.create_advanced_structs(e_machine="EM_X86_64")
    return structs


def _byte_order(data: Buffer, name: str) -> ByteOrder:
    """From the first bytes of the header, which must be there wholly."""
    head = bytes(data[:_HEADER_SIZE])
    if head[:4] != b"\x7fELF":
        raise ElfError(f"{name}: not an ELF file")
    if head[4:5] != b"\2" or head[5:6] not in _BYTE_ORDERS or len(head) < _HEADER_SIZE:
        raise ElfError(f"{name}: not a complete 64-bit ELF file")
    return _BYTE_ORDERS[head[5:6]]


def _counts(data: Buffer, header: _Row, structs: "ELFStructs") -> tuple[int, int]:
    """How many segments and sections there should be.

    The first section header holds what the file header has no room for.
    """
    segments, sections, shoff = header["e_phnum"], header["e_shnum"], header["e_shoff"]
    if not shoff:
        return segments, 0
    first = next(_rows(data, structs.Elf_Shdr, shoff, header["e_shentsize"], 1), None)
    if first is None:
        return segments, sections or 1
    return (first["sh_info"] if segments == _PN_XNUM else segments), sections or first["sh_size"]


def _rows(
    data: Buffer, layout: "Construct", offset: int, entry_size: int, count: int
) -> Iterator[_Row]:
    """The table's rows that lie wholly in the file."""
    size = layout.sizeof()
    if entry_size >= size:
        end = min(offset + count * entry_size, len(data) - size + 1)
        for at in range(offset, end, entry_size):
            yield _decode(layout, data[at : at + size])


def _decode(layout: "Construct", row: bytes) -> _Row:
    """The one call of pyelftools that meets a file's bytes: as many as the layout has."""
    from elftools.construct import ConstructError

    try:
        decoded: _Row = layout.parse(row)
    except ConstructError as error:
        raise ElfError(f"damaged ELF file: {error}") from error
    return decoded


def _number(names: Mapping[str, int], value: int | str) -> int:
    """The number that the file holds; which ones pyelftools has a name for depends on its version."""
    return value if isinstance(value, int) else names[value]


def _section_names(data: Buffer, rows: Sequence[_Row], index: int) -> list[bytes]:
    if index >= len(rows) or rows[index]["sh_type"] == "SHT_NOBITS":
        return [b""] * len(rows)
    offset, size = rows[index]["sh_offset"], rows[index]["sh_size"]
    strings = bytes(data[offset : offset + size])
    return [string_at(strings, row["sh_name"]) for row in rows]
