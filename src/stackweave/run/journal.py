"""A live run's journal: written while the run goes on, so that a crash leaves all but the last decisions."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Self

from stackweave.core import Interpreter, Occurrence, Outcome, UsageError
from stackweave.wire import Message, WireError
from stackweave.wire.journal import JournalReader, JournalWriter

from .records import Arrived, Chunk, End, Header, Record, from_frame, to_frame
from .witness import Witness

CHUNK: Final = 4096
"""Decisions that one frame holds, or a few more: as many as its last operation took."""


class Keeper:
    """Writes the journal of one live run. Use it in a `with`."""

    def __init__(self, path: Path, header: Header) -> None:
        """A new journal. Raises `UsageError` where there is a file already, `OSError` where none can be."""
        try:
            self._journal = JournalWriter.create(path)
        except FileExistsError:
            raise UsageError(f"{path} is there already: no run writes over a file") from None
        except OSError as error:
            raise _cannot_write(path, error) from None
        self._path = path
        self._decisions = 0
        self._messages = 0
        self._witness = Witness()
        self._write(header)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._journal.__exit__(*raised)

    def note(self, events: Iterable[Occurrence]) -> None:
        """See what was emitted: all events, in their order."""
        self._witness.note(events)

    def keep(self, interpreter: Interpreter) -> None:
        """Write a chunk where there is enough for one; to be called after each operation."""
        if len(interpreter.schedule) - self._decisions >= CHUNK:
            self._write_chunk(interpreter)

    def end(self, interpreter: Interpreter, outcome: Outcome) -> None:
        """Write what is left, and how the run ended."""
        self._write_messages(interpreter)
        if len(interpreter.schedule) > self._decisions:
            self._write_chunk(interpreter)
        signatures = Counter(each.signature for each in outcome.violations)
        shown = self._witness.digest(interpreter.store)
        self._write(End(outcome.operations, outcome.verdict.value, dict(signatures), shown))

    def _write_chunk(self, interpreter: Interpreter) -> None:
        # before the decisions: those that they came among have them then
        self._write_messages(interpreter)
        decisions = tuple(interpreter.schedule[self._decisions :])
        self._decisions += len(decisions)
        self._write(Chunk(decisions, self._witness.digest(interpreter.store)))

    def _write_messages(self, interpreter: Interpreter) -> None:
        mailboxes = interpreter.program.layout.mailboxes
        for position, number, message in interpreter.injected[self._messages :]:
            assert isinstance(message, Message)
            self._write(Arrived(position, mailboxes[number].name, message))
            self._messages += 1

    def _write(self, record: Record) -> None:
        try:
            self._journal.write(to_frame(record))
        except OSError as error:
            raise _cannot_write(self._path, error) from None


def _cannot_write(path: Path, error: OSError) -> OSError:
    return OSError(f"cannot write {path}: {error.strerror}")


class Records:
    """The records of a journal, each read when it is asked for. Use it in a `with`.

    Raises `UsageError` for a file that cannot be read, and for one that is damaged or no live run's.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._journal = JournalReader(path)
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}") from None
        self._all = self._read()
        self.ended = False
        """Whether the end was read."""
        self.header = self._first()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._journal.__exit__(*raised)

    @property
    def torn(self) -> bool:
        """Whether the last frame is cut short: known when all were read."""
        return self._journal.torn

    def __iter__(self) -> Iterator[Arrived | Chunk | End]:
        """What follows the header."""
        for record in self._all:
            if isinstance(record, Header):
                raise UsageError(f"{self._path}: a second header")
            if self.ended:
                raise UsageError(f"{self._path}: it goes on after its end")
            self.ended = isinstance(record, End)
            yield record

    def _first(self) -> Header:
        try:
            first = next(self._all, None)
            if first is None:
                raise UsageError(f"{self._path}: cut short before its header was whole")
            if not isinstance(first, Header):
                raise UsageError(f"{self._path}: no header")
        except BaseException:  # nobody else will close it
            self._journal.__exit__()
            raise
        return first

    def _read(self) -> Iterator[Record]:
        try:
            for frame in self._journal:
                yield from_frame(frame)
        except WireError as error:
            raise UsageError(f"{self._path}: {error}") from None
