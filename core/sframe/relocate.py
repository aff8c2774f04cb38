"""An object file's `.sframe`, with the function addresses that relocations still owe it.

A start field has one relocation at the field itself: value = S + A - P, symbol plus addend less
the field's address. Where start addresses count from their own fields (PCREL), that is what the
field wants. Without the flag the reading counts from the section's start instead, which only the
linker's own rewriting makes true, so such sections are left as they are; so does objdump.

All sections of an object file are linked at 0, so functions of different sections overlap.
"""

from collections.abc import Iterator
from typing import Final

from stackweave.core.sframe.constants import Flag
from stackweave.core.sframe.elf import (
    EM_AARCH64,
    EM_S390,
    EM_X86_64,
    SHT_RELA,
    ElfImage,
    RelocationEntry,
)
from stackweave.core.sframe.header import parse_header

_PC_RELATIVE: Final = {
    (EM_X86_64, 2): 4,  # R_X86_64_PC32
    (EM_X86_64, 24): 8,  # R_X86_64_PC64
    (EM_AARCH64, 260): 8,  # R_AARCH64_PREL64
    (EM_AARCH64, 261): 4,  # R_AARCH64_PREL32
    (EM_S390, 5): 4,  # R_390_PC32
    (EM_S390, 23): 8,  # R_390_PC64
}
"""Bytes that each PC-relative relocation writes, by machine and type."""


def relocated(image: ElfImage, section: int, contents: bytes) -> bytes:
    """The contents of the `.sframe` with index `section`; raises `SFrameError` for a bad header."""
    if not contents or not parse_header(contents).flags & Flag.FDE_FUNC_START_PCREL:
        return contents
    changed = bytearray(contents)
    address = image.sections[section].address
    for entry, symbol in _relocations(image, section):
        size = _PC_RELATIVE.get((image.machine, entry.type))
        if size is not None and entry.offset + size <= len(changed):
            value = symbol + entry.addend - (address + entry.offset)
            field = slice(entry.offset, entry.offset + size)
            changed[field] = (value & ((1 << 8 * size) - 1)).to_bytes(size, image.byte_order)
    return bytes(changed)


def _relocations(image: ElfImage, section: int) -> Iterator[tuple[RelocationEntry, int]]:
    """Each relocation of the section and its symbol's address.

    A sound file has one table for a section; a hostile one may name thousands over one place.
    """
    tables = (s for s in image.sections if s.type == SHT_RELA and s.info == section)
    table = next(tables, None)
    if table is None or table.link >= len(image.sections):
        return
    symbols = [entry.address for entry in image.symbols(image.sections[table.link])]
    for entry in image.relocations(table):
        if entry.symbol < len(symbols):
            yield entry, symbols[entry.symbol]
