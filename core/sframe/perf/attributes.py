"""The events of a session: what each one's samples hold, and which event a record belongs to."""

from dataclasses import dataclass, field
from typing import Final

from stackweave.core.sframe.elf import ByteOrder
from stackweave.core.sframe.errors import DumpError
from stackweave.core.sframe.perf.constants import RecordType, SampleType
from stackweave.core.sframe.perf.cursor import Cursor, CutError

SMALLEST_ATTR: Final = 64
"""PERF_ATTR_SIZE_VER0: struct perf_event_attr as first published."""
_LARGEST_ATTR: Final = 4096

_SAMPLE_ID_ALL: Final = 18
"""Bit of the attr's flag word."""

_TRAILER: Final = (
    SampleType.TID,
    SampleType.TIME,
    SampleType.ID,
    SampleType.STREAM_ID,
    SampleType.CPU,
    SampleType.IDENTIFIER,
)
"""What sample_id_all puts behind other records, in this order, a word each."""
_BEFORE_TIME: Final = (SampleType.IDENTIFIER, SampleType.IP, SampleType.TID)
_BEFORE_ID: Final = (SampleType.IP, SampleType.TID, SampleType.TIME, SampleType.ADDR)

_HARDWARE: Final = ("cycles", "instructions", "cache-references", "cache-misses", "branches")
_SOFTWARE: Final = ("cpu-clock", "task-clock", "page-faults", "context-switches", "cpu-migrations")
_PLAIN_NAMES: Final = {
    **{(0, config): name for config, name in enumerate(_HARDWARE)},
    **{(1, config): name for config, name in enumerate(_SOFTWARE)},
}
"""(type, config) of common events, for files that name none."""


@dataclass(slots=True)
class Event:
    """One event that was recorded: struct perf_event_attr, as far as the records' layout needs it."""

    sample_type: SampleType
    read_format: int
    branch_sample_type: int
    user_registers: int
    """Mask of perf register numbers."""
    sample_id_all: bool
    name: str
    trailer: dict[SampleType, int] = field(init=False, repr=False)
    """Where each word of the trailer stands: bytes before a record's end."""
    time_at: int | None = field(init=False, repr=False)
    """Where a sample's time stands: bytes behind its header."""

    def __post_init__(self) -> None:
        present = [each for each in _TRAILER if self.sample_type & each]
        size = 8 * len(present) if self.sample_id_all else 0
        self.trailer = {each: size - 8 * i for i, each in enumerate(present)} if size else {}
        before = sum(8 for each in _BEFORE_TIME if self.sample_type & each)
        self.time_at = before if self.sample_type & SampleType.TIME else None


def parse_attr(data: bytes, order: ByteOrder) -> Event:
    """Decode a struct perf_event_attr of any published size; raises `DumpError`."""
    if not SMALLEST_ATTR <= len(data) <= _LARGEST_ATTR:
        raise DumpError(f"an event attribute of {len(data)} bytes")
    cursor = Cursor(data.ljust(_LARGEST_ATTR, b"\0"), 0, _LARGEST_ATTR, order)
    kind, _size, config, _period, sample_type, read_format, flags = (
        cursor.u32(),
        cursor.u32(),
        *cursor.words(5),
    )
    cursor.skip(24)  # wakeup, breakpoint, config1 and config2
    branches, registers = cursor.words(2)
    # bit fields begin at the other end of the word in big-endian files
    bit = _SAMPLE_ID_ALL if order == "little" else 63 - _SAMPLE_ID_ALL
    name = _PLAIN_NAMES.get((kind, config), f"{kind}:{config:#x}")
    return Event(
        SampleType(sample_type),
        read_format,
        branches,
        registers,
        bool(flags >> bit & 1),
        name,
    )


class Events:
    """All events of a session, and the ids their records carry."""

    def __init__(self) -> None:
        self.all: list[Event] = []
        self._by_id: dict[int, Event] = {}

    def add(self, event: Event, ids: tuple[int, ...]) -> None:
        self.all.append(event)
        self._by_id.update(dict.fromkeys(ids, event))

    def rename(self, ids: tuple[int, ...], index: int, name: str) -> None:
        """Name the event that has one of the ids, or that stands at `index`."""
        event = next((self._by_id[i] for i in ids if i in self._by_id), None)
        if event is None and not ids and index < len(self.all):
            event = self.all[index]
        if event is not None:
            event.name = name

    def of(self, kind: int, data: Cursor) -> Event | None:
        """The event that a record's fields belong to; None if it names one that is not known.

        The ids stand where the first event has them: a session whose events disagree about
        that has IDENTIFIER in all of them. Records that the tool made itself have the id 0.
        """
        if not self.all:
            return None
        first = self.all[0]
        at = _id_at(first, kind, data) if len(self.all) > 1 else None
        if at is None:
            return first
        identifier = Cursor(data.data, at, data.end, data.order).u64()
        return self._by_id.get(identifier) if identifier else first


def _id_at(first: Event, kind: int, data: Cursor) -> int | None:
    """Where a record holds the id of its event; None if it has none."""
    wanted = SampleType.IDENTIFIER | SampleType.ID
    if not first.sample_type & wanted:
        return None
    if kind == RecordType.SAMPLE:
        if first.sample_type & SampleType.IDENTIFIER:
            return data.at
        return data.at + 8 * sum(1 for each in _BEFORE_ID if first.sample_type & each)
    key = SampleType.IDENTIFIER if first.sample_type & SampleType.IDENTIFIER else SampleType.ID
    if key not in first.trailer:
        return None
    at = data.end - first.trailer[key]
    if at < data.at:
        raise CutError
    return at
