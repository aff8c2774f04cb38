"""Where a stripped file's symbols went: a separate debug file, or a small one inside the file.

A separate file is found as gdb finds it: by build id, in `.build-id/xx/rest.debug` below a
directory of debug files, or by the name and checksum in `.gnu_debuglink`, beside the file, in
`.debug` there, and below the directories at the file's own path. What is found must prove that
it is the right one, by the same build id or by the checksum.

The small one is `.gnu_debugdata`, an xz-compressed ELF file with the functions that `.dynsym`
lacks; Fedora's packages have it.
"""

import lzma
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from zlib import crc32

from stackweave.core.sframe.elf import (
    SHT_NOBITS,
    SHT_SYMTAB,
    Buffer,
    ElfImage,
    build_id,
    map_file,
    parse_elf,
)
from stackweave.core.sframe.errors import ElfError

DEBUG_DIRECTORY: Final = Path("/usr/lib/debug")

_PIECE: Final = 1 << 20
_XZ_MEMORY: Final = 80 << 20
"""Bytes for the decompressor; xz's highest level needs 65 MiB."""
_XZ_RATIO: Final = 64
_XZ_FREE: Final = 1 << 20
_XZ_MOST: Final = 256 << 20
"""Output allowed: 1 MiB and 64 times the input, but no more than this. Real ones grow fivefold or so."""


def find_debug_file(image: ElfImage, path: Path, directories: Sequence[Path]) -> ElfImage | None:
    """The separate debug file of the file at `path`, or None if it needs none or there is none."""
    if any(section.type == SHT_SYMTAB for section in image.sections):
        return None
    identity = build_id(image)
    if identity:
        for candidate in _by_build_id(identity, directories):
            found = _open(candidate)
            if found is not None and build_id(found) == identity:
                return found
    link = _debug_link(image)
    if link is not None:
        name, checksum = link
        for candidate in _by_name(name, path, directories):
            found = _open(candidate)
            if found is not None and _checksum(found.data) == checksum:
                return found
    return None


def small_debug_file(image: ElfImage) -> ElfImage | None:
    """What `.gnu_debugdata` holds; None if there is none or it is damaged."""
    for section in image.sections:
        if section.name == b".gnu_debugdata" and section.type != SHT_NOBITS:
            packed = image.contents(section.offset, section.size)
            decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
            try:
                most = min(_XZ_MOST, _XZ_FREE + _XZ_RATIO * len(packed))
                data = decompressor.decompress(packed, most)
                return parse_elf(data, f"{image.name} (.gnu_debugdata)")
            except (lzma.LZMAError, ElfError):
                return None
    return None


def _by_build_id(identity: bytes, directories: Sequence[Path]) -> Iterator[Path]:
    text = identity.hex()
    for directory in directories:
        yield directory / ".build-id" / text[:2] / f"{text[2:]}.debug"


def _by_name(name: str, path: Path, directories: Sequence[Path]) -> Iterator[Path]:
    folder = path.parent.absolute()
    yield folder / name
    yield folder / ".debug" / name
    for directory in directories:
        yield directory / folder.relative_to(folder.anchor) / name
        yield directory / name


def _debug_link(image: ElfImage) -> tuple[str, int] | None:
    """Name, without a folder, and checksum: a zero-terminated text, padded to 4 bytes, and a word."""
    for section in image.sections:
        if section.name == b".gnu_debuglink":
            contents = image.contents(section.offset, section.size)
            name, zero, _ = contents.partition(b"\0")
            at = len(name) + 4 & ~3
            if not name or not zero or b"/" in name or at + 4 > len(contents):
                return None
            order = "<I" if image.byte_order == "little" else ">I"
            return name.decode("utf-8", "surrogateescape"), *struct.unpack_from(order, contents, at)
    return None


def _open(path: Path) -> ElfImage | None:
    try:
        return parse_elf(map_file(path), path.name)
    except ElfError:
        return None


def _checksum(data: Buffer) -> int:
    checksum = 0
    for at in range(0, len(data), _PIECE):
        checksum = crc32(data[at : at + _PIECE], checksum)
    return checksum
