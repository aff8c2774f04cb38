"""Names for addresses: a module's functions, by bisection."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from stackweave.core.sframe.elf import (
    SHF_EXECINSTR,
    SHT_DYNSYM,
    SHT_SYMTAB,
    ElfImage,
    Section,
    string_at,
)

_STT_NOTYPE: Final = 0
_STT_FUNC: Final = 2
_STT_GNU_IFUNC: Final = 10
_CODE_TYPES: Final = (_STT_NOTYPE, _STT_FUNC, _STT_GNU_IFUNC)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A function's name and where it begins, as linked."""

    name: str
    address: int


class SymbolTable:
    """The functions of `.symtab`, or of `.dynsym` in a stripped file."""

    def __init__(self, image: ElfImage) -> None:
        """Read the symbols; a damaged table yields those that can be read."""
        self._strings = b""
        entries: list[tuple[int, int, int, int]] = []
        for kind in (SHT_SYMTAB, SHT_DYNSYM):
            table = next((s for s in image.sections if s.type == kind), None)
            if table is not None and table.link < len(image.sections) and not entries:
                strings = image.sections[table.link]
                self._strings = image.contents(strings.offset, strings.size)
                entries = sorted(_functions(image, table))
        self._entries = entries
        self._starts = [entry[0] for entry in entries]

    def find(self, address: int) -> Symbol | None:
        """The function that covers `address`, or None.

        One of unknown size reaches to the next symbol or to the end of its section.
        """
        found = bisect_right(self._starts, address) - 1
        if found < 0:
            return None
        start, _, size, name = self._entries[found]
        if address >= start + size:
            return None
        return Symbol(string_at(self._strings, name).decode("utf-8", "backslashreplace"), start)


def _functions(image: ElfImage, table: Section) -> list[tuple[int, int, int, int]]:
    """(address, preference, size, name offset) of each named function symbol."""
    code = {i: s for i, s in enumerate(image.sections) if s.flags & SHF_EXECINSTR}
    functions = []
    for entry in image.symbols(table):
        section = code.get(entry.section)
        if section is not None and entry.name_at and entry.type in _CODE_TYPES:
            size = entry.size or max(0, section.address + section.size - entry.address)
            preference = 2 * (entry.type != _STT_NOTYPE) + (entry.binding != 0)
            functions.append((entry.address, preference, size, entry.name_at))
    return functions
