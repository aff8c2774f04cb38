"""Generation `upstream`: kernel/unwind/deferred.c as a 7.2 kernel was recorded running it.

Against `completed`: the USED bit (commit 858fa8a3b083), so that the reset is one test; SRCU for the walk
(357eda2d7450); the task-exit hook (b3b9cb11aa03); TWA_NMI_CURRENT (a38a64712e74); atomic_long_t masks
(639214f65b1d). The order of operations is the one that reproduces the recordings.

Its defects stay in: the test for a negative bit that an unsigned variable never passes, `old & bit` cut to int,
the snapshot of the bits before the SRCU section, `bit` read again after the callback, the plain `|=` on
`completed`, a registration that publishes before it sets its function.
"""

from typing import ClassVar

from ..cint import as_int
from ..events import UndefinedBehaviour, UnwindReset
from ..operations import barrier, emit, local_irq_restore, local_irq_save, smp_processor_id
from .cookie import unwind_get_cookie
from .flavour import ExitHook, Flavour, IrqOnEvent, Reset
from .generation import (
    UNWIND_PENDING,
    Caller,
    Generation,
    cache_of,
    call_tracer,
    take_bit,
    take_mask,
    test_bit,
)
from .lists import list_del_rcu
from .structs import EINVAL, PF_EXITING, PF_KTHREAD, Task, TaskWorkMode, UnwindWork

UNWIND_USED = 1 << 1


class Upstream(Generation):
    """62 tracers: bits 2 to 63; 30 where a long has 32 bits."""

    name: ClassVar[str] = "upstream"
    reserved: ClassVar[int] = UNWIND_PENDING | UNWIND_USED
    errnos: ClassVar[tuple[int, ...]] = (-EINVAL,)
    default: ClassVar[Flavour] = Flavour(
        irq_on_event=IrqOnEvent.AFTER_RESET, exit_hook=ExitHook.AFTER_PERF_EVENT_EXIT
    )
    takes: ClassVar[tuple[str, ...]] = (
        "32-bit",
        "no-nmi-cmpxchg",
        "no-irq-work",
        "reset-at-entry",
        "irq-on-before-reset",
        "no-exit-hook",
        "exit-hook-before-perf",
        "int-bit",
    )

    async def unwind_deferred_init(self, work: UnwindWork) -> int:
        """The work's fields are cleared before the mutex is taken."""
        return await take_bit(self.deferral, work)

    async def unwind_deferred_request(self, work: UnwindWork, caller: Caller) -> tuple[int, int]:
        """The bit is read before interrupts go off."""
        task = caller.task
        if task is None or await task.flags.load() & (PF_KTHREAD | PF_EXITING):
            return -EINVAL, 0
        if caller.nmi_cpu is not None and not self.flavour.nmi_safe_cmpxchg:
            return -EINVAL, 0
        bit = await work.bit.load()
        if bit < 0 and self.flavour.int_bit:
            return -EINVAL, 0
        if bit < 0:
            # the variable is unsigned long in the kernel: the test that would refuse it never holds
            await emit(UndefinedBehaviour("shift-out-of-bounds"))
        flags = await local_irq_save()
        result, cookie = await self._claim(task, self.flavour.requested(bit), caller)
        await local_irq_restore(flags)
        return result, cookie

    async def _claim(self, task: Task, bit: int, caller: Caller) -> tuple[int, int]:
        info = task.unwind_info
        cpu = await smp_processor_id()
        cookie = await unwind_get_cookie(info, self.deferral.unwind_ctx_ctr, cpu)
        if await info.unwind_mask.load() & bit:
            return 1, cookie
        claimed = UNWIND_PENDING | bit
        old = await info.unwind_mask.fetch_or(claimed)
        if old & claimed:
            await barrier()  # the warning that PENDING should be set is code of its own
            return as_int(old & bit), cookie
        mode = TaskWorkMode.TWA_NMI_CURRENT if caller.nmi_cpu else TaskWorkMode.TWA_RESUME
        failed = await self.deferral.task_work.task_work_add(task, info.work, mode, caller.nmi_cpu)
        if failed:
            await info.unwind_mask.store(0)
        return failed, cookie

    async def unwind_deferred_cancel(self, work: UnwindWork) -> None:
        """The mutex is held throughout; the bit is -1 before the grace period, so that nobody asks anew."""
        mask = self.flavour.bit_mask(await work.bit.load())
        if mask & self.reserved:
            return
        deferral = self.deferral
        async with deferral.callback_mutex:
            await list_del_rcu(deferral.nodes, work.list)
            await work.bit.store(-1)
            await deferral.unwind_mask.store(await deferral.unwind_mask.load() & ~mask)
            await deferral.unwind_srcu.synchronize()
            for task in deferral.tasks:
                await task.unwind_info.unwind_mask.fetch_andnot(mask)
                cache = await cache_of(deferral, task.unwind_info)
                if cache:
                    await cache.unwind_completed.fetch_andnot(mask)

    async def unwind_deferred_task_work(self, task: Task) -> None:
        """A tail call."""
        await self.process_unwind_deferred(task)

    async def process_unwind_deferred(self, task: Task) -> None:
        """The bits are a snapshot from before the unwind, which may sleep, and before the SRCU section."""
        info = task.unwind_info
        if not await info.unwind_mask.load() & UNWIND_PENDING:
            return
        bits = await info.unwind_mask.fetch_andnot(UNWIND_PENDING)
        _, nr = await self.deferral.unwind_user.unwind_user_faultable(task, UNWIND_USED)
        cache = await cache_of(self.deferral, info)
        if cache:
            bits &= ~await cache.unwind_completed.load()
        cookie = await info.id.load()
        async with self.deferral.unwind_srcu.read_lock():
            await self._walk(task, bits, cookie, nr)

    async def _walk(self, task: Task, bits: int, cookie: int, nr: int) -> None:
        deferral = self.deferral
        node = await deferral.callbacks.next.load()
        while node != deferral.callbacks.address:
            work = deferral.works[node]
            if await test_bit(await work.bit.load(), bits):
                await call_tracer(deferral, work, task, cookie, nr)
                cache = await cache_of(deferral, task.unwind_info)
                if cache:
                    called = self.flavour.bit_mask(await work.bit.load())
                    await cache.unwind_completed.store(await cache.unwind_completed.load() | called)
            node = await work.list.next.load()

    async def unwind_reset_info(self, task: Task) -> None:
        """Skipped while PENDING is set; the mask is taken before the cookie is cleared."""
        info = task.unwind_info
        if not await info.unwind_mask.load() or not await take_mask(task):
            return
        await info.id.store(0)
        await emit(UnwindReset(task.number, self.flavour.reset is Reset.ENTRY))
        cache = await cache_of(self.deferral, info)
        if cache:
            await cache.nr_entries.store(0)
            await cache.unwind_completed.store(0)

    async def unwind_deferred_task_exit(self, task: Task) -> None:
        """Deliver what is pending while there is still a user stack, then take the work back."""
        if not await task.unwind_info.unwind_mask.load() & UNWIND_PENDING:
            return
        await self.process_unwind_deferred(task)
        await self.deferral.task_work.task_work_cancel(task, task.unwind_info.work)
