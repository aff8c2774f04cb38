"""Records that perf compressed: one stream over many records, whole or cut anywhere; and bombs."""

import sys
from collections.abc import Callable

import pytest
import zstandard

from stackweave.core.sframe.perf import PerfFile, PerfSession, compressed
from stackweave.core.sframe.perf.constants import RecordType

from .perf_made import Made, Session

MADE = Made()
SAMPLES = b"".join(MADE.sample(5, 10 + i, stack=bytes(64)) for i in range(200))


def wrapped(parts: list[bytes]) -> list[bytes]:
    """COMPRESSED records: the payload is all that follows the header."""
    whole = [part for part in parts if part]
    return [MADE.pack("IHH", RecordType.COMPRESSED, 0, 8 + len(part)) + part for part in whole]


def wrapped2(parts: list[bytes]) -> list[bytes]:
    """COMPRESSED2 records: with their length, and padded."""
    return [MADE.record(RecordType.COMPRESSED2, MADE.words(len(part)) + part) for part in parts]


def stream(data: bytes, pieces: int) -> list[bytes]:
    """One zstd stream, flushed after each piece as `perf record -z` does."""
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    size = len(data) // pieces + 1
    return [
        packer.compress(data[at : at + size]) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        for at in range(0, len(data), size)
    ]


def opened(records: list[bytes]) -> PerfSession:
    return PerfSession(PerfFile(Session(MADE, records=records).as_file(), "made"))


Wrap = Callable[[list[bytes]], list[bytes]]
KINDS = pytest.mark.parametrize("wrap", [wrapped, wrapped2])


@KINDS
@pytest.mark.parametrize("pieces", [1, 2, 7, 64])
def test_compressed_records_are_records(wrap: Wrap, pieces: int) -> None:
    """Pieces end within records; what is left over belongs to the next."""
    session = opened([MADE.sample(5, 1), *wrap(stream(SAMPLES, pieces)), MADE.sample(5, 900)])
    assert [stack.time for stack in session.stacks()] == [1, *range(10, 210), 900]
    assert session.missing == ()


@KINDS
def test_damage_ends_the_reading(wrap: Wrap) -> None:
    parts = stream(SAMPLES, 4)
    parts[2] = b"\xff" * 40
    session = opened([*wrap(parts), MADE.sample(5, 900)])
    assert 0 < len(list(session.stacks())) < 200
    (missing,) = session.missing
    assert missing.startswith("all behind this: damaged compressed records")


def test_a_bomb_is_refused() -> None:
    """A gigabyte of zero bytes takes some 100 KiB; nothing like it is ever held."""
    packer = zstandard.ZstdCompressor().compressobj()
    mebibyte = bytes(1 << 20)
    packed = b"".join(packer.compress(mebibyte) for _ in range(1024)) + packer.flush()
    assert len(packed) < 1 << 17
    parts = [packed[at : at + 60000] for at in range(0, len(packed), 60000)]
    session = opened(wrapped2(parts))
    assert list(session.stacks()) == []
    assert session.missing == ("all behind this: compressed records that grow more than 512 times",)


def test_compressed_records_hold_no_compressed_ones() -> None:
    inner = b"".join(wrapped2(stream(SAMPLES, 1)))
    session = opened([*wrapped2(stream(inner, 1)), MADE.sample(5, 900)])
    assert [stack.time for stack in session.stacks()] == [900]


def test_without_zstandard_the_rest_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    session = opened([MADE.sample(5, 1), *wrapped2(stream(SAMPLES, 3)), MADE.sample(5, 900)])
    assert [stack.time for stack in session.stacks()] == [1, 900]
    assert session.missing == ("compressed records (the zstandard package reads them)",)


@pytest.mark.parametrize("pieces", [2, 7])
def test_a_reader_that_forgets_what_is_left_over_is_seen(
    pieces: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compressed.Decompressor, "keep", lambda *_: None)
    session = opened(wrapped(stream(SAMPLES, pieces)))
    assert [stack.time for stack in session.stacks()] != list(range(10, 210))
