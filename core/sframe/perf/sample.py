"""A sample's fields, up to the user's stack; what follows it the reader does not need.

The order is perf_output_sample()'s: IDENTIFIER, IP, TID, TIME, ADDR, ID, STREAM_ID, CPU, PERIOD,
READ, CALLCHAIN, RAW, BRANCH_STACK, REGS_USER, STACK_USER, then weights, addresses and the like.
The stack is a size, that many bytes, and how many of them the kernel could fill.
"""

from dataclasses import dataclass
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
        return chain[-1] if len(chain) > 1 and chain[-2] == Context.USER_DEFERRED else None

    def dump(self, registers: Registers) -> StackDump:
        """The captured stack, which begins at the stack pointer."""
        stack = bytes(self.data[self.stack_at : self.stack_at + self.stack_size])
        return StackDump(registers, registers.sp, stack, self.order)


def parse_sample(event: Event, misc: int, cursor: Cursor) -> Sample:
    """Decode a sample; raises `CutError` if its counts exceed it."""
    in_kernel = misc & Misc.CPUMODE_MASK == Misc.KERNEL
    sample = Sample(event, cursor.order, cursor.data, in_kernel)
    has = event.sample_type
    if has & SampleType.IDENTIFIER:
        cursor.skip(8)
    if has & SampleType.IP:
        sample.ip = cursor.u64()
    if has & SampleType.TID:
        sample.pid, sample.tid = cursor.u32(), cursor.u32()
    if has & SampleType.TIME:
        sample.time = cursor.u64()
    for each in (SampleType.ADDR, SampleType.ID, SampleType.STREAM_ID):
        if has & each:
            cursor.skip(8)
    if has & SampleType.CPU:
        sample.cpu = cursor.u32()
        cursor.skip(4)
    if has & SampleType.PERIOD:
        cursor.skip(8)
    if has & SampleType.READ:
        _skip_values(event.read_format, cursor)
    if has & SampleType.CALLCHAIN:
        sample.callchain = cursor.words(cursor.u64())
    if has & SampleType.RAW:
        cursor.skip(cursor.u32())
    if has & SampleType.BRANCH_STACK:
        _skip_branches(event.branch_sample_type, cursor)
    _take_user(sample, cursor)
    return sample


def _take_user(sample: Sample, cursor: Cursor) -> None:
    """Registers and stack."""
    has = sample.event.sample_type
    if has & SampleType.REGS_USER:
        sample.abi = cursor.u64()
        if sample.abi != RegisterAbi.NONE:
            sample.values_at = cursor.skip(8 * sample.event.user_registers.bit_count())
    if has & SampleType.STACK_USER:
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
