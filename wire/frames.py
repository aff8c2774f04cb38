"""Frames: byte strings one after another, each with its length, its kind and checksums before it.

    length (4 bytes)   kind (1)   checksum of the payload (4)   checksum of these nine bytes (4)   payload

Numbers are big-endian. The head has a checksum of its own, because a damaged length would otherwise point past all
that follows, and a reader would take it for a frame cut short. What a kind means, and what is in a payload, is for
others to say.

Checksums are CRC-32 (zlib's): the enemy is a crash or a disk, nobody who could make a false checksum fit. It sees
every change of up to 32 adjacent bits, is in every language's library, and costs less than a tenth of BLAKE2b on
short frames.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final
from zlib import crc32

from .codec import CONTROL
from .errors import WireError

_FIELDS: Final = Struct(">IBI")
_CHECKSUM: Final = Struct(">I")

HEAD: Final = _FIELDS.size + _CHECKSUM.size
"""Bytes before a payload."""

KINDS: Final = 256
"""Kinds are 0 to 255."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame."""

    kind: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before a payload."""

    length: int
    """Of the payload, in bytes."""
    kind: int
    checksum: int
    """Of the payload."""

    def fits(self, payload: bytes) -> bool:
        """Whether this is the payload that the head was written for."""
        return len(payload) == self.length and crc32(payload) == self.checksum


def pack_frame(frame: Frame, limit: int = CONTROL.size) -> bytes:
    """The bytes of a frame. Raises `WireError` for a payload of more than `limit` bytes, or a wrong kind."""
    if len(frame.payload) > limit:
        raise WireError(f"a payload of {len(frame.payload)} bytes, more than {limit}")
    if not 0 <= frame.kind < KINDS:
        raise WireError(f"{frame.kind} is no kind of frame: they are 0 to {KINDS - 1}")
    fields = _FIELDS.pack(len(frame.payload), frame.kind, crc32(frame.payload))
    return fields + _CHECKSUM.pack(crc32(fields)) + frame.payload


def unpack_head(data: bytes, limit: int = CONTROL.size) -> Head:
    """The head that these `HEAD` bytes are. Raises `WireError` for a damaged one, and for one that announces more
    than `limit` bytes: none of them needs to be read."""
    fields = data[: _FIELDS.size]
    if len(data) != HEAD or data[_FIELDS.size :] != _CHECKSUM.pack(crc32(fields)):
        raise WireError("damaged: the checksum of a frame's head does not match")
    head = Head(*_FIELDS.unpack(fields))
    if head.length > limit:
        raise WireError(f"a frame of {head.length} bytes, more than {limit}")
    return head
