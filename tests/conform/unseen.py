"""Single changes to the models that no set of outcomes shows: what is changed, and in which functions.

Each is listed with what rejects it: an order of operations, or what must hold wherever an NMI comes.
"""

from typing import Final

from stackweave.core.kernel.cookie import unwind_get_cookie
from stackweave.core.kernel.entry import Entry
from stackweave.core.kernel.generation import take_bit, take_mask
from stackweave.core.kernel.task_work import TaskWork
from stackweave.core.kernel.unwind_user import UnwindUser
from stackweave.core.kernel.upstream import Upstream

from .plants import Change, edit

_CANCEL: Final = Upstream.unwind_deferred_cancel
_PROCESS: Final = Upstream.process_unwind_deferred
_RESET: Final = Upstream.unwind_reset_info
_BIT_MINUS_ONE: Final = "await work.bit.store(-1)\n"
_LIST_DEL: Final = "await list_del_rcu(deferral.nodes, work.list)\n"
_FREE_BIT: Final = "await deferral.unwind_mask.store(await deferral.unwind_mask.load() & ~mask)\n"
_SYNCHRONIZE: Final = "await deferral.unwind_srcu.synchronize()\n"
_FUNC: Final = "await work.func.store(1 + work.tracer)"


def _after_grace_period(name: str, moved: str) -> Change:
    edits = (edit(_CANCEL, moved, ""), edit(_CANCEL, _SYNCHRONIZE, _SYNCHRONIZE + moved))
    return Change(name, edits)


_FUNC_FIRST: Final = (
    Change(
        "the function is set first",
        (
            edit(take_bit, _FUNC, "pass"),
            edit(take_bit, "await work.func.store(0)\n", _FUNC + "\n"),
        ),
    ),
    Change(
        "the function is set before the work is on the list",
        (
            edit(take_bit, _FUNC, "pass"),
            edit(take_bit, "await list_add_rcu(", _FUNC + "\nawait list_add_rcu("),
        ),
    ),
)

UNSEEN: Final = {
    "request": (
        Change(
            "the bit is read after interrupts are off",
            (
                edit(
                    Upstream.unwind_deferred_request,
                    "self.flavour.requested(bit), caller",
                    "work, caller",
                ),
                edit(Upstream._claim, "bit: int", "work: UnwindWork"),
                edit(
                    Upstream._claim,
                    "if await info.unwind_mask.load() & bit:",
                    "bit = self.flavour.bit_mask(await work.bit.load())\n"
                    "if await info.unwind_mask.load() & bit:",
                ),
            ),
        ),
    ),
    "counter": (
        Change(
            "the counter is stored though the cmpxchg lost",
            (
                edit(
                    unwind_get_cookie,
                    "if not await info.id.high.cmpxchg(0, count):",
                    "await info.id.high.cmpxchg(0, count)\nif True:",
                ),
            ),
        ),
        Change(
            "the counter is stored before the cmpxchg",
            (
                edit(
                    unwind_get_cookie,
                    "if not await info.id.high.cmpxchg(0, count):\n"
                    "    await counters[cpu].store(count)",
                    "await counters[cpu].store(count)\nawait info.id.high.cmpxchg(0, count)",
                ),
            ),
        ),
        Change("the counter steps by 1", (edit(unwind_get_cookie, "+ 2) | 1", "+ 1)"),)),
        Change("the counter steps by 4", (edit(unwind_get_cookie, "+ 2) | 1", "+ 4) | 1"),)),
    ),
    "pending kept": (
        Change(
            "the reset does not look at PENDING",
            (edit(take_mask, "while not bits & pending:", "while True:"),),
        ),
    ),
    "one run": (
        Change(
            "the works are run in one pass",
            (edit(TaskWork.task_work_run, "while work :=", "if work :="),),
        ),
    ),
    "same visit": (
        Change(
            "the TIF is cleared after the work",
            (
                edit(
                    Entry._resume_user_mode_work,
                    "await task.thread_flags.fetch_andnot(TIF_NOTIFY_RESUME)\n",
                    "",
                ),
                edit(
                    Entry._resume_user_mode_work,
                    "if await task.task_works.load():\n"
                    "    await self._task_work.task_work_run(task)",
                    "if await task.task_works.load():\n"
                    "    await self._task_work.task_work_run(task)\n"
                    "await task.thread_flags.fetch_andnot(TIF_NOTIFY_RESUME)\n",
                ),
            ),
        ),
    ),
    "flag of the task": (
        Change(
            "the TIF is set by the IPI alone",
            (
                edit(
                    TaskWork.task_work_add,
                    "await task.thread_flags",
                    "if mode is TaskWorkMode.TWA_RESUME:\n    await task.thread_flags",
                ),
                edit(
                    Entry.irq_work_interrupt,
                    "await self._handle_interrupt(cpu, _do_nothing)",
                    """
                    task = await self.current(cpu)
                    if task:
                        await task.thread_flags.fetch_or(TIF_NOTIFY_RESUME)
                    await self._handle_interrupt(cpu, _do_nothing)
                    """,
                ),
            ),
        ),
    ),
    "reset": (
        Change(
            "the entries are cleared before the cookie",
            (
                edit(_RESET, "await cache.nr_entries.store(0)", "pass"),
                edit(
                    _RESET,
                    "await info.id.store(0)",
                    """
                    cache = await cache_of(self.deferral, info)
                    if cache:
                        await cache.nr_entries.store(0)
                    await info.id.store(0)
                    """,
                ),
            ),
        ),
        Change(
            "completed is cleared before the cookie",
            (
                edit(_RESET, "await cache.unwind_completed.store(0)", "pass"),
                edit(
                    _RESET,
                    "await info.id.store(0)",
                    """
                    cache = await cache_of(self.deferral, info)
                    if cache:
                        await cache.unwind_completed.store(0)
                    await info.id.store(0)
                    """,
                ),
            ),
        ),
    ),
    "process": (
        Change(
            "completed is read before the unwind",
            (
                edit(_PROCESS, "bits &= ~await cache.unwind_completed.load()", "pass"),
                edit(
                    _PROCESS,
                    "_, nr =",
                    """
                    cache = await cache_of(self.deferral, info)
                    if cache:
                        bits &= ~await cache.unwind_completed.load()
                    _, nr =
                    """,
                ),
            ),
        ),
        Change(
            "the cookie is read before the unwind",
            (
                edit(_PROCESS, "cookie = await info.id.load()\n", ""),
                edit(_PROCESS, "_, nr =", "cookie = await info.id.load()\n_, nr ="),
            ),
        ),
        Change(
            "the cookie is read for each callback",
            (
                edit(_PROCESS, "cookie = await info.id.load()\n", "cookie = 0\n"),
                edit(
                    Upstream._walk,
                    "task, cookie, nr)",
                    "task, await task.unwind_info.id.load(), nr)",
                ),
            ),
        ),
        Change(
            "the work's bit is read once",
            (
                edit(
                    Upstream._walk,
                    "if await test_bit(await work.bit.load(), bits):",
                    "bit = await work.bit.load()\nif await test_bit(bit, bits):",
                ),
                edit(Upstream._walk, "bit_mask(await work.bit.load())", "bit_mask(bit)"),
            ),
        ),
        Change(
            "USED is set before the entries are counted",
            (
                edit(
                    UnwindUser.unwind_user_faultable,
                    "await cache.nr_entries.store(count)\n",
                    "",
                ),
                edit(
                    UnwindUser.unwind_user_faultable,
                    "fetch_or(used_bit)\n",
                    "fetch_or(used_bit)\nawait cache.nr_entries.store(count)\n",
                ),
            ),
        ),
    ),
    "cancel": (
        _after_grace_period("the bit is -1 after the grace period", _BIT_MINUS_ONE),
        _after_grace_period("the work leaves the list after the grace period", _LIST_DEL),
        _after_grace_period("the bit is free after the grace period", _FREE_BIT),
        Change(
            "the bit is free after the walk over the tasks",
            (
                edit(_CANCEL, _FREE_BIT, ""),
                edit(
                    _CANCEL,
                    "fetch_andnot(mask)\ncache",
                    "fetch_andnot(mask)\n" + _FREE_BIT + "cache",
                ),
            ),
        ),
        Change(
            "completed is not cleared",
            (edit(_CANCEL, "await cache.unwind_completed.fetch_andnot(mask)", "pass"),),
        ),
    ),
    "init": _FUNC_FIRST,
    "null function": _FUNC_FIRST,
}
"""By what rejects it."""
