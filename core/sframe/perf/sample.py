"""A sample's fields, up to the user's stack; what follows it the reader does not need.

The order is perf_output_sample()'s: IDENTIFIER, IP, TID, TIME, ADDR, ID, STREAM_ID, CPU, PERIOD,
READ, CALLCHAIN, RAW, BRANCH_STACK, REGS_USER, STACK_USER, then weights, addresses and the like.
The stack is a size, that many bytes, and how many of them the kernel could fill.
"""

from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Final

from stackweave.core.sframe.dump import StackDump
from stackweave.core.sframe.elf import Buffer, ByteOrder
from stackweave.core.sframe.perf.attributes import Event
from stackweave.core.sframe.perf.constants import (
    BRANCH_COUNTERS,
    BRANCH_HW_INDEX,
    Context,
    Misc,
    ReadFormat,
    RegisterAbi,
    SampleType,
)
from stackweave.core.sframe.perf.cursor import Cursor
from stackweave.core.sframe.rules import Registers

_BRANCH_ENTRY: Final = 24
_CPUMODE: Final = int(Misc.CPUMODE_MASK)
_KERNEL: Final = int(Misc.KERNEL)
_DEFERRED: Final = int(Context.USER_DEFERRED)


@dataclass(slots=True)
class Sample:
    """One sample, as far as its event has recorded it."""

    event: Event
    order: ByteOrder
    data: Buffer
    in_kernel: bool
    """Where ip is."""
    ip: int | None = None
    pid: int | None = None
    tid: int | None = None
    time: int | None = None
    """Nanoseconds, of the session's clock."""
    cpu: int | None = None
    callchain: tuple[int, ...] = ()
    """Addresses and context marks."""
    abi: int = RegisterAbi.NONE
    values_at: int = 0
    """Where the user's registers stand in `data`, in ascending order of their perf numbers."""
    stack_at: int = 0
    """Where the captured bytes stand in `data`; they are copied only when they are needed."""
    stack_size: int = 0
    """How many bytes the kernel could fill."""

    @property
    def values(self) -> tuple[int, ...]:
        """The user's registers."""
        count = self.event.user_registers.bit_count()
        return Cursor(self.data, self.values_at, len(self.data), self.order).words(count)

    @property
    def cookie(self) -> int | None:
        """What the deferred user callchain will carry; None if none was deferred."""
        chain = self.callchain
        return chain[-1] if len(chain) > 1 and chain[-2] == _DEFERRED else None

    def dump(self, registers: Registers) -> StackDump:
        """The captured stack, which begins at the stack pointer."""
        stack = bytes(self.data[self.stack_at : self.stack_at + self.stack_size])
        return StackDump(registers, registers.sp, stack, self.order)


def parse_sample(event: Event, misc: int, cursor: Cursor) -> Sample:
    """Decode a sample; raises `CutError` if its counts exceed it."""
    in_kernel = misc & _CPUMODE == _KERNEL
    sample = Sample(event, cursor.order, cursor.data, in_kernel)
    head = sample_head(event.sample_type, cursor.order)
    fields = head.struct.unpack_from(cursor.data, cursor.skip(head.struct.size))
    if head.ip is not None:
        sample.ip = fields[head.ip]
    if head.tid is not None:
        sample.pid, sample.tid = fields[head.tid : head.tid + 2]
    if head.time is not None:
        sample.time = fields[head.time]
    if head.cpu is not None:
        sample.cpu = fields[head.cpu]
    if head.has_counts:
        _skip_values(event.read_format, cursor)
    if head.has_callchain:
        sample.callchain = cursor.words(cursor.u64())
    if head.has_raw:
        cursor.skip(cursor.u32())
    if head.has_branches:
        _skip_branches(event.branch_sample_type, cursor)
    _take_user(sample, head, cursor)
    return sample


@dataclass(frozen=True, slots=True)
class SampleHead:
    """What an event's samples hold: the fields of fixed size, and which others follow."""

    struct: Struct
    ip: int | None
    """Places among the fields."""
    tid: int | None
    """Of two: the process and the task."""
    time: int | None
    cpu: int | None
    has_counts: bool
    has_callchain: bool
    has_raw: bool
    has_branches: bool
    has_registers: bool
    has_stack: bool


_HEAD: Final = (
    (SampleType.IDENTIFIER, "8x"),
    (SampleType.IP, "Q"),
    (SampleType.TID, "II"),
    (SampleType.TIME, "Q"),
    (SampleType.ADDR, "8x"),
    (SampleType.ID, "8x"),
    (SampleType.STREAM_ID, "8x"),
    (SampleType.CPU, "I4x"),
    (SampleType.PERIOD, "8x"),
)


@lru_cache(maxsize=1 << 10)
def sample_head(sample_type: SampleType, order: ByteOrder) -> SampleHead:
    """Of events with that type; made once, because flags are slow to ask."""
    codes = "<" if order == "little" else ">"
    places: dict[SampleType, int] = {}
    count = 0
    for each, code in _HEAD:
        if sample_type & each:
            places[each] = count
            codes += code
            count += sum(letter in "QI" for letter in code)
    return SampleHead(
        Struct(codes),
        places.get(SampleType.IP),
        places.get(SampleType.TID),
        places.get(SampleType.TIME),
        places.get(SampleType.CPU),
        bool(sample_type & SampleType.READ),
        bool(sample_type & SampleType.CALLCHAIN),
        bool(sample_type & SampleType.RAW),
        bool(sample_type & SampleType.BRANCH_STACK),
        bool(sample_type & SampleType.REGS_USER),
        bool(sample_type & SampleType.STACK_USER),
    )


def _take_user(sample: Sample, head: SampleHead, cursor: Cursor) -> None:
    """Registers and stack."""
    if head.has_registers:
        sample.abi = cursor.u64()
        if sample.abi:
            sample.values_at = cursor.skip(8 * sample.event.user_registers.bit_count())
    if head.has_stack:
        size = cursor.u64()
        if size:
            sample.stack_at = cursor.skip(size)
            sample.stack_size = min(size, cursor.u64())


def _skip_values(read_format: int, cursor: Cursor) -> None:
    """What a counter, or a group of them, had counted."""
    times = bool(read_format & ReadFormat.TOTAL_TIME_ENABLED) + bool(
        read_format & ReadFormat.TOTAL_TIME_RUNNING
    )
    each = 1 + bool(read_format & ReadFormat.ID) + bool(read_format & ReadFormat.LOST)
    count = cursor.u64() if read_format & ReadFormat.GROUP else 1
    cursor.skip(8 * (times + count * each))


def _skip_branches(branch_sample_type: int, cursor: Cursor) -> None:
    count = cursor.u64()
    if branch_sample_type & BRANCH_HW_INDEX:
        cursor.skip(8)
    cursor.skip(_BRANCH_ENTRY * count)
    if branch_sample_type & BRANCH_COUNTERS:
        cursor.skip(8 * count)
