"""The envelope of a value that outlives its process: a version, a checksum and the compressed value.

    version (1 byte)   checksum (4 bytes: BLAKE2b of version and rest)   rest: zlib of the packed value

The compressed bytes may differ between zlib implementations; the value never does.
"""

import zlib
from hashlib import blake2b
from typing import Final

from .codec import CONTROL, Limits, Plain, pack, unpack
from .errors import WireError

_CHECKSUM: Final = 4
_HEAD: Final = 1 + _CHECKSUM


def seal(version: int, value: Plain) -> bytes:
    """The value in its envelope; versions are 0 to 255."""
    rest = zlib.compress(pack(value), 9)
    return bytes([version]) + _checksum(version, rest) + rest


def unseal(version: int, data: bytes, limits: Limits = CONTROL) -> Plain:
    """The value in an envelope of this version. Raises `WireError` for a damaged one or another version."""
    if len(data) < _HEAD:
        raise WireError("cut short")
    if data[0] != version:
        raise WireError(f"format version {data[0]}, where {version} is expected")
    rest = data[_HEAD:]
    if data[1:_HEAD] != _checksum(version, rest):
        raise WireError("damaged: the checksum does not match")
    return unpack(_decompress(rest, limits.size), limits)


def _checksum(version: int, rest: bytes) -> bytes:
    return blake2b(bytes([version]) + rest, digest_size=_CHECKSUM).digest()


def _decompress(data: bytes, limit: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(data, limit + 1)
    except zlib.error as error:
        raise WireError(f"damaged: {error}") from None
    if len(plain) > limit:
        raise WireError(f"more than {limit} bytes")
    if not stream.eof or stream.unused_data:
        raise WireError("damaged: the compressed part does not end where the envelope does")
    return plain
