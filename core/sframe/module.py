"""A linked file: its `.sframe`, its code ranges, its symbols; and the same file once loaded."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from stackweave.core.sframe.architectures import abi_of
from stackweave.core.sframe.constants import PT_GNU_SFRAME, SHT_GNU_SFRAME
from stackweave.core.sframe.debug_file import DEBUG_DIRECTORY, find_debug_file
from stackweave.core.sframe.elf import (
    ET_CORE,
    ET_REL,
    PF_W,
    PF_X,
    PT_LOAD,
    SHT_NOBITS,
    Buffer,
    ElfImage,
    Section,
    Segment,
    build_id,
    map_file,
    parse_elf,
)
from stackweave.core.sframe.errors import ElfError, ErrorKind, SFrameError
from stackweave.core.sframe.lookup import SFrameSection
from stackweave.core.sframe.relocate import relocated
from stackweave.core.sframe.symbols import Symbol, SymbolTable

_PAGE: Final = 0x1000


class Module:
    """An executable, shared library or object file, decoded once."""

    def __init__(self, image: ElfImage, debug: ElfImage | None = None) -> None:
        """Take a parsed ELF file, and one that has its symbols if it has lost them itself.

        Raises `SFrameError` if its `.sframe` is refused.
        """
        if image.kind == ET_CORE:
            raise ElfError(f"{image.name}: a core, not a program or library")
        self.abi = abi_of(image)
        self.image = image
        self._debug = debug
        self.name = image.name
        loads = (s for s in image.segments if s.type == PT_LOAD)
        self.loads = tuple(sorted(loads, key=lambda load: load.address))
        self._lows = [load.address for load in self.loads]
        self._by_offset: dict[int, int] = {}
        for load in self.loads:
            self._by_offset.setdefault(_page_down(load.offset), _page_down(load.address))
        address, contents = sframe_of(image)
        self.sframe = SFrameSection(contents, address) if contents else None
        """The module's unwind data; None if it has none."""
        if self.sframe is not None and self.sframe.abi is not self.abi:
            detail = f"{self.sframe.abi} in a file of {self.abi}"
            raise SFrameError(ErrorKind.INCONSISTENT, 4, "abi", detail)

    @classmethod
    def open(
        cls, path: Path | str, debug_directories: Sequence[Path] = (DEBUG_DIRECTORY,)
    ) -> "Module":
        """Map the file at `path`, and its debug file if there is one; raises `ElfError` or `SFrameError`."""
        path = Path(path)
        image = parse_elf(map_file(path), path.name)
        return cls(image, find_debug_file(image, path, debug_directories))

    @classmethod
    def parse(cls, data: Buffer, name: str) -> "Module":
        """Decode a file held in memory; raises `ElfError` or `SFrameError`."""
        return cls(parse_elf(data, name))

    @cached_property
    def symbols(self) -> SymbolTable:
        return SymbolTable(self.image, self._debug)

    @cached_property
    def build_id(self) -> bytes | None:
        return build_id(self.image)

    def bias_at(self, low: int, offset: int) -> int | None:
        """The load bias, when file offset `offset` (page-aligned) is mapped at address `low`.

        bias = low - (address of that offset as linked), a whole number of pages; None if no
        segment begins there.
        """
        address = self._by_offset.get(offset)
        return None if address is None else low - address

    def is_code(self, address: int) -> bool:
        """Whether the linked address lies in an executable segment."""
        load = self._load_at(address)
        return load is not None and bool(load.flags & PF_X)

    def read_constant(self, address: int, size: int) -> bytes | None:
        """Bytes of a read-only segment at a linked address: what every process sees there."""
        load = self._load_at(address)
        if load is None or load.flags & PF_W or address + size > load.address + load.file_size:
            return None
        data = self.image.contents(load.offset + address - load.address, size)
        return data if len(data) == size else None

    def _load_at(self, address: int) -> Segment | None:
        found = bisect_right(self._lows, address) - 1
        if found < 0 or address >= self._lows[found] + self.loads[found].memory_size:
            return None
        return self.loads[found]


@dataclass(frozen=True, slots=True)
class LoadedModule:
    """A module in a process."""

    module: Module
    bias: int
    """Runtime address minus linked address."""

    def symbol(self, address: int) -> Symbol | None:
        """The function at a runtime address, itself at its runtime address."""
        found = self.module.symbols.find(address - self.bias)
        return Symbol(found.name, found.address + self.bias) if found else None


def sframe_of(image: ElfImage) -> tuple[int, bytes]:
    """Address and contents of `.sframe`; no bytes if there is none.

    With section headers they decide, even if the section has no bytes (`--only-keep-debug`).
    Without, the PT_GNU_SFRAME segment is all there is; it may reach beyond the data. Raises
    `SFrameError` if an object file's header is broken.
    """
    index = sframe_section(image)
    if index is not None:
        section = image.sections[index]
        contents = section_bytes(image, section)
        if image.kind == ET_REL:
            contents = relocated(image, index, contents)
        return section.address, contents
    for segment in image.segments:
        if segment.type == PT_GNU_SFRAME:
            return segment.address, image.contents(segment.offset, segment.file_size)
    return 0, b""


def sframe_section(image: ElfImage) -> int | None:
    """Index of the section that holds the data, by name or type."""
    for index, section in enumerate(image.sections):
        if section.name == b".sframe" or section.type == SHT_GNU_SFRAME:
            return index
    return None


def section_bytes(image: ElfImage, section: Section) -> bytes:
    """What the file holds of a section."""
    return b"" if section.type == SHT_NOBITS else image.contents(section.offset, section.size)


def _page_down(address: int) -> int:
    return address & -_PAGE
