"""Builds small SFrame sections for tests, straight from the layout tables.

Deliberately not the project's encoder: bytes are written field by field, so that a decoding
mistake cannot hide behind an encoding one.
"""

import struct
from dataclasses import dataclass
from typing import Final, Literal

PCREL: Final = 0x4
SORTED: Final = 0x1
MASK: Final = 0x10
SIGNAL: Final = 0x80
FLEX: Final = 0x01
KEY_B: Final = 0x20
MANGLED: Final = 0x80
SP: Final = 1
FP: Final = 0
AARCH64_BE: Final = 1
AARCH64: Final = 2
AMD64: Final = 3
S390X: Final = 4
BIG_ENDIAN: Final = (AARCH64_BE, S390X)

_FDE_SIZE: Final = {1: 17, 2: 20, 3: 16}


@dataclass(frozen=True, slots=True)
class Function:
    """One function to write; rows come from `row`."""

    start: int
    size: int
    rows: tuple[bytes, ...] = ()
    info: int = 0
    info2: int = 0
    rep_size: int = 0


def row(
    start: int,
    *words: int,
    base: int = SP,
    width: int = 1,
    info: int | None = None,
    order: Literal["little", "big"] = "little",
) -> bytes:
    """A row with a one-byte start; words of `width` bytes, controls given as they are."""
    code = {1: 0, 2: 1, 4: 2}[width]
    mask = (1 << 8 * width) - 1
    body = b"".join((word & mask).to_bytes(width, order) for word in words)
    coded = base | len(words) << 1 | code << 5 if info is None else info
    return bytes((start, coded)) + body


def section(
    *functions: Function,
    version: int = 3,
    address: int = 0,
    flags: int = PCREL,
    abi: int = AMD64,
    ra_offset: int = -8,
    auxiliary: bytes = b"",
) -> bytes:
    """A section with one header, linked at `address`, in the ABI's byte order."""
    order = ">" if abi in BIG_ENDIAN else "<"
    fres, places = b"", []
    for function in functions:
        places.append(len(fres))
        if version == 3:
            fres += struct.pack(
                order + "HBBB", len(function.rows), function.info, function.info2, function.rep_size
            )
        fres += b"".join(function.rows)
    fdes = b""
    for function, place in zip(functions, places, strict=True):
        field_at = address + 28 + len(auxiliary) + len(fdes)
        start = function.start - (field_at if flags & PCREL else address)
        fdes += _fde(order, version, start, function, place)
    rows = sum(len(function.rows) for function in functions)
    header = struct.pack(
        order + "HBBBbbBIIIII",
        *(0xDEE2, version, flags, abi, 0, ra_offset, len(auxiliary)),
        *(len(functions), rows, len(fres), 0, len(fdes)),
    )
    assert len(fdes) == len(functions) * _FDE_SIZE[version]
    return header + auxiliary + fdes + fres


def _fde(order: str, version: int, start: int, function: Function, place: int) -> bytes:
    if version == 3:
        return struct.pack(order + "qII", start, function.size, place)
    fields = (start, function.size, place, len(function.rows), function.info)
    old = struct.pack(order + "iIIIB", *fields)
    return old if version == 1 else old + struct.pack(order + "BH", function.rep_size, 0)
