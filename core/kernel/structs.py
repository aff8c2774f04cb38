"""The kernel's structures, as far as deferred unwinding touches them, and the constants they hold."""

from enum import IntEnum
from types import coroutine
from typing import Final

from ..memory import SignedWord, SplitWord, Struct, Word
from ..operations import RELAXED, Order, Step

EPERM: Final = 1
ESRCH: Final = 3
ENOMEM: Final = 12
EFAULT: Final = 14
EBUSY: Final = 16
EEXIST: Final = 17
EINVAL: Final = 22

PF_EXITING: Final = 0x00000004
PF_USER_WORKER: Final = 0x00004000
PF_KTHREAD: Final = 0x00200000
"""task_struct.flags (include/linux/sched.h)."""

TIF_NOTIFY_RESUME: Final = 1 << 1
TIF_NEED_RESCHED: Final = 1 << 3
"""Bits of thread_info.flags (arch/x86/include/asm/thread_info.h)."""

NO_STACK: Final = 1 << 32
"""The number of no captured stack: where a user worker is, whose program counter and stack pointer are 0
(arch/x86/kernel/process.c, copy_thread())."""

UNWIND_MAX_ENTRIES: Final = 510
"""A page less the cache's header, in program counters (kernel/unwind/deferred.c)."""


class Mode(IntEnum):
    """Where a task runs: what user_mode(regs) tells an interrupt. The low two bits of `Task.regs`."""

    USER = 0
    KERNEL = 1
    INTERRUPTED = 2
    """An interrupt took it in user mode; before its next user instruction it leaves by irqentry_exit()."""


MODE_MASK: Final = 3


def mode_of(regs: int) -> Mode:
    """Where a task with these registers runs."""
    return Mode(regs & MODE_MASK)


def stack_of(regs: int) -> int:
    """The captured user stack that a task with these registers is at."""
    return regs >> 2


def regs_at(stack: int, mode: Mode) -> int:
    """Registers at a captured user stack."""
    return stack << 2 | mode


class TaskWorkMode(IntEnum):
    """enum task_work_notify_mode (include/linux/task_work.h)."""

    TWA_RESUME = 1
    TWA_NMI_CURRENT = 4


class CallbackHead(Struct):
    """struct callback_head: a link in task_struct.task_works. Its function is the system's to know."""

    next: Word


class ListHead(Struct):
    """struct list_head."""

    next: Word
    prev: Word


class UnwindCache(Struct):
    """struct unwind_cache."""

    nr_entries: Word
    unwind_completed: Word
    """Bits of the works called since the task entered the kernel; unused before generation `completed`."""
    entries: Word
    """The program counters, as the unwinder's number for them (see `unwind_user`)."""


class UnwindTaskInfo(Struct):
    """struct unwind_task_info, embedded in task_struct."""

    unwind_mask: Word
    """From `bitmask` on: bit 0 PENDING, bit 1 USED (upstream), then one bit for each tracer that asked."""
    pending: Word
    """1 while the work is queued: before there were bits (`mutex_list`)."""
    cache: Word
    """Pointer to the task's struct unwind_cache, 0 until the first unwind."""
    work: CallbackHead
    id: SplitWord
    """union unwind_task_id: low half cpu + 1, high half an odd counter; 0: none yet."""


class HalvedWord(SplitWord):
    """The same where a long has 32 bits: each access to the whole is two, and others may come between."""

    __slots__ = ()

    @coroutine
    def load(self, order: Order = RELAXED) -> Step:
        """The low half first."""
        low = yield from self.low.load(order)
        high = yield from self.high.load(order)
        return low | high << 32

    @coroutine
    def store(self, value: int, order: Order = RELAXED) -> Step:
        """The low half first."""
        yield from self.low.store(value, order)
        return (yield from self.high.store(value >> 32, order))


class Task(Struct):
    """struct task_struct with its thread_info."""

    flags: Word
    """PF_KTHREAD, PF_USER_WORKER, PF_EXITING."""
    thread_flags: Word
    """TIF_NOTIFY_RESUME, TIF_NEED_RESCHED."""
    mm: Word
    """1 while the task has user memory."""
    regs: Word
    """Its user registers: the captured user stack that it is at, times 4, plus its `Mode`."""
    task_works: Word
    """Head of the list of pending works, 0 or a struct callback_head's address."""
    pi_lock: Word
    unwind_info: UnwindTaskInfo
    number: int
    """The program's number for it, in events."""
    stacks: range
    """The captured user stacks that it goes through, over and over."""


class UnwindWork(Struct):
    """struct unwind_work: a tracer's registration."""

    list: ListHead
    work: CallbackHead
    """The tracer's own task work: in `per_work` alone."""
    pending: Word
    """1 while that is queued."""
    func: Word
    """1 + the tracer's number, 0 for NULL."""
    bit: SignedWord
    tracer: int
    """The number of the tracer that it is embedded in."""
