"""Unwinding the user stack of the current task (kernel/unwind/user.c, unwind_user_faultable() in deferred.c).

How a stack is unwound is passed in: a function from (captured stack, whether its memory can be read) to program
counters, innermost first. A page that is not present makes the task sleep, and one that cannot be had ends the
trace after the program counter, which needs no memory. The kernel's array of entries is one word here: the
captured stack's number, twice, plus one where its memory could not be read.
"""

from collections.abc import Callable
from enum import Enum

from ..memory import Pool
from ..operations import choose, schedule
from .structs import (
    EINVAL,
    ENOMEM,
    NO_STACK,
    PF_KTHREAD,
    UNWIND_MAX_ENTRIES,
    Task,
    UnwindCache,
    stack_of,
)

Unwinder = Callable[[int, bool], tuple[int, ...]]
"""(number of the captured stack, whether its memory can be read) to program counters."""


class Faults(Enum):
    """What a program lets the user's memory, and the allocator, do."""

    NEVER = "memory is there and allocations succeed"
    MEMORY = "reading the stack may sleep or fail"
    ALLOCATION = "the cache's allocation may fail"
    BOTH = "reading the stack may sleep or fail, and the cache's allocation may fail"

    @property
    def of_memory(self) -> bool:
        """Whether a trace may end after its first entry."""
        return self in (Faults.MEMORY, Faults.BOTH)

    @property
    def of_allocation(self) -> bool:
        """Whether there may be no trace."""
        return self in (Faults.ALLOCATION, Faults.BOTH)


class UnwindUser:
    """unwind_user() and its per-task cache."""

    def __init__(self, caches: Pool[UnwindCache], unwinder: Unwinder, faults: Faults) -> None:
        self.caches = caches
        self._unwinder = unwinder
        self._memory_faults = faults.of_memory
        self._allocation_fails = faults.of_allocation

    def program_counters(self, entries: int) -> tuple[int, ...]:
        """What `UnwindCache.entries` stands for."""
        if entries >> 1 == NO_STACK:
            return (0,)
        return self._unwinder(entries >> 1, not entries & 1)[:UNWIND_MAX_ENTRIES]

    async def unwind_user(self, task: Task, max_entries: int) -> tuple[int, int, int]:
        """Unwind the current user stack: (0 or -EINVAL, number of entries, entries).

        Without room it is -EINVAL; a kernel thread has no entries; a trace that was cut short is 0 as well. The
        first entry is the current program counter.
        """
        if max_entries == 0:
            return -EINVAL, 0, 0
        if await task.flags.load() & PF_KTHREAD:
            return 0, 0, 0
        entries = 2 * stack_of(await task.regs.load())
        if self._memory_faults:
            outcome = await choose(3)
            if outcome == 1:
                await schedule()
            elif outcome == 2:
                entries += 1
        return 0, min(len(self.program_counters(entries)), max_entries), entries

    async def unwind_user_faultable(self, task: Task, used_bit: int) -> tuple[int, int]:
        """The task's trace, unwound once for each entry into the kernel: (0 or -errno, number of entries).

        `used_bit` is set in the mask after a fresh unwind, where the generation has such a bit.
        """
        if not await task.mm.load():
            return -EINVAL, 0
        info = task.unwind_info
        pointer = await info.cache.load()
        if not pointer:
            pointer = await self.allocate()
            if not pointer:
                return -ENOMEM, 0
            await info.cache.store(pointer)
        cache = self.caches.at(pointer)
        count = await cache.nr_entries.load()
        if count:
            return 0, count
        _, count, entries = await self.unwind_user(task, UNWIND_MAX_ENTRIES)
        await cache.entries.store(entries)
        await cache.nr_entries.store(count)
        if used_bit:
            await info.unwind_mask.fetch_or(used_bit)
        return 0, count

    async def allocate(self) -> int:
        """A cache from kzalloc(): zeroed; 0 where there is no memory."""
        if self._allocation_fails and await choose(2):
            return 0
        pointer = await self.caches.alloc()
        if pointer:
            cache = self.caches.at(pointer)
            await cache.nr_entries.store(0)
            await cache.unwind_completed.store(0)
        return pointer
