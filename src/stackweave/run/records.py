"""What is in the frames of a live run's journal.

    HEADER   what was run, and how
    MESSAGE  one that came from outside, and when; before the decisions that it comes among
    CHUNK    the next decisions, and a digest of what the run had shown after them
    END      how the run ended, and the digest once more

A journal holds a header, then messages and chunks as they came, then the end; where the writer died, no end.
"""

import zlib
from dataclasses import dataclass
from struct import pack as pack_words
from struct import unpack as unpack_words
from typing import Final, TypeAlias

from stackweave.programs import Parameters
from stackweave.registry import given
from stackweave.schedule import digest_from, parameters_from
from stackweave.wire import Limits, Message, Plain, WireError, decode, encode, pack, unpack
from stackweave.wire.fields import entries, integer, items, text
from stackweave.wire.frames import Frame

from .witness import DIGEST

VERSION: Final = 1
"""Of this content."""

HEADER: Final = 1
MESSAGE: Final = 2
CHUNK: Final = 3
END: Final = 4

_LIMITS: Final = Limits(length=1 << 15, depth=3)
_LONGEST: Final = 1 << 16
"""Bytes of one chunk's decisions, at two each."""
_MOST: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Header:
    """What was run, and how."""

    program: str
    parameters: Parameters
    backend: str
    codec: str
    seed: int
    contexts: tuple[str, ...]
    """The names that decisions count."""
    digest: dict[str, bytes]
    """Of the program, as a schedule has it."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message from outside."""

    position: int
    """Decisions before it."""
    mailbox: str
    message: Message


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next decisions: of each move the context, as an index of the header's; `~answer` of each `choose`."""

    decisions: tuple[int, ...]
    shown: bytes
    """Digest of what the run had shown after them."""


@dataclass(frozen=True, slots=True)
class End:
    """How the run ended."""

    operations: int
    verdict: str
    signatures: dict[str, int]
    """Of each signature, how often it was seen."""
    shown: bytes


Record: TypeAlias = Header | Arrived | Chunk | End


def to_frame(record: Record) -> Frame:
    """A record as a frame. Raises `WireError` where a field holds what it may not."""
    match record:
        case Header():
            return Frame(HEADER, pack(_plain(record)))
        case Arrived(position, mailbox, message):
            return Frame(MESSAGE, pack([position, mailbox, encode(message)]))
        case Chunk(decisions, shown):
            words = pack_words(f"<{len(decisions)}h", *decisions)
            return Frame(CHUNK, pack([zlib.compress(words), shown]))
        case End(operations, verdict, signatures, shown):
            return Frame(END, pack([operations, verdict, signatures, shown]))


def _plain(header: Header) -> Plain:
    return [
        VERSION,
        header.program,
        given(header.parameters),
        header.backend,
        header.codec,
        header.seed,
        header.contexts,
        header.digest,
    ]


def from_frame(frame: Frame) -> Record:
    """The record that a frame is. Raises `WireError` for any other."""
    value = unpack(frame.payload, _LIMITS)
    if frame.kind == HEADER:
        return _header(value)
    if frame.kind == MESSAGE:
        return _arrived(value)
    if frame.kind == CHUNK:
        decisions, shown = items(value, "chunk", 2)
        return Chunk(_decisions(_bytes(decisions, "decisions")), _digest(shown))
    if frame.kind == END:
        return _end(value)
    raise WireError(f"a frame of kind {frame.kind}, which a live run has not")


def _header(value: Plain) -> Header:
    version, *_ = items(value, "header") or [None]
    if version != VERSION:
        raise WireError(f"live run version {version!r}, where {VERSION} is expected")
    _, program, parameters, backend, codec, seed, names, digest = items(value, "header", 8)
    return Header(
        text(program, "program"),
        parameters_from(parameters),
        text(backend, "backend"),
        text(codec, "codec"),
        integer(seed, "seed", 0, _MOST),
        tuple(text(name, "context") for name in items(names, "contexts")),
        digest_from(digest),
    )


def _arrived(value: Plain) -> Arrived:
    position, mailbox, message = items(value, "message", 3)
    return Arrived(
        integer(position, "position", 0, _MOST),
        text(mailbox, "mailbox"),
        decode(_bytes(message, "message")),
    )


def _end(value: Plain) -> End:
    operations, verdict, signatures, shown = items(value, "end", 4)
    return End(
        integer(operations, "operations", 0, _MOST),
        text(verdict, "verdict"),
        {
            signature: integer(count, "count", 1, _MOST)
            for signature, count in entries(signatures, "signatures").items()
        },
        _digest(shown),
    )


def _decisions(data: bytes) -> tuple[int, ...]:
    stream = zlib.decompressobj()
    try:
        words = stream.decompress(data, _LONGEST)
    except zlib.error as error:
        raise WireError(f"decisions: {error}") from None
    if not stream.eof or stream.unused_data or len(words) % 2 or not words:
        raise WireError(f"decisions are not 1 to {_LONGEST // 2} words")
    return unpack_words(f"<{len(words) // 2}h", words)


def _digest(value: Plain) -> bytes:
    digest = _bytes(value, "digest")
    if len(digest) != DIGEST:
        raise WireError(f"a digest of {len(digest)} bytes, where {DIGEST} are expected")
    return digest


def _bytes(value: Plain, name: str) -> bytes:
    if not isinstance(value, bytes):
        raise WireError(f"{name} is not bytes")
    return value
