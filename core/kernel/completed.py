"""Generation `completed`: the mask `unwind_completed` remembers who was called since the task entered the kernel.

The mask lies in the task's cache, which the first unwind allocates: where that fails nothing is remembered, and
the spurious callbacks of `bitmask` are back.
"""

from typing import ClassVar

from .bitmask import Bitmask
from .generation import cache_of
from .structs import Task


class Completed(Bitmask):
    """63 tracers: bits 1 to 63; 31 where a long has 32 bits."""

    name: ClassVar[str] = "completed"

    async def not_completed(self, task: Task, bits: int) -> int:
        """The bits to call: those that were not called in this entry."""
        cache = await cache_of(self.deferral, task.unwind_info)
        return bits & ~await cache.unwind_completed.load() if cache else bits

    async def complete(self, task: Task, bit: int) -> None:
        """A plain `|=`: a load and a store."""
        cache = await cache_of(self.deferral, task.unwind_info)
        if cache:
            await cache.unwind_completed.store(await cache.unwind_completed.load() | bit)

    async def forget(self, task: Task, bit: int) -> None:
        """clear_bit(), when the bit's tracer is cancelled."""
        cache = await cache_of(self.deferral, task.unwind_info)
        if cache:
            await cache.unwind_completed.fetch_andnot(bit)

    async def forget_all(self, task: Task) -> None:
        """On the way to user mode."""
        cache = await cache_of(self.deferral, task.unwind_info)
        if cache:
            await cache.unwind_completed.store(0)
