"""The ABIs that can be unwound, and how an ELF file names them."""

from collections.abc import Mapping
from typing import Final

from stackweave.core.sframe import aarch64, amd64, s390x
from stackweave.core.sframe.constants import Abi
from stackweave.core.sframe.elf import EM_AARCH64, EM_S390, EM_X86_64, ElfImage
from stackweave.core.sframe.errors import ElfError
from stackweave.core.sframe.rules import Architecture

ARCHITECTURES: Final[Mapping[Abi, Architecture]] = {
    Abi.AARCH64_ENDIAN_BIG: aarch64,
    Abi.AARCH64_ENDIAN_LITTLE: aarch64,
    Abi.AMD64_ENDIAN_LITTLE: amd64,
    Abi.S390X_ENDIAN_BIG: s390x,
}

_MACHINES: Final = {
    (EM_AARCH64, "big"): Abi.AARCH64_ENDIAN_BIG,
    (EM_AARCH64, "little"): Abi.AARCH64_ENDIAN_LITTLE,
    (EM_X86_64, "little"): Abi.AMD64_ENDIAN_LITTLE,
    (EM_S390, "big"): Abi.S390X_ENDIAN_BIG,
}


def abi_of(image: ElfImage) -> Abi:
    """The ABI of a 64-bit ELF file, or `ElfError` if the format does not know it."""
    abi = _MACHINES.get((image.machine, image.byte_order))
    if abi is None:
        raise ElfError(
            f"{image.name}: machine {image.machine}, {image.byte_order}-endian,"
            " is not AMD64, AArch64 or s390x"
        )
    return abi
