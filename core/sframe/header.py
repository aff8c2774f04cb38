"""The SFrame header: twenty-eight bytes, laid out alike in V1, V2 and V3.

The sub-sections' offsets count from the end of header and auxiliary header. Everything that
later modules rely on is checked here once: both sub-sections lie in the buffer, in order, and
apart. Section 1 of the format description; libsframe compares none of this with the buffer.
"""

import struct
from dataclasses import dataclass
from typing import Final

from stackweave.core.sframe.constants import DEFINED_FLAGS, SFRAME_MAGIC, Abi, Flag, Version
from stackweave.core.sframe.errors import ErrorKind, SFrameError

HEADER_SIZE: Final = 28

FDE_SIZE: Final = {Version.V1: 17, Version.V2: 20, Version.V3: 16}
"""Bytes of one function descriptor (of its index entry in V3)."""

MIN_FRE_SIZE: Final = 2
"""Bytes of the smallest row: a one-byte start and the info byte of an undefined RA."""

_BODY: Final = "BBBbbBIIIII"


@dataclass(frozen=True, slots=True)
class Header:
    """One decoded header; a section that lld concatenated holds several."""

    offset: int
    """Byte offset of this header in its section."""
    byte_order: str
    """Prefix for `struct`: "<" or ">"."""
    version: Version
    flags: Flag
    abi: Abi
    cfa_fixed_fp_offset: int
    """Offset of the saved FP from the CFA in bytes; 0: none."""
    cfa_fixed_ra_offset: int
    """Offset of the saved RA from the CFA in bytes; 0: tracked by each row."""
    auxhdr_len: int
    num_fdes: int
    num_fres: int
    fre_len: int
    """Length of the FRE sub-section in bytes."""
    fdeoff: int
    freoff: int

    @property
    def fdes_at(self) -> int:
        """Section offset of the first function descriptor."""
        return self.offset + HEADER_SIZE + self.auxhdr_len + self.fdeoff

    @property
    def fres_at(self) -> int:
        """Section offset of the FRE sub-section."""
        return self.offset + HEADER_SIZE + self.auxhdr_len + self.freoff

    @property
    def end(self) -> int:
        """Section offset behind the last byte that this header speaks for."""
        return self.fres_at + self.fre_len


def starts_header(section: bytes, offset: int) -> bool:
    """Whether the magic number, in either byte order, stands at `offset`."""
    return section[offset : offset + 2] in (b"\xe2\xde", b"\xde\xe2")


def parse_header(section: bytes, offset: int = 0) -> Header:
    """Decode and check the header at `offset`, or raise `SFrameError`."""
    if len(section) - offset < HEADER_SIZE:
        raise SFrameError(
            ErrorKind.TRUNCATED, offset, "header", f"{len(section) - offset} bytes of {HEADER_SIZE}"
        )
    magic = int.from_bytes(section[offset : offset + 2], "little")
    if not starts_header(section, offset):
        raise SFrameError(ErrorKind.BAD_MAGIC, offset, "magic", f"{magic:#06x}")
    byte_order = "<" if magic == SFRAME_MAGIC else ">"
    version, flags, abi, *rest = struct.unpack_from(byte_order + _BODY, section, offset + 2)
    header = Header(
        offset,
        byte_order,
        _version(version, offset),
        _flags(flags, Version(version), offset),
        _abi(abi, byte_order, offset),
        *rest,
    )
    _check_extents(header, len(section))
    return header


def _version(value: int, offset: int) -> Version:
    if value not in Version.__members__.values():
        raise SFrameError(ErrorKind.BAD_VERSION, offset + 2, "version", str(value))
    return Version(value)


def _flags(value: int, version: Version, offset: int) -> Flag:
    undefined = value & ~DEFINED_FLAGS[version]
    if undefined:
        raise SFrameError(
            ErrorKind.INCONSISTENT, offset + 3, "flags", f"undefined bits {undefined:#x}"
        )
    return Flag(value)


def _abi(value: int, byte_order: str, offset: int) -> Abi:
    if value not in Abi.__members__.values():
        raise SFrameError(ErrorKind.UNSUPPORTED, offset + 4, "abi", f"unknown ABI {value}")
    abi = Abi(value)
    if abi.is_big_endian != (byte_order == ">"):
        raise SFrameError(
            ErrorKind.INCONSISTENT, offset + 4, "abi", f"{abi.name} in the other byte order"
        )
    return abi


def _check_extents(header: Header, size: int) -> None:
    """Both sub-sections inside the section, FDEs before FREs, counts possible."""
    fdes_end = header.fdes_at + header.num_fdes * FDE_SIZE[header.version]
    if header.end > size:
        raise SFrameError(
            ErrorKind.TRUNCATED,
            header.offset + 16,
            "FRE sub-section",
            f"ends at {header.end:#x}, the section at {size:#x}",
        )
    if fdes_end > header.fres_at:
        raise SFrameError(
            ErrorKind.INCONSISTENT,
            header.offset + 8,
            "FDE sub-section",
            f"ends at {fdes_end:#x}, the FREs begin at {header.fres_at:#x}",
        )
    if header.num_fres * MIN_FRE_SIZE > header.fre_len:
        raise SFrameError(
            ErrorKind.INCONSISTENT,
            header.offset + 12,
            "number of FREs",
            f"{header.num_fres} rows cannot fit in {header.fre_len} bytes",
        )
