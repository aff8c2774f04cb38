"""Generation `mutex_list`: one list of tracers under one mutex, and one pending flag a task.

Commit 2dffa355f6c2, whose requests an NMI must not make, and 055c7060e7ca, which lets it on machines whose
cmpxchg is safe there (`mutex_list_nmi`). Nothing remembers who asked: the work calls every registered tracer.
A request while the flag is set returns 1; the flag is cleared before the unwind, so a request of the exit path's
own events sets it again and again. The reset clears the cookie without a look at the flag.
"""

from typing import ClassVar

from ..events import Registered, UnwindReset
from ..operations import emit, local_irq_restore, local_irq_save, smp_processor_id
from .cookie import unwind_get_cookie
from .flavour import Reset
from .generation import Caller, Generation, cache_of, call_tracer
from .lists import list_add_rcu, list_del_rcu
from .structs import EINVAL, PF_EXITING, PF_KTHREAD, Task, TaskWorkMode, UnwindTaskInfo, UnwindWork


class MutexList(Generation):
    """As many tracers as there are; not from an NMI."""

    name: ClassVar[str] = "mutex_list"
    reserved: ClassVar[int] = 0
    errnos: ClassVar[tuple[int, ...]] = (-EINVAL,)
    takes: ClassVar[tuple[str, ...]] = ("32-bit", "reset-at-entry", "irq-on-after-reset")
    nmi_safe: ClassVar[bool] = False

    async def unwind_deferred_init(self, work: UnwindWork) -> int:
        """Always 0."""
        deferral = self.deferral
        await work.func.store(0)
        async with deferral.callback_mutex:
            await list_add_rcu(deferral.nodes, work.list, deferral.callbacks)
            await emit(Registered(work.tracer, -1))
            await work.func.store(1 + work.tracer)
        return 0

    async def unwind_deferred_request(self, work: UnwindWork, caller: Caller) -> tuple[int, int]:
        """1: somebody's request is pending already."""
        task = caller.task
        if caller.nmi_cpu is not None and not (self.nmi_safe and self.flavour.nmi_safe_cmpxchg):
            return -EINVAL, 0
        if task is None or await task.flags.load() & (PF_KTHREAD | PF_EXITING):
            return -EINVAL, 0
        flags = await local_irq_save()
        cpu = await smp_processor_id()
        cookie = await unwind_get_cookie(task.unwind_info, self.deferral.unwind_ctx_ctr, cpu)
        result = await self._queue(task)
        await local_irq_restore(flags)
        return result, cookie

    async def _queue(self, task: Task) -> int:
        info = task.unwind_info
        if await info.pending.load():
            return 1
        failed = await self._add(task)
        if not failed:
            await info.pending.store(1)
        return failed

    async def _add(self, task: Task) -> int:
        work = task.unwind_info.work
        return await self.deferral.task_work.task_work_add(
            task, work, TaskWorkMode.TWA_RESUME, None
        )

    async def unwind_deferred_cancel(self, work: UnwindWork) -> None:
        """A request of this tracer that is pending stays so, for the others."""
        async with self.deferral.callback_mutex:
            await list_del_rcu(self.deferral.nodes, work.list)

    async def unwind_deferred_task_work(self, task: Task) -> None:
        """Call everybody."""
        info, deferral = task.unwind_info, self.deferral
        if not await info.pending.load():
            return
        await info.pending.store(0)
        _, nr = await deferral.unwind_user.unwind_user_faultable(task, 0)
        cookie = await info.id.load()
        async with deferral.callback_mutex:
            node = await deferral.callbacks.next.load()
            while node != deferral.callbacks.address:
                await call_tracer(deferral, deferral.works[node], task, cookie, nr)
                node = await deferral.works[node].list.next.load()

    async def unwind_reset_info(self, task: Task) -> None:
        """A request that is still pending loses its cookie."""
        info: UnwindTaskInfo = task.unwind_info
        await info.id.store(0)
        await emit(UnwindReset(task.number, self.flavour.reset is Reset.ENTRY))
        cache = await cache_of(self.deferral, info)
        if cache:
            await cache.nr_entries.store(0)

    async def unwind_deferred_task_exit(self, task: Task) -> None:
        """There is no hook yet: what is pending is run after the user memory is gone."""


class MutexListNmi(MutexList):
    """The same where an NMI may ask: whoever swaps the flag queues the work."""

    name: ClassVar[str] = "mutex_list_nmi"
    takes: ClassVar[tuple[str, ...]] = (*MutexList.takes, "no-nmi-cmpxchg")
    nmi_safe: ClassVar[bool] = True

    async def _queue(self, task: Task) -> int:
        """An NMI may claim the flag between the look and the swap."""
        info = task.unwind_info
        if await info.pending.load() or await info.pending.cmpxchg(0, 1):
            return 1
        failed = await self._add(task)
        if failed:
            await info.pending.store(0)
        return failed
