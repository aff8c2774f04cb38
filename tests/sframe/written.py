"""The `.sframe` of linked files as it stands there, for the tests of what writes one."""

from pathlib import Path

from stackweave.core.sframe.constants import PT_GNU_SFRAME
from stackweave.core.sframe.elf import ElfImage, parse_elf

from .recordings import unxz


def elf_image(file: Path) -> ElfImage:
    """A packed ELF file."""
    return parse_elf(unxz(file), file.name.removesuffix(".xz"))


def sframe_of(file: Path) -> tuple[bytes, int]:
    """Bytes and address of the section, or of the segment if there are no sections."""
    image = elf_image(file)
    for section in image.sections:
        if section.name == b".sframe":
            return image.contents(section.offset, section.size), section.address
    for segment in image.segments:
        if segment.type == PT_GNU_SFRAME and not image.sections:
            return image.contents(segment.offset, segment.file_size), segment.address
    return b"", 0
