"""The journal: torn at every byte, damaged at every bit, and never read or written over by mistake."""

import tracemalloc
from io import FileIO
from pathlib import Path

import pytest

from stackweave.wire import WireError
from stackweave.wire.frames import HEAD, Frame, pack_frame
from stackweave.wire.journal import JournalReader, JournalWriter

FRAMES = [Frame(1, b"first"), Frame(2, b""), Frame(255, bytes(range(20))), Frame(1, b"last")]

START = 5
"""Bytes before the first frame."""

ENDS = [START + sum(HEAD + len(frame.payload) for frame in FRAMES[:count]) for count in range(5)]
"""Where each frame begins, and the file ends."""


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    path = tmp_path / "whole"
    with JournalWriter.create(path) as journal:
        for frame in FRAMES:
            journal.write(frame)
    return path.read_bytes()


def read(path: Path, limit: int = 1 << 16) -> tuple[list[Frame], bool]:
    """All whole frames, and whether the end is torn."""
    with JournalReader(path, limit) as reader:
        return list(reader), reader.torn


def test_golden_bytes(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with JournalWriter.create(path) as journal:
        assert path.read_bytes().hex() == "9353574a01"
        journal.write(Frame(7, b"Hello"))
        assert path.read_bytes().hex() == "9353574a010000000507f7d189827ae9e91a48656c6c6f"
    assert read(path) == ([Frame(7, b"Hello")], False)


def test_what_was_written_is_read(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "whole"
    assert len(whole) == ENDS[-1]
    assert read(path) == (FRAMES, False)
    with JournalReader(path) as reader:
        assert list(reader) == list(reader) == FRAMES


def test_a_frame_is_there_when_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with JournalWriter.create(path) as journal:
        for count, frame in enumerate(FRAMES, 1):
            journal.write(frame)
            assert read(path) == (FRAMES[:count], False)


def test_torn_at_every_byte(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "torn"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        kept = sum(end <= length for end in ENDS[1:])
        assert read(path) == (FRAMES[:kept], length not in ENDS)


def test_a_torn_journal_goes_on_after_its_last_whole_frame(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "torn"
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        kept = FRAMES[: sum(end <= length for end in ENDS[1:])]
        with JournalWriter.extend(path) as journal:
            assert read(path) == (kept, False)
            journal.write(Frame(9, b"more"))
        assert read(path) == ([*kept, Frame(9, b"more")], False)


def test_no_damage_goes_unseen(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "damaged"
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        assert _seen(path, bit // 8)


def _seen(path: Path, at: int) -> bool:
    """Whether the damage of this byte is seen for what it is."""
    try:
        frames, torn = read(path)
    except WireError as error:
        place = max((end for end in ENDS if end <= at), default=0)
        return str(error).startswith(
            f"byte {place}: damaged" if place else ("journal version", "not a")
        )
    # of the last payload nobody can say whether it was ever there
    return torn and frames == FRAMES[:-1] and at >= ENDS[-2] + HEAD


def test_a_reader_without_checksums_would_not_see_it(
    tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stackweave.wire.frames.crc32", lambda data: 0)
    path = tmp_path / "damaged"
    damaged = bytearray(b"".join([whole[:START], *map(pack_frame, FRAMES)]))
    damaged[START + HEAD] ^= 1
    path.write_bytes(damaged)
    assert not _seen(path, START + HEAD)


def test_a_frame_that_is_gone_in_the_middle_is_damage(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(whole[: ENDS[2] + 3] + whole[ENDS[2] + 7 :])
    with JournalReader(path) as reader:
        frames = iter(reader)
        assert [next(frames), next(frames)] == FRAMES[:2]
        with pytest.raises(WireError, match=f"byte {ENDS[2]}: damaged"):
            next(frames)


def test_a_damaged_journal_is_not_extended(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "damaged"
    damaged = whole[: ENDS[1] - 1] + b"?" + whole[ENDS[1] :]
    path.write_bytes(damaged)
    with pytest.raises(WireError, match=f"byte {START}: damaged"):
        JournalWriter.extend(path)
    assert path.read_bytes() == damaged


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x93SWJ\x02", "journal version 2, where 1 is expected"),
        (b"\x93SWJ\x00" + b"\x00" * 100, "journal version 0, where 1 is expected"),
        (b"a text\n", "not a journal"),
        (b"\x00", "not a journal"),
        (b"\xc2\x93SWJ\x01", "not a journal"),
    ],
)
def test_another_file_is_neither_read_nor_extended(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "other"
    path.write_bytes(data)
    with pytest.raises(WireError, match=says):
        read(path)
    with pytest.raises(WireError, match=says):
        JournalWriter.extend(path)
    assert path.read_bytes() == data


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        JournalWriter.create(path)
    assert path.read_bytes() == b"precious"


def test_no_file_is_made_by_extending(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        JournalWriter.extend(tmp_path / "none")
    assert not list(tmp_path.iterdir())


def test_the_limit_holds_both_ways(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with JournalWriter.create(path, limit=10) as journal:
        journal.write(Frame(1, b"0123456789"))
        with pytest.raises(WireError, match="a payload of 11 bytes, more than 10"):
            journal.write(Frame(1, b"0123456789A"))
        journal.write(Frame(1, b"after"))
    assert read(path, limit=10)[0] == [Frame(1, b"0123456789"), Frame(1, b"after")]
    with pytest.raises(WireError, match="byte 5: a frame of 10 bytes, more than 9"):
        read(path, limit=9)


class _Disk(FileIO):
    """A file that takes few bytes at a time, and no more when it is full."""

    room = 30

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]  # fewer kinds will do
        if self.room == 0:
            raise OSError(28, "No space left on device")
        taken = min(self.room, 4, len(data))
        self.room -= taken
        return super().write(memoryview(data)[:taken])


def test_a_full_disk_leaves_a_torn_end(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "full"
    path.write_bytes(whole[:START])
    disk = _Disk(path, "ab")
    with JournalWriter(disk, 1 << 16) as journal:
        journal.write(FRAMES[0])
        with pytest.raises(OSError, match="No space left"):
            journal.write(FRAMES[2])
        disk.room = 1000
        with pytest.raises(ValueError, match="closed"):
            journal.write(FRAMES[1])
    assert read(path) == (FRAMES[:1], True)
    with JournalWriter.extend(path) as journal:
        for frame in FRAMES[1:]:
            journal.write(frame)
    assert path.read_bytes() == whole


def test_a_long_journal_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long"
    frame = Frame(1, bytes(50_000))
    with JournalWriter.create(path) as journal:
        for _ in range(200):
            journal.write(frame)
    tracemalloc.start()
    with JournalReader(path) as reader:
        count = sum(1 for _ in reader)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 200
    assert peak < 1 << 20 < path.stat().st_size // 9
