"""What the kernel's reader takes, as its patches describe it: kernel/unwind/sframe.c at 3231d5c571fa.

A model of the behaviour of sframe_read_header(), of sframe_validate_section() and of a look-up
in every row, apart from everything that the project reads with. Little-endian, one section.
"""

import struct
from typing import Final

HEADER: Final = struct.Struct("<HBBBbbBIIIII")
FDE: Final = struct.Struct("<qII")
ATTRIBUTE: Final = struct.Struct("<HBBB")


def is_taken(data: bytes, address: int) -> bool:
    """Whether the section is registered, every function valid, and every row's rule found."""
    if len(data) <= HEADER.size:
        return False
    magic, version, flags, _, fp, ra, auxiliary, fdes, fres, length, fdeoff, freoff = (
        HEADER.unpack_from(data)
    )
    if magic != 0xDEE2 or version != 3 or flags & 5 != 5 or auxiliary or not (fdes and fres):
        return False
    first, rows_at = HEADER.size + fdeoff, HEADER.size + freoff
    end = rows_at + length
    if rows_at < first + fdes * FDE.size or end > len(data):
        return False
    previous = None
    for index in range(fdes):
        at = first + index * FDE.size
        offset, size, place = FDE.unpack_from(data, at)
        start = address + at + offset
        if (previous is not None and start <= previous) or rows_at + place + ATTRIBUTE.size > end:
            return False
        previous = start
        if not _function_is_taken(data, rows_at + place, end, size, (fp, ra)):
            return False
    return True


def _function_is_taken(data: bytes, at: int, end: int, size: int, fixed: tuple[int, int]) -> bool:
    count, info, info2, _ = ATTRIBUTE.unpack_from(data, at)
    at += ATTRIBUTE.size
    width, kind = info & 0xF, info2 & 0x1F
    if count and (width > 2 or kind > 1):
        return False
    previous = -1
    for _ in range(count):
        head = at + (1 << width) + 1
        if head > end:
            return False
        start = int.from_bytes(data[at : head - 1], "little")
        number, code = data[head - 1] >> 1 & 0xF, data[head - 1] >> 5 & 3
        at = head + (number << code if code < 3 else 0)
        if code == 3 or at > end or start <= previous or (not info & 0x10 and start > size):
            return False
        previous = start
        values = [data[head + (n << code) : head + (n + 1 << code)] for n in range(number)]
        words = [int.from_bytes(value, "little") for value in values]
        if not (_flexible(words) if kind else _default(words, fixed)):
            return False
    return True


def _default(words: list[int], fixed: tuple[int, int]) -> bool:
    """A word for the CFA, and one each for RA and FP where no offset is fixed; none is left over."""
    return not words or len(words) <= 1 + sum(not offset for offset in fixed)


def _flexible(words: list[int]) -> bool:
    """A pair for the CFA, counting from a register; RA, then FP, while two words are left; none left over."""
    if not words:
        return True
    if len(words) < 2 or not words[0] & 1:
        return False
    left = words[2:]
    for _ in range(2):
        if len(left) >= 2:
            left = left[2:] if left[0] else left[1:]
    return not left
