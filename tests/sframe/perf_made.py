"""perf.data written here record by record, in either byte order, as a file or as a pipe."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stackweave.core.sframe.elf import ByteOrder
from stackweave.core.sframe.perf.constants import Feature, Misc, RecordType, SampleType

USUAL = (
    SampleType.IP
    | SampleType.TID
    | SampleType.TIME
    | SampleType.CALLCHAIN
    | SampleType.CPU
    | SampleType.REGS_USER
    | SampleType.STACK_USER
)
AMD64_MASK = 0xFF0FFF
AARCH64_MASK = (1 << 33) - 1
S390X_MASK = (1 << 34) - 1


@dataclass(frozen=True)
class Made:
    """Writes in one byte order."""

    order: ByteOrder = "little"

    def pack(self, form: str, *values: int | bytes) -> bytes:
        return struct.pack(("<" if self.order == "little" else ">") + form, *values)

    def words(self, *values: int) -> bytes:
        return self.pack(f"{len(values)}Q", *values)

    def record(self, kind: int, body: bytes, misc: int = 0) -> bytes:
        body += bytes(-len(body) % 8)
        return self.pack("IHH", kind, misc, 8 + len(body)) + body

    def attr(
        self, sample_type: int = USUAL, mask: int = AMD64_MASK, kind: int = 1, config: int = 0
    ) -> bytes:
        """An event of 128 bytes with sample_id_all, whose bit counts from the word's other end in big-endian."""
        flags = 1 << (18 if self.order == "little" else 45)
        head = self.pack("II", kind, 128) + self.words(config, 1000, sample_type, 0, flags)
        return (head + bytes(24) + self.words(0, mask)).ljust(128, b"\0")

    def trailer(self, tid: int, time: int, cpu: int = 0) -> bytes:
        """For `USUAL`: TID, TIME, CPU."""
        return self.pack("IIQII", tid, tid, time, cpu, 0)

    def mmap2(
        self,
        pid: int,
        place: tuple[int, int, int],
        path: bytes,
        *,
        time: int = 1,
        build_id: bytes | None = None,
        prot: int = 5,
    ) -> bytes:
        """`place` is the address, the size and the offset in the file."""
        identity = (build_id or b"").ljust(20, b"\0")
        identity = bytes((len(build_id or b""), 0, 0, 0)) + identity
        name = path + bytes(8 - len(path) % 8)
        body = self.pack("II", pid, pid) + self.words(*place) + identity
        misc = Misc.MMAP_BUILD_ID if build_id else 0
        tail = self.pack("II", prot, 0) + name + self.trailer(pid, time)
        return self.record(RecordType.MMAP2, body + tail, misc)

    def mmap(self, pid: int, place: tuple[int, int, int], path: bytes, time: int = 1) -> bytes:
        name = path + bytes(8 - len(path) % 8)
        body = self.pack("II", pid, pid) + self.words(*place) + name
        return self.record(RecordType.MMAP, body + self.trailer(pid, time))

    def comm(
        self, pid: int, tid: int, name: bytes, time: int = 1, *, is_exec: bool = False
    ) -> bytes:
        body = self.pack("II", pid, tid) + name + bytes(8 - len(name) % 8)
        misc = Misc.COMM_EXEC if is_exec else 0
        return self.record(RecordType.COMM, body + self.trailer(tid, time), misc)

    def task(
        self,
        kind: RecordType,
        pids: tuple[int, int],
        tids: tuple[int, int],
        time: int,
        misc: int = 0,
    ) -> bytes:
        """FORK or EXIT; own number first, then the parent's."""
        body = self.pack("IIIIQ", *pids, *tids, time) + self.trailer(tids[0], time)
        return self.record(kind, body, misc)

    def deferred(self, tid: int, cookie: int, chain: Sequence[int], time: int) -> bytes:
        body = self.words(cookie, len(chain), *chain) + self.trailer(tid, time)
        return self.record(RecordType.CALLCHAIN_DEFERRED, body)

    def sample(
        self,
        tid: int,
        time: int,
        *,
        registers: Sequence[int] = (),
        stack: bytes = b"",
        filled: int | None = None,
        chain: Sequence[int] = (),
        abi: int = 2,
        ip: int = 0x1234,
        misc: int = Misc.CPUMODE_MASK & 2,
    ) -> bytes:
        """A sample of a `USUAL` event."""
        body = self.words(ip) + self.pack("IIQII", tid, tid, time, 3, 0)
        body += self.words(len(chain), *chain)
        body += self.words(abi, *registers) if registers else self.words(0)
        body += self.words(len(stack)) + stack
        if stack:
            body += self.words(len(stack) if filled is None else filled)
        return self.record(RecordType.SAMPLE, body, misc)

    def text(self, text: bytes) -> bytes:
        size = len(text) + 64 & ~63
        return self.pack("I", size) + text.ljust(size, b"\0")

    def build_ids(self, ids: dict[bytes, bytes]) -> bytes:
        entries = []
        for path, build_id in ids.items():
            identity = build_id.ljust(20, b"\0") + bytes((len(build_id), 0, 0, 0))
            body = self.pack("I", 0xFFFFFFFF) + identity + path + bytes(12 - len(path) % 8)
            entries.append(self.record(RecordType.HEADER_BUILD_ID, body, Misc.BUILD_ID_SIZE))
        return b"".join(entries)

    def event_names(self, names: Mapping[bytes, Sequence[int]]) -> bytes:
        entries = [
            self.attr() + self.pack("I", len(ids)) + self.text(name) + self.words(*ids)
            for name, ids in names.items()
        ]
        return self.pack("II", len(names), 128) + b"".join(entries)


@dataclass
class Session:
    """What one recording holds; written as a file or as a pipe."""

    made: Made = field(default_factory=Made)
    attrs: list[tuple[bytes, tuple[int, ...]]] = field(default_factory=list)
    features: dict[int, bytes] = field(default_factory=dict)
    records: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.attrs = self.attrs or [(self.made.attr(), (7,))]
        self.features.setdefault(Feature.ARCH, self.made.text(b"x86_64"))

    def as_file(self, *, finished: bool = True) -> bytes:
        """`finished` false: as a killed `perf record` leaves it."""
        words = self.made.words
        ids = b"".join(words(*ids) for _, ids in self.attrs)
        attrs, ids_at = b"", 104
        for attr, own in self.attrs:
            attrs += attr + words(ids_at, 8 * len(own))
            ids_at += 8 * len(own)
        data = b"".join(self.records)
        data_at = 104 + len(ids) + len(attrs)
        bits = [0] * 4
        table, sections = b"", b""
        at = data_at + len(data) + 16 * len(self.features)
        for feature, section in sorted(self.features.items()):
            bits[feature // 64] |= 1 << feature % 64
            table += words(at + len(sections), len(section))
            sections += section
        header = words(104, 144, 104 + len(ids), len(attrs), data_at)
        header += words(len(data) if finished else 0, 0, 0, *bits)
        return self._magic() + header + ids + attrs + data + (table + sections) * finished

    def as_pipe(self) -> bytes:
        made = self.made
        parts = [self._magic(), made.words(16)]
        for attr, ids in self.attrs:
            parts.append(made.record(RecordType.HEADER_ATTR, attr + made.words(*ids)))
        for feature, section in sorted(self.features.items()):
            parts.append(made.record(RecordType.HEADER_FEATURE, made.words(feature) + section))
        return b"".join((*parts, *self.records))

    def _magic(self) -> bytes:
        return b"PERFILE2" if self.made.order == "little" else b"2ELIFREP"
