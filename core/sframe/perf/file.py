"""perf.data as a container: header, events, features, and the records one after the other.

Two shapes share the magic. A *file* has a header with places: the events' attributes, the data,
and behind the data one section for each feature bit. A *pipe* (`perf record -o -`) is records
only, attributes and features among them, so events become known while one reads.

Nothing is read ahead: the file is mapped and `records` walks it once. What a cut or damaged file
lacks is added to `missing` on the way. Tables are bounded by the file's size, and tables over
the same bytes count each time.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stackweave.core.sframe.elf import Buffer, ByteOrder, map_file
from stackweave.core.sframe.errors import DumpError, ElfError
from stackweave.core.sframe.perf.attributes import SMALLEST_ATTR, Events, parse_attr
from stackweave.core.sframe.perf.compressed import Decompressor
from stackweave.core.sframe.perf.constants import MAGIC, RecordType
from stackweave.core.sframe.perf.cursor import Cursor, CutError
from stackweave.core.sframe.perf.features import Features

_PIPE_HEADER: Final = 16
_SECTION: Final = 16
_FEATURES: Final = 256
"""Bits for features in the header."""
_SMALLEST_RECORD: Final = 8
"""Bytes of a record's header."""
_HEAD: Final = {"little": struct.Struct("<IHH"), "big": struct.Struct(">IHH")}


@dataclass(frozen=True, slots=True)
class Record:
    """One record; its body begins at `at`."""

    kind: int
    """A `RecordType`, or a number that this reader does not know."""
    misc: int
    data: Buffer
    at: int
    end: int

    def cursor(self, order: ByteOrder) -> Cursor:
        return Cursor(self.data, self.at, self.end, order)


class PerfFile:
    """An opened perf.data of either shape and byte order."""

    def __init__(self, data: Buffer, name: str) -> None:
        """Read the header and its tables; raises `DumpError`."""
        self.name = name
        self.data = data
        self.order: ByteOrder = _byte_order(data, name)
        self.events = Events()
        self.features = Features()
        self.missing: dict[str, None] = {}
        """What the file should hold and does not, for people, each once."""
        header = Cursor(data, len(MAGIC), len(data), self.order)
        try:
            size = header.u64()
            self.is_pipe = size == _PIPE_HEADER
            self._range = (_PIPE_HEADER, len(data))
            if not self.is_pipe:
                self._read_tables(header)
        except CutError:
            raise DumpError(f"{name}: the header is cut") from None

    @classmethod
    def open(cls, path: Path | str) -> "PerfFile":
        """Map the file at `path`; raises `DumpError`."""
        path = Path(path)
        try:
            return cls(map_file(path), path.name)
        except ElfError as error:
            raise DumpError(str(error)) from error

    def records(self) -> Iterator[Record]:
        """All records in the file's order, compressed ones as what they hold."""
        decompressor: Decompressor | None = None
        for record in self._walk(self.data, *self._range):
            if record.kind not in (RecordType.COMPRESSED, RecordType.COMPRESSED2):
                yield record
                continue
            try:
                decompressor = decompressor or Decompressor()
            except ImportError:
                self.missing["compressed records (the zstandard package reads them)"] = None
                continue
            try:
                data = decompressor.records(self._compressed(record))
            except DumpError as error:
                self.missing[f"all behind this: {error}"] = None
                return
            end = 0
            for inner in self._walk(data, 0, len(data), is_part=True):
                end = inner.end
                if inner.kind not in (RecordType.COMPRESSED, RecordType.COMPRESSED2):
                    yield inner
            rest = data[end:]
            if len(rest) >= _SMALLEST_RECORD and self._size_at(rest, 0) < _SMALLEST_RECORD:
                return  # a damaged record, which would stand before all that is still to come
            decompressor.keep(rest)

    def _walk(self, data: Buffer, at: int, end: int, *, is_part: bool = False) -> Iterator[Record]:
        """The records there; those of a part may go on in the next.

        Parts hold what the kernel has written, so there nothing follows a record.
        """
        unpack = _HEAD[self.order].unpack_from
        while at + _SMALLEST_RECORD <= end:
            kind, misc, size = unpack(data, at)
            if size < _SMALLEST_RECORD:
                self.missing[f"all behind a damaged record at offset {at:#x}"] = None
                return
            record = Record(kind, misc, data, at + 8, at + size)
            if kind >= RecordType.TRACING_DATA and not is_part:
                size += self._trailing(record)
            if at + size > end:
                break
            yield record
            at += size
        if at < end and not is_part:
            self.missing["the end of the last record"] = None

    def _size_at(self, data: Buffer, at: int) -> int:
        """What the header there says."""
        size: int = _HEAD[self.order].unpack_from(data, at)[2]
        return size

    def _trailing(self, record: Record) -> int:
        """Bytes that follow a record without being part of it."""
        try:
            if record.kind == RecordType.TRACING_DATA:
                return record.cursor(self.order).u32() + 7 & ~7
            if record.kind == RecordType.AUXTRACE:
                return record.cursor(self.order).u64()
        except CutError:
            self.missing["damaged records"] = None
        return 0

    def _compressed(self, record: Record) -> bytes:
        cursor = record.cursor(self.order)
        try:
            size = cursor.u64() if record.kind == RecordType.COMPRESSED2 else None
            return cursor.rest() if size is None else cursor.take(size)
        except CutError:
            self.missing["damaged records"] = None
            return b""

    def _read_tables(self, header: Cursor) -> None:
        """Attributes, place of the data, features."""
        attr_size, attrs_at, attrs_size, at, size = header.words(5)
        header.skip(_SECTION)  # event types, no longer written
        bits = header.words(_FEATURES // 64)
        if attr_size < SMALLEST_ATTR + _SECTION or attrs_at + attrs_size > len(self.data):
            raise DumpError(f"{self.name}: the header's table of events is damaged or cut")
        ids_left = len(self.data)
        for entry in range(attrs_at, attrs_at + attrs_size - attr_size + 1, attr_size):
            ids_left -= self._read_attr(entry, attr_size, ids_left)
        if not size:
            self.missing[
                "the size of the data and all features: the recording was not finished"
            ] = None
            self._range = (at, len(self.data))
            return
        if at + size > len(self.data):
            cut = min(size, at + size - len(self.data))
            self.missing[f"{cut} bytes of data behind the end of the file"] = None
        self._range = (at, min(at + size, len(self.data)))
        self._read_features(at + size, bits)

    def _read_attr(self, at: int, size: int, limit: int) -> int:
        """One event with its ids; returns the size of the ids."""
        entry = Cursor(self.data, at, at + size, self.order)
        attr = entry.take(size - _SECTION)
        ids_at, ids_size = entry.words(2)
        if ids_size > limit:
            raise DumpError(f"{self.name}: an event claims {ids_size} bytes of ids")
        ids = Cursor(self.data, ids_at, ids_at + ids_size, self.order)
        self.events.add(parse_attr(attr, self.order), ids.words(ids_size // 8))
        return ids_size

    def _read_features(self, at: int, bits: tuple[int, ...]) -> None:
        """The sections behind the data, in the order of their bits."""
        present = [i for i in range(_FEATURES) if bits[i // 64] >> i % 64 & 1]
        table = Cursor(self.data, at, at + _SECTION * len(present), self.order)
        for feature in present:
            try:
                section_at, size = table.words(2)
                if section_at + size > len(self.data):
                    raise CutError
                section = Cursor(self.data, section_at, section_at + size, self.order)
                self.read_feature(feature, section)
            except CutError:
                self.missing["features"] = None

    def read_feature(self, feature: int, section: Cursor) -> None:
        """Take a feature, and the names of events if it has them; raises `CutError`."""
        known = len(self.features.event_names)
        try:
            self.features.read(feature, section)
        finally:
            for index, (name, ids) in enumerate(self.features.event_names[known:], known):
                self.events.rename(ids, index, name)


def is_perf_data(data: Buffer) -> bool:
    """Whether a file begins as one of these."""
    return bytes(data[: len(MAGIC)]) in (MAGIC, MAGIC[::-1])


def _byte_order(data: Buffer, name: str) -> ByteOrder:
    magic = bytes(data[: len(MAGIC)])
    if magic == MAGIC:
        return "little"
    if magic == MAGIC[::-1]:
        return "big"
    raise DumpError(f"{name}: not a perf.data file")
