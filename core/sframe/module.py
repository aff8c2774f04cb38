"""A linked file: its `.sframe`, its code ranges, its symbols; and the same file once loaded."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from stackweave.core.sframe.constants import PT_GNU_SFRAME, SHT_GNU_SFRAME
from stackweave.core.sframe.elf import (
    EM_X86_64,
    ET_CORE,
    PF_W,
    PF_X,
    PT_LOAD,
    SHT_NOBITS,
    Buffer,
    ElfImage,
    map_file,
    parse_elf,
)
from stackweave.core.sframe.errors import ElfError
from stackweave.core.sframe.lookup import SFrameSection
from stackweave.core.sframe.symbols import Symbol, SymbolTable

_NT_GNU_BUILD_ID: Final = 3
_PAGE: Final = 0x1000


class Module:
    """An executable, shared library or object file, decoded once."""

    def __init__(self, image: ElfImage) -> None:
        """Take a parsed ELF file; raises `SFrameError` if its `.sframe` is refused."""
        if image.kind == ET_CORE:
            raise ElfError(f"{image.name}: a core, not a program or library")
        if image.machine != EM_X86_64:
            raise ElfError(f"{image.name}: machine {image.machine} is not AMD64")
        self.image = image
        self.name = image.name
        self.loads = tuple(s for s in image.segments if s.type == PT_LOAD)
        found = _sframe_range(image)
        self.sframe: SFrameSection | None = None
        """The module's unwind data; None if it has none."""
        if found is not None:
            address, offset, size = found
            contents = image.contents(offset, size)
            if contents:
                self.sframe = SFrameSection(contents, address)

    @classmethod
    def open(cls, path: Path | str) -> "Module":
        """Map the file at `path`; raises `ElfError` or `SFrameError`."""
        path = Path(path)
        return cls(parse_elf(map_file(path), path.name))

    @classmethod
    def parse(cls, data: Buffer, name: str) -> "Module":
        """Decode a file held in memory; raises `ElfError` or `SFrameError`."""
        return cls(parse_elf(data, name))

    @cached_property
    def symbols(self) -> SymbolTable:
        return SymbolTable(self.image)

    @cached_property
    def build_id(self) -> bytes | None:
        return build_id(self.image)

    def bias_at(self, low: int, offset: int) -> int | None:
        """The load bias, when file offset `offset` (page-aligned) is mapped at address `low`.

        bias = low - (address of that offset as linked), a whole number of pages; None if no
        segment begins there.
        """
        for load in self.loads:
            if _page_down(load.offset) == offset:
                return low - _page_down(load.address)
        return None

    def is_code(self, address: int) -> bool:
        """Whether the linked address lies in an executable segment."""
        return any(
            load.flags & PF_X and load.address <= address < load.address + load.memory_size
            for load in self.loads
        )

    def read_constant(self, address: int, size: int) -> bytes | None:
        """Bytes of a read-only segment at a linked address: what every process sees there."""
        for load in self.loads:
            if load.address <= address and address + size <= load.address + load.file_size:
                data = self.image.contents(load.offset + address - load.address, size)
                return data if len(data) == size and not load.flags & PF_W else None
        return None


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


def build_id(image: ElfImage) -> bytes | None:
    """The linker's build id, or None."""
    for note in image.notes():
        if note.owner == b"GNU" and note.type == _NT_GNU_BUILD_ID:
            return note.contents
    return None


def _sframe_range(image: ElfImage) -> tuple[int, int, int] | None:
    """Address, file offset and size of `.sframe`.

    With section headers they decide, even if the section has no bytes (`--only-keep-debug`).
    Without, the PT_GNU_SFRAME segment is all there is; it may reach beyond the data.
    """
    for section in image.sections:
        if section.name == b".sframe" or section.type == SHT_GNU_SFRAME:
            size = 0 if section.type == SHT_NOBITS else section.size
            return section.address, section.offset, size
    for segment in image.segments:
        if segment.type == PT_GNU_SFRAME:
            return segment.address, segment.offset, segment.file_size
    return None


def _page_down(address: int) -> int:
    return address & -_PAGE
