"""A journal: a file of frames to which frames are only ever added.

    magic (4 bytes)   version (1)   frame   frame   ...

Each frame is handed to the operating system before `write` returns. So when the writer dies, at whatever byte,
the file is a beginning of what was written: whole frames, and at most one that is cut short, the torn end. A
reader takes every whole frame and then says whether the end is torn; a writer that goes on cuts it off first.
What is wrong with more after it was no crash: it is damage, and a `WireError` that says at which byte.

A last frame that is there in full, but does not match its checksums, counts as torn: a file may grow before its
content is there. One writer at a time; nothing here waits for the disk.
"""

from collections.abc import Iterator
from enum import Enum
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Final, Self

from .codec import CONTROL
from .errors import WireError
from .frames import HEAD, Frame, pack_frame, unpack_head

VERSION: Final = 1

_MAGIC: Final = b"\x93SWJ"
"""No text: the first byte is neither ASCII nor the beginning of a UTF-8 sequence."""

_START: Final = _MAGIC + bytes([VERSION])


def is_journal(path: Path) -> bool:
    """Whether a file begins as a journal does, as far as it goes."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
    except OSError:
        return False
    return bool(start) and _MAGIC.startswith(start)


class _End(Enum):
    """How a file ends where a frame could begin."""

    WHOLE = "whole"
    TORN = "torn"


class JournalReader:
    """A journal's frames, each read when it is asked for. Use it in a `with`."""

    def __init__(self, path: Path, limit: int = CONTROL.size) -> None:
        """Opens the file, or raises `OSError`. Payloads of more than `limit` bytes are refused."""
        self._file: BinaryIO = path.open("rb")
        self._limit = limit
        self.end = 0
        """The byte after the last whole frame that was read."""
        self.torn = False
        """Whether there is more after `end`, which is no whole frame: known when all frames were read."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Frame]:
        """All whole frames, from the first. Raises `WireError` for what is no journal of this version, and at
        damage."""
        end = self._start()
        while end is None:
            read = self._frame()
            if isinstance(read, Frame):
                yield read
            else:
                end = read
        self.torn = end is _End.TORN

    def _start(self) -> _End | None:
        """Read the beginning of the file; how it ends, if that is all."""
        self._file.seek(0)
        self.end, self.torn = 0, False
        start = self._file.read(len(_START))
        if start == _START:
            self.end = len(_START)
            return None
        if _START.startswith(start):
            return _End.TORN
        if start.startswith(_MAGIC):
            raise WireError(f"journal version {start[-1]}, where {VERSION} is expected")
        raise WireError("not a journal")

    def _frame(self) -> Frame | _End:
        """Read the next frame, or how the file ends."""
        data = self._file.read(HEAD)
        if len(data) < HEAD:
            return _End.TORN if data else _End.WHOLE
        try:
            head = unpack_head(data, self._limit)
        except WireError as error:
            return self._torn_or(str(error))
        payload = self._file.read(head.length)
        if len(payload) < head.length:
            return _End.TORN
        if not head.fits(payload):
            return self._torn_or("damaged: the checksum of a frame does not match")
        self.end += HEAD + head.length
        return Frame(head.kind, payload)

    def _torn_or(self, damage: str) -> _End:
        """What is wrong is a torn end if the file ends with it. Raises `WireError` if not."""
        if self._file.read(1):
            raise WireError(f"byte {self.end}: {damage}")
        return _End.TORN


class JournalWriter:
    """Adds frames to a journal. Use it in a `with`."""

    def __init__(self, file: FileIO, limit: int) -> None:
        """Use `create` or `extend`."""
        # without a buffer: what a failed write leaves in one would be written later
        self._file = file
        self._limit = limit

    @classmethod
    def create(cls, path: Path, limit: int = CONTROL.size) -> Self:
        """A new journal. Raises `OSError`, also where there is a file already. No payload will be of more than
        `limit` bytes."""
        journal = cls(path.open("xb", buffering=0), limit)
        journal._write(_START)
        return journal

    @classmethod
    def extend(cls, path: Path, limit: int = CONTROL.size) -> Self:
        """Go on with a journal after its last whole frame. Raises `OSError`, and `WireError` for a damaged one,
        which stays as it is."""
        with JournalReader(path, limit) as reader:
            for _ in reader:
                pass
        journal = cls(path.open("r+b", buffering=0), limit)
        journal._file.truncate(reader.end)
        journal._file.seek(reader.end)
        if reader.end == 0:
            journal._write(_START)
        return journal

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._file.close()

    def write(self, frame: Frame) -> None:
        """Add a frame. Raises `WireError` for one that is too large. Where the file takes no more it raises
        `OSError` and the journal is closed: its end may be torn."""
        self._write(pack_frame(frame, self._limit))

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except BaseException:
            # another frame after half a one would be damage
            self._file.close()
            raise
