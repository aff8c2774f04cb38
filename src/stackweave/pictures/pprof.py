"""pprof's format: a gzipped protobuf message, perftools.profiles.Profile.

Few of its fields are needed, so the message is written by hand. A field is a varint tag (number
and wire type) and its value: a varint, or a length and that many bytes. Names are numbers in a
table of strings whose first is empty; ids count from 1. Each different stack of a thread is one
sample; its values count how often it was seen, one value per event.

Source: proto/profile.proto of google/pprof.
"""

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from .stack import NamedFrame, NamedStack, Thread

_VARINT: Final = 0
_BYTES: Final = 2
_WORD: Final = (1 << 64) - 1

_SAMPLE_TYPE: Final = 1
_SAMPLE: Final = 2
_MAPPING: Final = 3
_LOCATION: Final = 4
_FUNCTION: Final = 5
_STRING_TABLE: Final = 6
_COMMENT: Final = 13

_NO_EVENT: Final = "threads"

_Stack = tuple[Thread, tuple[int, ...], str]
"""Thread, ids of the locations with the innermost first, event."""


def write_pprof(stacks: Iterable[NamedStack], title: str, out: BinaryIO) -> None:
    """Write the profile; the same stacks give the same bytes."""
    profile = _Profile()
    counts = Counter(profile.key(stack) for stack in stacks)
    with gzip.GzipFile(fileobj=out, mode="wb", filename="", mtime=0) as file:
        for piece in profile.messages(counts, title):
            file.write(piece)


class _Profile:
    """The tables that samples refer to."""

    def __init__(self) -> None:
        self._strings: dict[str, int] = {"": 0}
        self._mappings: dict[str, int] = {}
        self._functions: dict[tuple[str, str], int] = {}
        self._locations: dict[NamedFrame, int] = {}

    def key(self, stack: NamedStack) -> _Stack:
        """A stack by the numbers of its places."""
        ids = tuple(
            self._locations.setdefault(frame, len(self._locations) + 1) for frame in stack.frames
        )
        return stack.thread, ids, stack.event or _NO_EVENT

    def messages(self, counts: Counter[_Stack], title: str) -> Iterator[bytes]:
        """The fields of the profile, the table of strings at last."""
        events = {event: n for n, event in enumerate(dict.fromkeys(key[2] for key in counts))}
        for event in events:
            kind = _number(1, self._string(event)) + _number(2, self._string("count"))
            yield _field(_SAMPLE_TYPE, kind)
        for (thread, ids, event), count in counts.items():
            values = [0] * len(events)
            values[events[event]] = count
            labels = (_field(3, label) for label in self._labels(thread))
            yield _field(_SAMPLE, _packed(1, ids) + _packed(2, values) + b"".join(labels))
        for frame, number in self._locations.items():
            yield _field(_LOCATION, _number(1, number) + self._location(frame))
        for path, number in self._mappings.items():
            has_functions = 7
            named = _number(5, self._string(path)) + _number(has_functions, 1)
            yield _field(_MAPPING, _number(1, number) + named)
        for (name, path), number in self._functions.items():
            texts = (2, name), (3, name), (4, path)
            named = b"".join(_number(field, self._string(text)) for field, text in texts)
            yield _field(_FUNCTION, _number(1, number) + named)
        yield _number(_COMMENT, self._string(title))
        for text in self._strings:
            yield _field(_STRING_TABLE, text.encode("utf-8", "backslashreplace"))

    def _location(self, frame: NamedFrame) -> bytes:
        """Mapping, address, and the line that names the function."""
        path = frame.module or ""
        mapping = self._mappings.setdefault(path, len(self._mappings) + 1) if path else 0
        key = frame.label, path
        function = self._functions.setdefault(key, len(self._functions) + 1)
        return _number(2, mapping) + _number(3, frame.pc) + _field(4, _number(1, function))

    def _labels(self, thread: Thread) -> Iterator[bytes]:
        """Name and numbers of the thread."""
        if thread.name:
            yield _number(1, self._string("thread")) + _number(2, self._string(thread.name))
        for key, value in (("pid", thread.pid), ("tid", thread.tid)):
            if value is not None:
                yield _number(1, self._string(key)) + _number(3, value)

    def _string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the top bit says that more come."""
    value &= _WORD
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    """A field that is a number; 0 is what a missing one means."""
    return _varint(field << 3 | _VARINT) + _varint(value) if value else b""


def _field(field: int, contents: bytes) -> bytes:
    """A field that is a text or a message."""
    return _varint(field << 3 | _BYTES) + _varint(len(contents)) + contents


def _packed(field: int, values: Iterable[int]) -> bytes:
    """A field that is a list of numbers."""
    return _field(field, b"".join(map(_varint, values)))
