"""Journals of short live runs, and journals made of other records."""

from collections.abc import Callable, Sequence
from pathlib import Path

from stackweave.run.records import Chunk, Record, from_frame
from stackweave.wire.frames import HEAD, Frame
from stackweave.wire.journal import JournalReader, JournalWriter

SMALL = 256
"""Decisions of a chunk, so that short runs have several."""

Change = Callable[[list[Record]], list[Record]]


def records_of(path: Path) -> list[Record]:
    """All that is in a journal."""
    with JournalReader(path) as reader:
        return [from_frame(frame) for frame in reader]


def written(path: Path, frames: Sequence[Frame]) -> Path:
    """A journal of these frames."""
    with JournalWriter.create(path) as journal:
        for frame in frames:
            journal.write(frame)
    return path


def boundaries(path: Path) -> list[int]:
    """Where each frame ends."""
    ends = [5]
    with JournalReader(path) as reader:
        for frame in reader:
            ends.append(ends[-1] + HEAD + len(frame.payload))
    return ends[1:]


def third_chunk(records: list[Record]) -> int:
    """Where it is."""
    return [at for at, each in enumerate(records) if isinstance(each, Chunk)][2]
