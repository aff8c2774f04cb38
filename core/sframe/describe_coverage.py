"""How much of a file's code its table describes, section by section."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stackweave.core.sframe.decode import Table
from stackweave.core.sframe.elf import ET_REL, PF_X, PT_LOAD, SHF_EXECINSTR, ElfImage

Extent = tuple[int, int]
"""First address, and the first behind it."""


@dataclass(frozen=True, slots=True)
class CodeCoverage:
    """One executable section, or segment where there are no sections."""

    name: str
    address: int
    size: int
    described: int
    """Bytes of it that functions of the table cover."""


def code_extents(image: ElfImage) -> list[tuple[str, int, int]]:
    """Name, address and size of what is executable; nothing of an object file, which has no addresses."""
    if image.kind == ET_REL:
        return []
    if image.sections:
        return [
            (section.name.decode("utf-8", "backslashreplace"), section.address, section.size)
            for section in image.sections
            if section.flags & SHF_EXECINSTR and section.size
        ]
    loads = (load for load in image.segments if load.type == PT_LOAD and load.flags & PF_X)
    return [("PT_LOAD", load.address, load.memory_size) for load in loads if load.memory_size]


def coverage(image: ElfImage, tables: Sequence[Table]) -> tuple[CodeCoverage, ...]:
    """What is described of each."""
    described = AddressSet(
        (start, start + size)
        for table in tables
        for start, size in zip(table.starts, table.sizes, strict=True)
    )
    return tuple(
        CodeCoverage(name, address, size, described.count(address, address + size))
        for name, address, size in code_extents(image)
    )


class AddressSet:
    """Addresses that extents cover, each counted once.

    Sections of a damaged file may overlap by the thousands, so none is walked through.
    """

    def __init__(self, extents: Iterable[Extent]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._below = [0]
        """Bytes covered before each extent."""
        for start, end in sorted(extents):
            if self._ends and start <= self._ends[-1]:
                self._below[-1] += max(0, end - self._ends[-1])
                self._ends[-1] = max(end, self._ends[-1])
            else:
                self._starts.append(start)
                self._ends.append(end)
                self._below.append(self._below[-1] + end - start)

    def count(self, low: int, high: int) -> int:
        """How many there are from `low` to before `high`."""
        return self._count_below(high) - self._count_below(low)

    def _count_below(self, address: int) -> int:
        found = bisect_left(self._starts, address)
        if not found:
            return 0
        return self._below[found] - max(0, self._ends[found - 1] - address)
