"""Reads fields one after the other, never past an end."""

import struct
from typing import Final

from stackweave.core.sframe.elf import Buffer, ByteOrder

_U32: Final = {"little": struct.Struct("<I"), "big": struct.Struct(">I")}
_U64: Final = {"little": struct.Struct("<Q"), "big": struct.Struct(">Q")}
_MARK: Final = {"little": "<", "big": ">"}


class CutError(Exception):
    """The bytes end before what they promise."""


class Cursor:
    """A place in a record or section; each read moves it on, or raises `CutError`."""

    __slots__ = ("_u32", "_u64", "at", "data", "end", "order")

    def __init__(self, data: Buffer, at: int, end: int, order: ByteOrder) -> None:
        self.data = data
        self.at = at
        self.end = min(end, len(data))
        self.order: ByteOrder = order
        self._u32 = _U32[order].unpack_from
        self._u64 = _U64[order].unpack_from

    def skip(self, size: int) -> int:
        """Pass over `size` bytes; returns where they begin."""
        at = self.at
        if size > self.end - at:
            raise CutError
        self.at = at + size
        return at

    def u32(self) -> int:
        value: int = self._u32(self.data, self.skip(4))[0]
        return value

    def u64(self) -> int:
        value: int = self._u64(self.data, self.skip(8))[0]
        return value

    def words(self, count: int) -> tuple[int, ...]:
        """`count` 64-bit words."""
        at = self.skip(8 * count)
        return struct.unpack_from(f"{_MARK[self.order]}{count}Q", self.data, at)

    def take(self, size: int) -> bytes:
        at = self.skip(size)
        return bytes(self.data[at : at + size])

    def rest(self) -> bytes:
        return self.take(self.end - self.at)

    def text(self) -> str:
        """The rest up to its first zero byte, as text."""
        return decoded(self.rest())

    def sized_text(self) -> str:
        """A text behind its length, padded with zero bytes."""
        return decoded(self.take(self.u32()))


def decoded(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "backslashreplace")
