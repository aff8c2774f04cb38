"""Names for addresses: a module's functions, by bisection."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from stackweave.core.sframe.debug_file import small_debug_file
from stackweave.core.sframe.elf import (
    LONGEST_NAME,
    SHF_EXECINSTR,
    SHT_DYNSYM,
    SHT_SYMTAB,
    ElfImage,
    Section,
    string_at,
)
from stackweave.core.sframe.plt import plt_stubs

_STT_NOTYPE: Final = 0
_STT_FUNC: Final = 2
_STT_GNU_IFUNC: Final = 10
_CODE_TYPES: Final = (_STT_NOTYPE, _STT_FUNC, _STT_GNU_IFUNC)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A function's name, as linked, and where it begins."""

    name: str
    address: int


_Entry = tuple[int, int, int, int, int]
"""Address, preference, size, table's number in `_strings`, offset of the name there."""


class SymbolTable:
    """The functions of `.symtab`, its own or its debug file's; of a stripped file, those of `.dynsym`
    and of the small debug file inside it. And the stubs of the PLT.
    """

    def __init__(self, image: ElfImage, debug: ElfImage | None = None) -> None:
        """Read the symbols; a damaged table yields those that can be read."""
        self._strings: list[bytes] = []
        entries = self._read(image, SHT_SYMTAB)
        if not entries and debug is not None:
            entries = self._read(debug, SHT_SYMTAB)
        if not entries:
            entries = self._read(image, SHT_DYNSYM)
            small = small_debug_file(image)
            entries += [] if small is None else self._read(small, SHT_SYMTAB)
        entries += self._stubs(image)
        entries.sort()
        self._entries = entries
        self._starts = [entry[0] for entry in entries]

    def find(self, address: int) -> Symbol | None:
        """The function that covers `address`, or None.

        One of unknown size reaches to the next symbol or to the end of its section.
        """
        found = bisect_right(self._starts, address) - 1
        if found < 0:
            return None
        start, _, size, table, name_at = self._entries[found]
        if address >= start + size:
            return None
        name = string_at(self._strings[table], name_at, LONGEST_NAME)
        return Symbol(name.decode("utf-8", "backslashreplace"), start)

    def _read(self, image: ElfImage, kind: int) -> list[_Entry]:
        """The functions of the first table of a kind."""
        table = next((s for s in image.sections if s.type == kind), None)
        if table is None or table.link >= len(image.sections):
            return []
        strings = image.sections[table.link]
        self._strings.append(image.contents(strings.offset, strings.size))
        return list(_functions(image, table, len(self._strings) - 1))

    def _stubs(self, image: ElfImage) -> list[_Entry]:
        """The PLT's; a symbol at the same address is preferred.

        A name is kept once: in a hostile file thousands of stubs may have the same long one.
        """
        strings, entries = bytearray(), []
        places: dict[bytes, int] = {}
        for stub in plt_stubs(image):
            name_at = places.setdefault(stub.name, len(strings))
            if name_at == len(strings):
                strings += stub.name + b"@plt\0"
            entries.append((stub.address, -1, stub.size, len(self._strings), name_at))
        self._strings.append(bytes(strings))
        return entries


def _functions(image: ElfImage, table: Section, number: int) -> Iterator[_Entry]:
    """Each named function symbol."""
    code = {i: s for i, s in enumerate(image.sections) if s.flags & SHF_EXECINSTR}
    for entry in image.symbols(table):
        section = code.get(entry.section)
        if section is not None and entry.name_at and entry.type in _CODE_TYPES:
            size = entry.size or max(0, section.address + section.size - entry.address)
            preference = 2 * (entry.type != _STT_NOTYPE) + (entry.binding != 0)
            yield entry.address, preference, size, number, entry.name_at
