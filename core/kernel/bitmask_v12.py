"""Generations `bitmask_v12` and `bitmask_v12_patch8`: drafts of the mask that were withdrawn (July 2025).

`bitmask_v12` is the last word of v12 and v13: PENDING is the mask's top bit, and who finds it clear puts a mask of
its own bit and PENDING in the place of whatever was there, since those bits were of tracers that were served. With
that it forgets that they were: who asks again is called again. Where the swap fails the draft takes it that an NMI
has set PENDING, and only adds its bit. A request returns 1 for a pending callback, 2 for one that was made.

`bitmask_v12_patch8` is the series a few patches earlier: a pending flag beside the mask, as in `mutex_list_nmi`,
and each bit cleared after its callback: the exit path's own events ask, are served and ask again without end.

Sources: the code quoted in the review of v13's patch 10 (20250715084932.0563f532@gandalf.local.home), and v13's
patch 9 for cancel. The cookie is v13's; v12 had a timestamp. Left out: masks of 32 bits, and that patch 8 had the
top bit for a tracer.
"""

from typing import ClassVar, Final

from ..events import UnwindReset
from ..operations import emit, local_irq_restore, local_irq_save, smp_processor_id
from .cookie import unwind_get_cookie
from .flavour import Reset
from .generation import Caller, Generation, cache_of, call_tracer, take_bit, take_mask, test_bit
from .lists import list_del_rcu
from .structs import EINVAL, PF_EXITING, PF_KTHREAD, Task, TaskWorkMode, UnwindTaskInfo, UnwindWork

UNWIND_PENDING: Final = 1 << 63
UNWIND_ALREADY_PENDING: Final = 1
UNWIND_ALREADY_EXECUTED: Final = 2


class BitmaskV12(Generation):
    """63 tracers: bits 0 to 62."""

    name: ClassVar[str] = "bitmask_v12"
    reserved: ClassVar[int] = UNWIND_PENDING
    errnos: ClassVar[tuple[int, ...]] = (-EINVAL, UNWIND_ALREADY_EXECUTED)
    takes: ClassVar[tuple[str, ...]] = ("no-nmi-cmpxchg", "reset-at-entry", "irq-on-after-reset")

    async def unwind_deferred_init(self, work: UnwindWork) -> int:
        """The lowest free bit."""
        return await take_bit(self.deferral, work)

    async def unwind_deferred_request(self, work: UnwindWork, caller: Caller) -> tuple[int, int]:
        """The work's bit is in an int, so a cancelled work is refused."""
        task = caller.task
        if task is None or await task.flags.load() & (PF_KTHREAD | PF_EXITING):
            return -EINVAL, 0
        if caller.nmi_cpu is not None and not self.flavour.nmi_safe_cmpxchg:
            return -EINVAL, 0
        bit = await work.bit.load()
        if bit < 0:
            return -EINVAL, 0
        flags = await local_irq_save()
        cpu = await smp_processor_id()
        cookie = await unwind_get_cookie(task.unwind_info, self.deferral.unwind_ctx_ctr, cpu)
        result = await self._claim(task, self.flavour.bit_mask(bit))
        await local_irq_restore(flags)
        return result, cookie

    async def _claim(self, task: Task, bit: int) -> int:
        """Whoever sets PENDING takes the other bits away; everybody else sets its bit."""
        mask = task.unwind_info.unwind_mask
        old = await mask.load()
        if old & bit:
            return UNWIND_ALREADY_PENDING if old & UNWIND_PENDING else UNWIND_ALREADY_EXECUTED
        if await mask.load() & UNWIND_PENDING:
            return await _test_and_set(task.unwind_info, bit)
        if await mask.cmpxchg(old, UNWIND_PENDING | bit) != old:
            return await _test_and_set(task.unwind_info, bit)
        failed = await self._add(task)
        if failed:
            await mask.store(0)
        return failed

    async def _add(self, task: Task) -> int:
        work = task.unwind_info.work
        return await self.deferral.task_work.task_work_add(
            task, work, TaskWorkMode.TWA_RESUME, None
        )

    async def unwind_deferred_cancel(self, work: UnwindWork) -> None:
        """Everything under the mutex; the bit is -1 before the grace period."""
        deferral = self.deferral
        async with deferral.callback_mutex:
            await list_del_rcu(deferral.nodes, work.list)
            mask = self.flavour.bit_mask(await work.bit.load())
            await work.bit.store(-1)
            await deferral.unwind_mask.store(await deferral.unwind_mask.load() & ~mask)
            await deferral.unwind_srcu.synchronize()
            for task in deferral.tasks:
                await task.unwind_info.unwind_mask.fetch_andnot(mask)

    async def unwind_deferred_task_work(self, task: Task) -> None:
        """PENDING goes before the unwind; whose bit was set then is called."""
        mask = task.unwind_info.unwind_mask
        if not await mask.load() & UNWIND_PENDING:
            return
        bits = await mask.load()
        while (seen := await mask.cmpxchg(bits, bits & ~UNWIND_PENDING)) != bits:
            bits = seen
        await self._process(task, bits)

    async def _process(self, task: Task, bits: int) -> None:
        deferral = self.deferral
        _, nr = await deferral.unwind_user.unwind_user_faultable(task, 0)
        cookie = await task.unwind_info.id.load()
        async with deferral.unwind_srcu.read_lock():
            node = await deferral.callbacks.next.load()
            while node != deferral.callbacks.address:
                work = deferral.works[node]
                if await self._asked(task, work, bits):
                    await call_tracer(deferral, work, task, cookie, nr)
                    await self._served(task, work)
                node = await work.list.next.load()

    async def _asked(self, task: Task, work: UnwindWork, bits: int) -> bool:
        return await test_bit(await work.bit.load(), bits)

    async def _served(self, task: Task, work: UnwindWork) -> None:
        """The bit stays."""

    async def unwind_reset_info(self, task: Task) -> None:
        """The cache is a test of its own; PENDING leaves all as it is."""
        info = task.unwind_info
        if await info.unwind_mask.load():
            if not await take_mask(task, UNWIND_PENDING):
                return
            await self._forget_cookie(task)
        await self._forget_entries(info)

    async def _forget_cookie(self, task: Task) -> None:
        await task.unwind_info.id.store(0)
        await emit(UnwindReset(task.number, self.flavour.reset is Reset.ENTRY))

    async def _forget_entries(self, info: UnwindTaskInfo) -> None:
        cache = await cache_of(self.deferral, info)
        if cache:
            await cache.nr_entries.store(0)

    async def unwind_deferred_task_exit(self, task: Task) -> None:
        """There is no hook yet: what is pending is run after the user memory is gone."""


class BitmaskV12Patch8(BitmaskV12):
    """The flag says that the work is queued, the bit that its tracer is still to be called."""

    name: ClassVar[str] = "bitmask_v12_patch8"
    errnos: ClassVar[tuple[int, ...]] = (-EINVAL,)

    async def _claim(self, task: Task, bit: int) -> int:
        """Every way but that of a failure sets the bit."""
        info = task.unwind_info
        if await info.unwind_mask.load() & bit:
            return 1
        if not await info.pending.load() and not await info.pending.cmpxchg(0, 1):
            failed = await self._add(task)
            if failed:
                await info.pending.store(0)
                return failed
        return await _test_and_set(info, bit)

    async def unwind_deferred_task_work(self, task: Task) -> None:
        """The flag goes before the unwind."""
        pending = task.unwind_info.pending
        if await pending.load():
            await pending.store(0)
            await self._process(task, 0)

    async def _asked(self, task: Task, work: UnwindWork, bits: int) -> bool:
        bit = await work.bit.load()
        return await test_bit(bit, await task.unwind_info.unwind_mask.load())

    async def _served(self, task: Task, work: UnwindWork) -> None:
        """clear_bit(), which may be a bit that was asked for in the callback."""
        bit = self.flavour.bit_mask(await work.bit.load())
        await task.unwind_info.unwind_mask.fetch_andnot(bit)

    async def unwind_reset_info(self, task: Task) -> None:
        """A request that is still pending loses its cookie."""
        await self._forget_cookie(task)
        await self._forget_entries(task.unwind_info)


async def _test_and_set(info: UnwindTaskInfo, bit: int) -> int:
    return int(await info.unwind_mask.fetch_or(bit) & bit != 0)
