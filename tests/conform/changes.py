"""Single changes to the models that the recordings reject: what is changed, and in which functions."""

from typing import Final

from stackweave.core.kernel.cookie import unwind_get_cookie
from stackweave.core.kernel.entry import Entry
from stackweave.core.kernel.generation import take_bit, take_mask
from stackweave.core.kernel.task_work import TaskWork
from stackweave.core.kernel.upstream import Upstream

from .plants import Change, edit

_BIT: Final = "self.flavour.requested(bit)"
_REQUEST: Final = Upstream.unwind_deferred_request
_CLAIM: Final = Upstream._claim
_CANCEL: Final = Upstream.unwind_deferred_cancel
_PROCESS: Final = Upstream.process_unwind_deferred
_WALK: Final = Upstream._walk
_RESET: Final = Upstream.unwind_reset_info

SEEN: Final = (
    # the request
    Change(
        "mask not read before the fetch_or",
        (edit(_CLAIM, "if await info.unwind_mask.load() & bit:", "if False:"),),
    ),
    Change(
        "mask read before the cookie is made",
        (
            edit(
                _CLAIM, "cpu = await smp", "mask = await info.unwind_mask.load()\ncpu = await smp"
            ),
            edit(_CLAIM, "if await info.unwind_mask.load() & bit:", "if mask & bit:"),
        ),
    ),
    Change(
        "a repeated request gets no cookie",
        (edit(_CLAIM, "return 1, cookie", "return 1, 0"),),
    ),
    Change(
        "PENDING forgotten in the fetch_or",
        (edit(_CLAIM, "fetch_or(claimed)", "fetch_or(bit)"),),
    ),
    Change(
        "what was set is answered with 1",
        (edit(_CLAIM, "return as_int(old & bit), cookie", "return int(old & bit != 0), cookie"),),
    ),
    Change(
        "what was set is answered with 0",
        (edit(_CLAIM, "return as_int(old & bit), cookie", "return 0, cookie"),),
    ),
    Change(
        "old & bit not cut to int",
        (edit(_CLAIM, "return as_int(old & bit), cookie", "return old & bit, cookie"),),
    ),
    Change(
        "load and store instead of the fetch_or",
        (
            edit(
                _CLAIM,
                "old = await info.unwind_mask.fetch_or(claimed)",
                "old = await info.unwind_mask.load()\nawait info.unwind_mask.store(old | claimed)",
            ),
        ),
    ),
    Change(
        "work added before the fetch_or",
        (
            edit(
                _CLAIM,
                "claimed = UNWIND_PENDING | bit\n",
                """
                claimed = UNWIND_PENDING | bit
                if not await info.unwind_mask.load() & UNWIND_PENDING:
                    await self.deferral.task_work.task_work_add(
                        task, info.work, TaskWorkMode.TWA_RESUME, None
                    )
                """,
            ),
            edit(
                _CLAIM,
                "failed = await self.deferral.task_work.task_work_add("
                "task, info.work, mode, caller.nmi_cpu)",
                "failed = 0",
            ),
        ),
    ),
    Change(
        "BIT(-1) is no bit",
        (edit(_REQUEST, _BIT + ", caller", f"0 if bit < 0 else {_BIT}, caller"),),
    ),
    Change(
        "a cancelled work is refused",
        (
            edit(
                _REQUEST,
                'await emit(UndefinedBehaviour("shift-out-of-bounds"))',
                "return -EINVAL, 0",
            ),
        ),
    ),
    # the cookie
    Change(
        "the cookie is there when its counter is",
        (edit(unwind_get_cookie, "info.id.low.load()", "info.id.high.load()"),),
    ),
    Change(
        "the CPU is stored before the counter",
        (
            edit(
                unwind_get_cookie,
                "count = (await",
                "await info.id.low.store(cpu + 1)\ncount = (await",
            ),
        ),
    ),
    Change(
        "the counter is stored, not swapped in",
        (
            edit(
                unwind_get_cookie,
                "if not await info.id.high.cmpxchg(0, count):",
                "await info.id.high.store(count)\nif True:",
            ),
        ),
    ),
    Change(
        "every request makes a cookie",
        (
            edit(unwind_get_cookie, "if not await info.id.low.load():", "if True:"),
            edit(unwind_get_cookie, "if not await info.id.high.cmpxchg(0, count):", "if True:"),
            edit(
                unwind_get_cookie,
                "return await info.id.load()",
                "await info.id.high.store(count)\nreturn await info.id.load()",
            ),
        ),
    ),
    # task work and walk
    Change(
        "PENDING cleared after the callbacks",
        (
            edit(_PROCESS, "fetch_andnot(UNWIND_PENDING)", "load()"),
            edit(
                _PROCESS,
                "await self._walk(task, bits, cookie, nr)",
                "await self._walk(task, bits, cookie, nr)\n"
                "await info.unwind_mask.fetch_andnot(UNWIND_PENDING)",
            ),
        ),
    ),
    Change(
        "the whole mask taken with PENDING",
        (edit(_PROCESS, "fetch_andnot(UNWIND_PENDING)", "xchg(0)"),),
    ),
    Change(
        "completed ignored",
        (edit(_PROCESS, "bits &= ~await cache.unwind_completed.load()", "pass"),),
    ),
    Change(
        "completed not set",
        (edit(_WALK, "await cache.unwind_completed.load() | called", "0"),),
    ),
    Change(
        "callbacks oldest first",
        (
            edit(_WALK, "deferral.callbacks.next", "deferral.callbacks.prev"),
            edit(_WALK, "work.list.next", "work.list.prev"),
        ),
    ),
    Change(
        "registered at the tail",
        (
            edit(
                take_bit,
                "work.list, deferral.callbacks)",
                "work.list, deferral.nodes[await deferral.callbacks.prev.load()])",
            ),
        ),
    ),
    Change(
        "the callback is called once more for who asks in it",
        (edit(_WALK, "bits):", "bits | await task.unwind_info.unwind_mask.load()):"),),
    ),
    Change(
        "USED forgotten",
        (edit(_PROCESS, "(task, UNWIND_USED)", "(task, 0)"),),
    ),
    # reset
    Change(
        "reset skipped where USED is set",
        (
            edit(
                _RESET,
                "if not await info.unwind_mask.load()",
                "if await info.unwind_mask.load() & UNWIND_USED",
            ),
        ),
    ),
    Change("reset leaves the cookie", (edit(_RESET, "await info.id.store(0)", "pass"),)),
    Change("reset leaves the entries", (edit(_RESET, "await cache.nr_entries.store(0)", "pass"),)),
    Change(
        "reset leaves completed",
        (edit(_RESET, "await cache.unwind_completed.store(0)", "pass"),),
    ),
    # cancel and init
    Change(
        "cancel does not walk the tasks",
        (edit(_CANCEL, "for task in deferral.tasks:", "for task in ():"),),
    ),
    Change("cancel keeps the work's bit", (edit(_CANCEL, "await work.bit.store(-1)", "pass"),)),
    Change(
        "cancel keeps the bit taken",
        (edit(_CANCEL, "& ~mask)\n", "& ~0)\n"),),
    ),
    Change(
        "cancel leaves the work on the list",
        (edit(_CANCEL, "await list_del_rcu(deferral.nodes, work.list)", "pass"),),
    ),
    Change(
        "a bit is never used again",
        (edit(take_bit, "(~taken & taken + 1).bit_length() - 1", "taken.bit_length()"),),
    ),
    Change(
        "a full mask leaves the bit at -1",
        (edit(take_bit, "return -EBUSY", "await work.bit.store(-1)\nreturn -EBUSY"),),
    ),
    Change(
        "one tracer fewer",
        (edit(take_bit, "if taken == U64_MASK:", "if taken >= U64_MASK >> 1:"),),
    ),
)
"""Each is seen by at least one of the four recordings."""

SEEN_WHERE_INJECTED: Final = (
    Change(
        "reset clears the cookie before the mask",
        (
            edit(
                _RESET,
                "if not await info.unwind_mask.load()",
                "await info.id.store(0)\nif not await info.unwind_mask.load()",
            ),
            edit(_RESET, "await info.id.store(0)\nawait emit", "await emit"),
        ),
    ),
    Change(
        "reset stores the mask, and swaps nothing",
        (
            edit(
                take_mask, "seen = await mask.cmpxchg(bits, 0)", "await mask.store(0)\nseen = bits"
            ),
        ),
    ),
    Change(
        "reset clears the cookie in two halves",
        (
            edit(
                _RESET,
                "await info.id.store(0)",
                "await info.id.low.store(0)\nawait info.id.high.store(0)",
            ),
        ),
    ),
    Change(
        "an NMI raises no irq_work",
        (edit(TaskWork.task_work_add, "await cpu.irq_work.store(1)", "pass"),),
    ),
    Change(
        "the bits are read after the unwind",
        (
            edit(
                _PROCESS,
                "bits = await info.unwind_mask.fetch_andnot(UNWIND_PENDING)",
                "await info.unwind_mask.fetch_andnot(UNWIND_PENDING)",
            ),
            edit(
                _PROCESS,
                "cache = await cache_of(self.deferral, info)",
                "bits = await info.unwind_mask.load()\ncache = await cache_of(self.deferral, info)",
            ),
        ),
    ),
    Change(
        "PENDING is loaded and stored",
        (
            edit(
                _PROCESS,
                "bits = await info.unwind_mask.fetch_andnot(UNWIND_PENDING)",
                "bits = await info.unwind_mask.load()\n"
                "await info.unwind_mask.store(bits & ~UNWIND_PENDING)",
            ),
        ),
    ),
    Change(
        "PENDING cleared after the unwind",
        (
            edit(_PROCESS, "fetch_andnot(UNWIND_PENDING)", "load()"),
            edit(
                _PROCESS,
                "cookie = await info.id.load()",
                "cookie = await info.id.load()\n"
                "await info.unwind_mask.fetch_andnot(UNWIND_PENDING)",
            ),
        ),
    ),
    Change(
        "the exit loop looks once",
        (edit(Entry.exit_to_user_mode_loop, "while (work :=", "if (work :="),),
    ),
    Change(
        "the walk is no SRCU reader",
        (edit(_PROCESS, "async with self.deferral.unwind_srcu.read_lock():", "if True:"),),
    ),
    Change(
        "cancel waits for no reader",
        (edit(_CANCEL, "await deferral.unwind_srcu.synchronize()", "pass"),),
    ),
    Change(
        "cancel waits before it begins",
        (
            edit(_CANCEL, "await deferral.unwind_srcu.synchronize()", "pass"),
            edit(
                _CANCEL,
                "async with deferral.callback_mutex:",
                "await deferral.unwind_srcu.synchronize()\nasync with deferral.callback_mutex:",
            ),
        ),
    ),
)
"""Each is seen where a request is injected, or the task held, outside unwind_deferred_request()."""
