"""Where a table comes from: an ELF file, or the bytes of a section alone."""

import argparse
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from stackweave.core.sframe.architectures import abi_of
from stackweave.core.sframe.demangle import demangled
from stackweave.core.sframe.describe_objdump import FILE_FORMATS
from stackweave.core.sframe.elf import ElfImage, map_file, parse_elf
from stackweave.core.sframe.errors import ElfError, SFrameError
from stackweave.core.sframe.lookup import SFrameSection
from stackweave.core.sframe.module import section_bytes, sframe_of, sframe_section
from stackweave.core.sframe.symbols import Symbol, SymbolTable


@dataclass(frozen=True)
class Source:
    """The bytes of a table, and the file around them."""

    name: str
    image: ElfImage | None
    """None: the file is the section's bytes."""
    address: int
    """Where the section is linked."""
    contents: bytes
    """Nothing if there is no section."""

    @property
    def file_format(self) -> str:
        """BFD's name of the file's format."""
        if self.image is None:
            return "binary"
        try:
            return FILE_FORMATS[abi_of(self.image)]
        except ElfError:
            return f"elf64-{self.image.byte_order}"

    @property
    def place(self) -> str:
        """What holds the bytes."""
        if self.image is None:
            return "bytes"
        has_section = sframe_section(self.image) is not None
        return "section .sframe" if has_section else "segment PT_GNU_SFRAME"

    @cached_property
    def section(self) -> SFrameSection:
        """Its functions; raises `ElfError` if a header is damaged."""
        try:
            return SFrameSection(self.contents, self.address)
        except SFrameError as error:
            raise ElfError(f"{self.name}: {error}") from error

    @cached_property
    def symbols(self) -> SymbolTable | None:
        """None for raw bytes."""
        return None if self.image is None else SymbolTable(self.image)

    def symbol(self, address: int) -> Symbol | None:
        """The function at a linked address; None where nobody knows, as in raw bytes."""
        found = None if self.symbols is None else self.symbols.find(address)
        return Symbol(demangled(found.name), found.address) if found else None


def source_of(arguments: argparse.Namespace) -> Source:
    """The source that the command line names; raises `ElfError`."""
    path: Path = arguments.file
    if arguments.raw:
        return Source(path.name, None, arguments.address, bytes(map_file(path)))
    if arguments.address:
        raise ElfError("--address goes with --raw: an ELF file knows its own")
    return open_elf(path)


def open_elf(path: Path) -> Source:
    """The source in an ELF file; raises `ElfError`."""
    image = parse_elf(map_file(path), path.name)
    try:
        return Source(path.name, image, *sframe_of(image))
    except SFrameError:
        # an object file whose header is broken: its users will say what is wrong
        index = sframe_section(image)
        assert index is not None
        section = image.sections[index]
        return Source(path.name, image, section.address, section_bytes(image, section))
