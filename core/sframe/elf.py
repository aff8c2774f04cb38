"""The few parts of ELF that unwinding needs, as plain checked values.

Three fixed layouts (header, program header, section header) and notes are all it takes, and
they are read here rather than with pyelftools, whose walks trust counts and offsets: a cut
core ends them with an exception, a hostile file in a loop. Every table is compared with the
file's real size; one that lies outside is left out and named in `missing`. Data are slices of
a buffer, and a file is mapped, never read whole. The tests compare the result with pyelftools.
"""

import mmap
import os
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stackweave.core.sframe.errors import ElfError

ET_CORE: Final = 4
EM_X86_64: Final = 62
PT_LOAD: Final = 1
PT_NOTE: Final = 4
PF_X: Final = 1
PF_W: Final = 2
SHT_SYMTAB: Final = 2
SHT_NOTE: Final = 7
SHT_NOBITS: Final = 8
SHT_DYNSYM: Final = 11
SHF_EXECINSTR: Final = 4

_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT: Final = struct.Struct("<IIQQQQQQ")
_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
_NOTE: Final = struct.Struct("<III")
_PN_XNUM: Final = 0xFFFF
_NAME_LIMIT: Final = 256

Buffer = bytes | mmap.mmap


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


@dataclass(frozen=True, slots=True)
class Note:
    """One note; only owner and type together say what it is."""

    owner: bytes
    type: int
    contents: bytes


@dataclass(frozen=True, slots=True)
class ElfImage:
    """The tables of a little-endian 64-bit ELF file over its bytes."""

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

    def contents(self, offset: int, size: int) -> bytes:
        """The file's bytes there; fewer if the file ends before."""
        return bytes(self.data[offset : offset + size])

    def notes(self) -> Iterator[Note]:
        """The notes of all note segments, or of the note sections if there are no segments."""
        ranges = [(s.offset, s.file_size) for s in self.segments if s.type == PT_NOTE]
        if not self.segments:
            ranges = [(s.offset, s.size) for s in self.sections if s.type == SHT_NOTE]
        end = 0
        for offset, size in sorted(ranges):
            if offset >= end:  # a hostile file may name the same bytes thousands of times
                yield from parse_notes(self.contents(offset, size))
                end = offset + size


def parse_notes(data: bytes) -> Iterator[Note]:
    """Walk notes with 4-byte padding, as Linux writes them; a cut note ends the walk."""
    at = 0
    while at + _NOTE.size <= len(data):
        name_size, size, kind = _NOTE.unpack_from(data, at)
        name_at = at + _NOTE.size
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
    head = bytes(data[: _HEADER.size])
    if head[:4] != b"\x7fELF":
        raise ElfError(f"{name}: not an ELF file")
    if head[4:6] != b"\2\1" or len(head) < _HEADER.size:
        raise ElfError(f"{name}: not a complete little-endian 64-bit ELF file")
    fields = _HEADER.unpack(head)
    kind, machine, phoff, shoff = fields[1], fields[2], fields[5], fields[6]
    phentsize, phnum, shentsize, shnum, shstrndx = fields[9:14]
    missing = []
    first = list(_rows(data, _SECTION, shoff, shentsize, 1) if shoff else ())
    if phnum == _PN_XNUM and first:
        phnum = first[0][7]
    if shoff and not shnum:
        shnum = first[0][5] if first else 1
    segments = [
        Segment(row[0], row[1], row[2], row[3], row[5], row[6])
        for row in _rows(data, _SEGMENT, phoff, phentsize, phnum)
    ]
    if len(segments) < phnum:
        missing.append(f"{phnum - len(segments)} of {phnum} segment headers")
    rows = list(_rows(data, _SECTION, shoff, shentsize, shnum)) if shoff else []
    if shoff and len(rows) < shnum:
        missing.append(f"{shnum - len(rows)} of {shnum} section headers")
    names = _section_names(data, rows, shstrndx)
    sections = [Section(name, *row[1:7]) for name, row in zip(names, rows, strict=True)]
    return ElfImage(name, data, kind, machine, tuple(segments), tuple(sections), tuple(missing))


def string_at(strings: bytes, at: int) -> bytes:
    """The zero-terminated string at `at` of a string table; cut at a sane length."""
    end = strings.find(b"\0", at, at + _NAME_LIMIT)
    return strings[at : end if end >= 0 else at + _NAME_LIMIT]


def _rows(
    data: Buffer, layout: struct.Struct, offset: int, entry_size: int, count: int
) -> Iterator[tuple[int, ...]]:
    """The table's rows that lie wholly in the file."""
    if entry_size < layout.size:
        return
    for at in range(offset, min(offset + count * entry_size, len(data)), entry_size):
        if at + layout.size > len(data):
            return
        yield layout.unpack_from(data, at)


def _section_names(data: Buffer, rows: list[tuple[int, ...]], index: int) -> list[bytes]:
    if index >= len(rows) or rows[index][1] == SHT_NOBITS:
        return [b""] * len(rows)
    offset, size = rows[index][4:6]
    strings = bytes(data[offset : offset + size])
    return [string_at(strings, row[0]) for row in rows]
