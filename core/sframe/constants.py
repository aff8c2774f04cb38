"""The names of the SFrame specification, versions 1 to 3, as enumerations."""

from enum import IntEnum, IntFlag
from typing import Final

SFRAME_MAGIC: Final = 0xDEE2
"""The first half word of every section, in the target's byte order."""

SHT_GNU_SFRAME: Final = 0x6FFFFFF4
"""Section type since binutils 2.45 and in LLVM; older tools write SHT_PROGBITS."""

PT_GNU_SFRAME: Final = 0x6474E554
"""Segment type that GNU ld adds; lld does not."""


class Version(IntEnum):
    """Format version, the third byte of the preamble."""

    V1 = 1
    V2 = 2
    V3 = 3


class Abi(IntEnum):
    """ABI and byte order that the section describes."""

    AARCH64_ENDIAN_BIG = 1
    AARCH64_ENDIAN_LITTLE = 2
    AMD64_ENDIAN_LITTLE = 3
    S390X_ENDIAN_BIG = 4

    @property
    def is_big_endian(self) -> bool:
        return self in (Abi.AARCH64_ENDIAN_BIG, Abi.S390X_ENDIAN_BIG)


class Flag(IntFlag):
    """Section flags of the preamble."""

    FDE_SORTED = 0x1
    """Function descriptors are sorted by start address."""
    FRAME_POINTER = 0x2
    """All functions keep the frame pointer (V1 and V2 only; gone in V3)."""
    FDE_FUNC_START_PCREL = 0x4
    """Start addresses count from their own field, not from the section's start."""


DEFINED_FLAGS: Final = {
    Version.V1: 0x7,  # PCREL is from V2 erratum 1, but nothing else gives the bit a meaning
    Version.V2: 0x7,
    Version.V3: 0x5,
}


class FreType(IntEnum):
    """Width of the start offset of each frame row."""

    ADDR1 = 0
    ADDR2 = 1
    ADDR4 = 2


class PcType(IntEnum):
    """How a pc selects a row: by offset, or by offset modulo a repeated block."""

    INC = 0
    MASK = 1


class FdeType(IntEnum):
    """Meaning of the row words (V3): fixed layout, or pairs of control and offset."""

    DEFAULT = 0
    FLEX = 1


class BaseRegister(IntEnum):
    """Register that the CFA of a default row counts from."""

    FP = 0
    SP = 1


V1_REPEAT_SIZE: Final = 16
"""Block size of PC MASK functions in V1, which has no field for it (amd64 and aarch64 PLT)."""
