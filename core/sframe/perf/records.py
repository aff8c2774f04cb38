"""The kernel's other records: mappings, names, births and ends of tasks, deferred callchains."""

from dataclasses import dataclass
from typing import Final

from stackweave.core.sframe.perf.attributes import Event
from stackweave.core.sframe.perf.constants import PROT_EXEC, Misc, RecordType, SampleType
from stackweave.core.sframe.perf.cursor import Cursor, CutError

_BUILD_ID_ROOM: Final = 24


@dataclass(frozen=True, slots=True)
class Trailer:
    """What sample_id_all put behind a record; None where its event records none."""

    pid: int | None
    tid: int | None
    time: int | None
    cpu: int | None


@dataclass(frozen=True, slots=True)
class Mmap:
    """A file was mapped."""

    pid: int
    low: int
    size: int
    offset: int
    """Bytes into the file."""
    path: str
    executable: bool
    build_id: bytes | None


@dataclass(frozen=True, slots=True)
class Comm:
    """A task got a name."""

    pid: int
    tid: int
    comm: str
    is_exec: bool
    """With a new program: its old mappings are gone."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task was made or has ended."""

    pid: int
    parent_pid: int
    tid: int
    parent_tid: int
    has_own_mappings: bool
    """FORK of perf's own making, for a task that ran before: nothing is inherited."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """A user callchain, taken at the return to user mode, for the samples with its cookie."""

    cookie: int
    chain: tuple[int, ...]


def trailer_time(event: Event, record: Cursor) -> int | None:
    """The time in the trailer; raises `CutError`."""
    back = event.trailer.get(SampleType.TIME)
    return None if back is None else _in_trailer(record, back).u64()


def parse_trailer(event: Event, record: Cursor) -> Trailer:
    """Decode the trailer; raises `CutError`."""
    fields = event.trailer
    tasks = _in_trailer(record, fields[SampleType.TID]) if SampleType.TID in fields else None
    cpu = _in_trailer(record, fields[SampleType.CPU]).u32() if SampleType.CPU in fields else None
    pid, tid = (tasks.u32(), tasks.u32()) if tasks else (None, None)
    return Trailer(pid, tid, trailer_time(event, record), cpu)


def _in_trailer(record: Cursor, back: int) -> Cursor:
    """At a word of the trailer, `back` bytes before the record's end."""
    at = record.end - back
    if at < record.at:
        raise CutError
    return Cursor(record.data, at, record.end, record.order)


def parse_mmap(kind: int, misc: int, body: Cursor) -> Mmap:
    pid, _tid = body.u32(), body.u32()
    low, size, offset = body.words(3)
    executable, build_id = not misc & Misc.MMAP_DATA, None
    if kind == RecordType.MMAP2:
        identity = body.take(_BUILD_ID_ROOM)
        if misc & Misc.MMAP_BUILD_ID:
            build_id = identity[4 : 4 + min(20, identity[0])]
        executable = bool(body.u32() & PROT_EXEC)
        body.skip(4)
    return Mmap(pid, low, size, offset, body.text(), executable, build_id)


def parse_comm(misc: int, body: Cursor) -> Comm:
    return Comm(body.u32(), body.u32(), body.text(), bool(misc & Misc.COMM_EXEC))


def parse_task(misc: int, body: Cursor) -> Task:
    pid, parent_pid, tid, parent_tid = (body.u32() for _ in range(4))
    return Task(pid, parent_pid, tid, parent_tid, bool(misc & Misc.FORK_EXEC))


def parse_deferred(body: Cursor) -> Deferred:
    cookie = body.u64()
    return Deferred(cookie, body.words(body.u64()))
