"""Generation `bitmask`: a bit for each tracer in every task's mask (commit be3d526a5b34).

Who is called is decided by the mask alone, whose bits stay set until the task leaves the kernel: a tracer
that was served is called again when another one asks in the same entry. Later commits mend that; here it stays.
Walks and registrations share one mutex. A cancelled work keeps its bit. In an NMI the work is added as
anywhere else, so it waits for the next way out of the kernel.
"""

from typing import ClassVar

from ..cint import as_int
from ..events import UnwindReset
from ..operations import barrier, emit, local_irq_restore, local_irq_save, smp_processor_id
from .cookie import unwind_get_cookie
from .flavour import Reset
from .generation import (
    UNWIND_PENDING,
    Caller,
    Generation,
    cache_of,
    call_tracer,
    take_bit,
    take_mask,
)
from .lists import list_del_rcu
from .structs import EINVAL, PF_EXITING, PF_KTHREAD, Task, TaskWorkMode, UnwindWork


class Bitmask(Generation):
    """63 tracers: bits 1 to 63; 31 where a long has 32 bits."""

    name: ClassVar[str] = "bitmask"
    reserved: ClassVar[int] = UNWIND_PENDING
    errnos: ClassVar[tuple[int, ...]] = (-EINVAL,)
    takes: ClassVar[tuple[str, ...]] = (
        "32-bit",
        "no-nmi-cmpxchg",
        "reset-at-entry",
        "irq-on-after-reset",
    )

    async def unwind_deferred_init(self, work: UnwindWork) -> int:
        """The lowest free bit."""
        return await take_bit(self.deferral, work)

    async def unwind_deferred_request(self, work: UnwindWork, caller: Caller) -> tuple[int, int]:
        """All with interrupts off."""
        task = caller.task
        if task is None or await task.flags.load() & (PF_KTHREAD | PF_EXITING):
            return -EINVAL, 0
        if caller.nmi_cpu is not None and not self.flavour.nmi_safe_cmpxchg:
            return -EINVAL, 0
        flags = await local_irq_save()
        result, cookie = await self._claim(task, work)
        await local_irq_restore(flags)
        return result, cookie

    async def _claim(self, task: Task, work: UnwindWork) -> tuple[int, int]:
        info = task.unwind_info
        cpu = await smp_processor_id()
        cookie = await unwind_get_cookie(info, self.deferral.unwind_ctx_ctr, cpu)
        bit = self.flavour.bit_mask(await work.bit.load())
        if await info.unwind_mask.load() & bit:
            return 1, cookie
        claimed = UNWIND_PENDING | bit
        old = await info.unwind_mask.fetch_or(claimed)
        if old & claimed:
            await barrier()  # the warning that PENDING should be set is code of its own
            return as_int(old & bit), cookie
        failed = await self.deferral.task_work.task_work_add(
            task, info.work, TaskWorkMode.TWA_RESUME, None
        )
        if failed:
            await info.unwind_mask.store(0)
        return failed, cookie

    async def unwind_deferred_cancel(self, work: UnwindWork) -> None:
        """Every task forgets the bit before it is anybody else's."""
        mask = self.flavour.bit_mask(await work.bit.load())
        if mask & self.reserved:
            return
        deferral = self.deferral
        async with deferral.callback_mutex:
            await list_del_rcu(deferral.nodes, work.list)
            await deferral.unwind_mask.store(await deferral.unwind_mask.load() & ~mask)
            for task in deferral.tasks:
                await task.unwind_info.unwind_mask.fetch_andnot(mask)
                await self.forget(task, mask)

    async def unwind_deferred_task_work(self, task: Task) -> None:
        """PENDING goes before the unwind; the other bits stay."""
        info = task.unwind_info
        if not await info.unwind_mask.load() & UNWIND_PENDING:
            return
        bits = await info.unwind_mask.fetch_andnot(UNWIND_PENDING)
        _, nr = await self.deferral.unwind_user.unwind_user_faultable(task, 0)
        bits = await self.not_completed(task, bits)
        cookie = await info.id.load()
        async with self.deferral.callback_mutex:
            await self._walk(task, bits, cookie, nr)

    async def _walk(self, task: Task, bits: int, cookie: int, nr: int) -> None:
        deferral = self.deferral
        node = await deferral.callbacks.next.load()
        while node != deferral.callbacks.address:
            work = deferral.works[node]
            bit = await work.bit.load()
            if bits >> bit & 1:
                await call_tracer(deferral, work, task, cookie, nr)
                await self.complete(task, self.flavour.bit_mask(bit))
            node = await work.list.next.load()

    async def unwind_reset_info(self, task: Task) -> None:
        """The cache is a test of its own, since others may have unwound; PENDING leaves all as it is."""
        info = task.unwind_info
        if await info.unwind_mask.load():
            if not await take_mask(task):
                return
            await info.id.store(0)
            await emit(UnwindReset(task.number, self.flavour.reset is Reset.ENTRY))
        cache = await cache_of(self.deferral, info)
        if cache:
            await cache.nr_entries.store(0)
            await self.forget_all(task)

    async def unwind_deferred_task_exit(self, task: Task) -> None:
        """There is no hook yet: what is pending is run after the user memory is gone."""

    async def not_completed(self, task: Task, bits: int) -> int:
        """The bits to call: all of them."""
        return bits

    async def complete(self, task: Task, bit: int) -> None:
        """Nothing remembers who was called."""

    async def forget(self, task: Task, bit: int) -> None:
        """Nothing remembers who was called."""

    async def forget_all(self, task: Task) -> None:
        """Nothing remembers who was called."""
