"""Generation `per_work`: each tracer has one task work of its own (v4 of the series, January 2025).

The work and its pending flag are the tracer's, and not the task's: while one task has it queued every other one is
refused, with -EEXIST and a cookie that nobody will call back; two CPUs that see the flag clear put one
`callback_head` on two lists. The cookie is a 48-bit count of the CPU, with the CPU's number above it; the function
that makes it returns what it had read before, 0, the first time, and the first one of CPU 0 after the count has
wrapped is 0 as well. It is cleared when the task comes from user mode. A work that runs again unwinds again. Where
no trace can be made the callback is given what lies on the stack: reported as undefined behaviour, and no entries.
"""

from functools import partial
from typing import ClassVar, Final

from ..events import Registered, UndefinedBehaviour, UnwindReset
from ..operations import emit, local_irq_restore, local_irq_save, smp_processor_id
from .flavour import Flavour, Reset
from .generation import Caller, Deferral, Generation, call_tracer
from .structs import EEXIST, EINVAL, ESRCH, UNWIND_MAX_ENTRIES, Task, TaskWorkMode, UnwindWork

COUNT_BITS: Final = 48
_COUNT_MASK: Final = (1 << COUNT_BITS) - 1


class PerWork(Generation):
    """As many tracers as there are; not from an NMI."""

    name: ClassVar[str] = "per_work"
    reserved: ClassVar[int] = 0
    errnos: ClassVar[tuple[int, ...]] = (-EINVAL, -EEXIST, -ESRCH)
    default: ClassVar[Flavour] = Flavour(reset=Reset.ENTRY)
    takes: ClassVar[tuple[str, ...]] = ("32-bit", "reset-at-exit")

    def __init__(self, deferral: Deferral, flavour: Flavour) -> None:
        super().__init__(deferral, flavour)
        for work in deferral.works.values():
            deferral.task_work.declare(work.work, partial(self._run, work))

    async def unwind_deferred_init(self, work: UnwindWork) -> int:
        """Clear the work; there is no list to be on."""
        await work.work.next.store(0)
        await work.pending.store(0)
        await emit(Registered(work.tracer, -1))
        await work.func.store(1 + work.tracer)
        return 0

    async def unwind_deferred_request(self, work: UnwindWork, caller: Caller) -> tuple[int, int]:
        """-EEXIST with a cookie promises a callback with it: one that is pending already."""
        task = caller.task
        if caller.nmi_cpu is not None or task is None or not await task.mm.load():
            return -EINVAL, 0
        flags = await local_irq_save()
        cookie = await self.get_cookie(task)
        result = await self._queue(task, work)
        await local_irq_restore(flags)
        return result, cookie

    @classmethod
    def grants(cls, returned: int, cookie: int) -> bool:
        """What is not 0 comes with a cookie where the callback is pending already, and without where it failed."""
        return returned == 0 or cookie != 0

    async def _queue(self, task: Task, work: UnwindWork) -> int:
        if await work.pending.load():
            return -EEXIST
        failed = await self.deferral.task_work.task_work_add(
            task, work.work, TaskWorkMode.TWA_RESUME, None
        )
        if not failed:
            await work.pending.store(1)
        return failed

    async def get_cookie(self, task: Task) -> int:
        """The entry's cookie as it was before the call: 0 for the call that makes it."""
        flags = await local_irq_save()
        cookie = await task.unwind_info.id.load()
        if not cookie:
            cpu = await smp_processor_id()
            count = await self.deferral.unwind_ctx_ctr[cpu].fetch_add(1) + 1
            await task.unwind_info.id.store(count & _COUNT_MASK | cpu << COUNT_BITS)
        await local_irq_restore(flags)
        return cookie

    async def unwind_deferred_cancel(self, work: UnwindWork) -> None:
        """unwind_deferred_cancel(task, work) for every task. A work that is off the list runs on."""
        for task in self.deferral.tasks:
            if await self.deferral.task_work.task_work_cancel(task, work.work):
                await work.pending.store(0)

    async def _run(self, work: UnwindWork, task: Task) -> None:
        """unwind_deferred_task_work() of one tracer: its flag is cleared after the callback."""
        if not await work.pending.load():
            return
        cookie = await self.get_cookie(task)
        nr = await self._unwind(task)
        await call_tracer(self.deferral, work, task, cookie, nr)
        await work.pending.store(0)

    async def _unwind(self, task: Task) -> int:
        unwind_user = self.deferral.unwind_user
        pointer = await self._entries(task) if await task.mm.load() else 0
        if not pointer:
            await emit(UndefinedBehaviour("uninitialised-trace"))
            return 0
        _, nr, entries = await unwind_user.unwind_user(task, UNWIND_MAX_ENTRIES)
        await unwind_user.caches.at(pointer).entries.store(entries)
        return nr

    async def _entries(self, task: Task) -> int:
        """info->entries, allocated once; 0 where that fails."""
        pointer = await task.unwind_info.cache.load()
        if not pointer:
            pointer = await self.deferral.unwind_user.allocate()
            await task.unwind_info.cache.store(pointer)
        return pointer

    async def unwind_deferred_task_work(self, task: Task) -> None:
        """No work is the task's own."""

    async def unwind_reset_info(self, task: Task) -> None:
        """unwind_enter_from_user_mode(): the cookie alone."""
        await task.unwind_info.id.store(0)
        await emit(UnwindReset(task.number, self.flavour.reset is Reset.ENTRY))

    async def unwind_deferred_task_exit(self, task: Task) -> None:
        """There is no hook yet: what is pending is run after the user memory is gone."""
