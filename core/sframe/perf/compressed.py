"""Records that perf compressed on the way to the file (`perf record -z`): zstd, as one stream.

The `zstandard` package does the work and need not be there; a session says then what it lacks.
Input goes in small slices, so that what a few hostile bytes can make at once stays small, and
what comes out altogether is held against what went in.
"""

from typing import Final, Protocol

from stackweave.core.sframe.errors import DumpError

_SLICE: Final = 256
"""Bytes of input at once: a block of 3 bytes can stand for 128 KiB, so at most 11 MiB."""
_RATIO: Final = 512
_FREE: Final = 64 << 20
"""Output allowed: 64 MiB and 512 times the input. Real recordings shrink to a fifth or so."""
_WINDOW: Final = 128 << 20
"""The largest look-back that a stream may ask for, in bytes; perf's levels need 8 MiB and less."""


class _Stream(Protocol):
    def decompress(self, data: bytes) -> bytes: ...


class Decompressor:
    """The records behind the compressed ones of a session."""

    def __init__(self) -> None:
        """Begin the stream; raises `ImportError` without `zstandard`."""
        import zstandard

        self._error: type[Exception] = zstandard.ZstdError
        decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
        self._stream: _Stream = decompressor.decompressobj(read_across_frames=True)
        self._left = _FREE
        self._rest = b""

    def records(self, data: bytes) -> bytes:
        """The bytes of whole records and what may follow; the caller gives back what is over."""
        self._left += _RATIO * len(data)
        parts = [self._rest]
        for at in range(0, len(data), _SLICE):
            try:
                part = self._stream.decompress(data[at : at + _SLICE])
            except self._error as error:
                raise DumpError(f"damaged compressed records: {error}") from error
            self._left -= len(part)
            if self._left < 0:
                raise DumpError(f"compressed records that grow more than {_RATIO} times")
            parts.append(part)
        self._rest = b""
        return b"".join(parts)

    def keep(self, rest: bytes) -> None:
        """The beginning of a record whose end comes with the next compressed ones."""
        self._rest = rest
