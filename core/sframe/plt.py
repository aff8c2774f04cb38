"""Names of the stubs in a PLT, which no symbol table has: `function@plt`, as objdump calls them.

A stub loads a slot of the GOT and jumps there. Which slot, its instructions say; whose address
the linker puts there, the slot's relocation says. A stub of the lazy half of a PLT with branch
protection only pushes the number of its relocation. Stubs whose slot has no symbol, such as
those of indirect functions in static programs, stay without a name.
"""

import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from stackweave.core.sframe.elf import (
    EM_AARCH64,
    EM_S390,
    EM_X86_64,
    LONGEST_NAME,
    SHF_EXECINSTR,
    SHT_NOBITS,
    SHT_RELA,
    ElfImage,
    Section,
    string_at,
)

_PLT: Final = re.compile(rb"\.plt(\..*)?")


@dataclass(frozen=True, slots=True)
class Stub:
    """A stub and the function that it jumps to."""

    address: int
    size: int
    name: bytes


@dataclass(frozen=True, slots=True)
class _Target:
    """What a stub names: a GOT slot by its address, or a relocation by its number."""

    is_slot: bool
    value: int


_ReadStub = Callable[[bytes, int, int], _Target | None]
"""Takes a section's bytes, an offset and its address; None: no stub begins there."""

_JUMP_AMD64: Final = re.compile(rb"(?:\xf3\x0f\x1e\xfa)?\xf2?\xff\x25(.{4})", re.DOTALL)
"""[endbr64] [bnd] jmp *slot(%rip)"""
_PUSH_AMD64: Final = re.compile(rb"\xf3\x0f\x1e\xfa\x68(.{4})", re.DOTALL)
"""endbr64; push $number"""
_BTI: Final = 0xD503245F


def _read_amd64(code: bytes, at: int, address: int) -> _Target | None:
    """slot = address behind the jump + its displacement."""
    found = _JUMP_AMD64.match(code, at)
    if found:
        (displacement,) = struct.unpack("<i", found[1])
        return _Target(True, address + found.end() - at + displacement)
    found = _PUSH_AMD64.match(code, at)
    return _Target(False, struct.unpack("<I", found[1])[0]) if found else None


def _read_aarch64(code: bytes, at: int, address: int) -> _Target | None:
    """[bti c]; adrp x, page of the slot; ldr x, [x, offset in the page]. Code is little-endian."""
    words = struct.unpack_from("<3I", code, at) if at + 12 <= len(code) else (0, 0, 0)
    if words[0] == _BTI:
        words, address = words[1:], address + 4
    adrp, load = words[0], words[1]
    if adrp & 0x9F000000 != 0x90000000 or load & 0xFFC00000 != 0xF9400000:
        return None
    pages = (adrp >> 5 & 0x7FFFF) << 2 | adrp >> 29 & 3
    pages -= (pages & 1 << 20) << 1
    return _Target(True, (address & -0x1000) + (pages << 12) + (load >> 10 & 0xFFF) * 8)


def _read_s390x(code: bytes, at: int, address: int) -> _Target | None:
    """larl %r1,slot: the distance counts halfwords."""
    if code[at : at + 2] != b"\xc0\x10" or at + 6 > len(code):
        return None
    (halfwords,) = struct.unpack_from(">i", code, at + 2)
    return _Target(True, address + 2 * halfwords)


_READERS: Final[Mapping[int, tuple[_ReadStub, int]]] = {
    EM_X86_64: (_read_amd64, 8),
    EM_AARCH64: (_read_aarch64, 8),
    EM_S390: (_read_s390x, 32),
}
"""By machine: reader, and what a stub's offset is a multiple of."""


def plt_stubs(image: ElfImage) -> list[Stub]:
    """The stubs whose function the relocations tell."""
    found = [(section, tuple(_targets(image, section))) for section in _plt_sections(image)]
    if not any(targets for _, targets in found):
        return []
    lazy = list(_relocations(image, b".rela.plt"))
    slots = dict((*_relocations(image, b".rela.dyn"), *lazy))
    by_number = [name for _, name in lazy]
    stubs = []
    for section, targets in found:
        ends = [at for at, _ in targets[1:]] + [section.size]
        for (at, target), end in zip(targets, ends, strict=False):
            name = _name(target, slots, by_number)
            if name:
                stubs.append(Stub(section.address + at, end - at, name))
    return stubs


def _plt_sections(image: ElfImage) -> Iterator[Section]:
    end = 0
    for section in sorted(image.sections, key=lambda section: section.offset):
        is_plt = section.flags & SHF_EXECINSTR and _PLT.fullmatch(section.name)
        if is_plt and section.type != SHT_NOBITS and section.offset >= end:
            yield section  # a hostile file may name the same bytes thousands of times
            end = section.offset + section.size


def _relocations(image: ElfImage, name: bytes) -> Iterator[tuple[int, bytes]]:
    """Address and symbol's name, empty if there is none, of each relocation of a table."""
    table = next((s for s in image.sections if s.type == SHT_RELA and s.name == name), None)
    if table is None or table.link >= len(image.sections):
        return
    symbols = image.sections[table.link]
    if symbols.link >= len(image.sections):
        return
    strings = image.sections[symbols.link]
    text = image.contents(strings.offset, strings.size)
    names = [entry.name_at for entry in image.symbols(symbols)]
    cut: dict[int, bytes] = {}  # relocations that share a long name share its bytes
    for entry in image.relocations(table):
        name_at = names[entry.symbol] if 0 < entry.symbol < len(names) else 0
        if name_at and name_at not in cut:
            cut[name_at] = string_at(text, name_at, LONGEST_NAME)
        yield entry.offset, cut.get(name_at, b"")


def _targets(image: ElfImage, section: Section) -> Iterator[tuple[int, _Target]]:
    """Offset and target of each stub of a section."""
    read, step = _READERS.get(image.machine, (None, 1))
    if read is None:
        return
    code = image.contents(section.offset, section.size)
    for at in range(0, len(code), step):
        target = read(code, at, section.address + at)
        if target is not None:
            yield at, target


def _name(target: _Target, slots: Mapping[int, bytes], by_number: Sequence[bytes]) -> bytes:
    if target.is_slot:
        return slots.get(target.value, b"")
    return by_number[target.value] if target.value < len(by_number) else b""
