"""The order of operations that a real kernel's instructions have, function by function."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from .printing import STALLED, injected
from .tracing import Step, Trace, Tracer


def _visits() -> Trace:
    return Tracer(injected("req 0", 1)).visits()


def _other() -> Trace:
    """Of a cancel that finds a task with a cache and outside of any SRCU reader, and of the init after it."""
    return Tracer(STALLED).other(_has_walked)


def _has_walked(steps: Sequence[Step]) -> bool:
    return bool(steps) and steps[-1].text.startswith("fetch_add unwind_srcu.ctrs[0].unlocks")


REQUEST: Final = (
    "load task0.flags",
    "load tracer0.work.bit",
    "irq_save",
    "load task0.id.low",
    "load unwind_ctx_ctr[0]",
    "cmpxchg task0.id.high",
    "store unwind_ctx_ctr[0]",
    "store task0.id.low",
    "load task0.id",
    "load task0.unwind_mask",
    "fetch_or task0.unwind_mask",
    "load task0.task_works",
    "store task0.work.next",
    "cmpxchg task0.task_works",
    "fetch_or task0.thread_flags",
    "irq_restore",
)

EXIT: Final = (
    "irq_save",
    "load task0.thread_flags",
    "irq_restore",
    "fetch_andnot task0.thread_flags",
    "load task0.task_works",
    # task_work_run() until there is none
    "load task0.task_works",
    "cmpxchg task0.task_works",
    "acquire",
    "store task0.pi_lock",
    "load task0.work.next",
    "process_unwind_deferred()",
    "load task0.task_works",
    "load task0.flags",
    "irq_save",
    "load task0.thread_flags",
    "unwind_reset_info()",
    "fetch_andnot task0.regs",
    "irq_restore",
)

PROCESS: Final = (
    "load task0.unwind_mask",
    "fetch_andnot task0.unwind_mask",
    # unwind_user_faultable()
    "load task0.mm",
    "load task0.cache",
    "alloc",
    "store nr_entries",
    "store unwind_completed",
    "store task0.cache",
    "load nr_entries",
    "load task0.flags",
    "load task0.regs",
    "store entries",
    "store nr_entries",
    "fetch_or task0.unwind_mask",
    # what was called before, the cookie
    "load task0.cache",
    "load unwind_completed",
    "load task0.id",
    # the walk
    "load unwind_srcu.ctrp",
    "fetch_add unwind_srcu.ctrs[0].locks0",
    "fence",
    "load callbacks.next",
    "load tracer1.work.bit",
    "load tracer1.work.list.next",
    "load tracer0.work.bit",
    "load tracer0.work.func",
    "load task0.cache",
    "load entries",
    "deliver()",
    "load task0.cache",
    "load tracer0.work.bit",
    "load unwind_completed",
    "store unwind_completed",
    "load tracer0.work.list.next",
    "load tracer2.work.bit",
    "load tracer2.work.list.next",
    "fence",
    "fetch_add unwind_srcu.ctrs[0].unlocks0",
)

RESET: Final = (
    "load task0.unwind_mask",
    "load task0.unwind_mask",
    "cmpxchg task0.unwind_mask",
    "store task0.id",
    "load task0.cache",
    "store nr_entries",
    "store unwind_completed",
)

CANCEL: Final = (
    "load tracer0.work.bit",
    "cmpxchg callback_mutex",
    "load tracer0.work.list.next",
    "load tracer0.work.list.prev",
    "store tracer2.work.list.prev",
    "store callbacks.next",
    "store tracer0.work.list.prev",
    "store tracer0.work.bit",
    "load unwind_mask",
    "store unwind_mask",
    "synchronize()",
    "fetch_andnot task0.unwind_mask",
    "load task0.cache",
    "fetch_andnot unwind_completed",
    "store callback_mutex",
)

INIT: Final = (
    "store tracer1.work.bit",
    "store tracer1.work.func",
    "cmpxchg callback_mutex",
    "load unwind_mask",
    "store tracer1.work.bit",
    "store unwind_mask",
    "load callbacks.next",
    "store tracer1.work.list.next",
    "store tracer1.work.list.prev",
    "store callbacks.next",
    "store tracer2.work.list.prev",
    "store tracer1.work.func",
    "store callback_mutex",
)


@dataclass(frozen=True, slots=True)
class Order:
    """What a function does, and what it should."""

    function: str
    wanted: tuple[str, ...]
    calls: tuple[str, ...] = ()
    """Functions of which only the call is listed."""
    of: Callable[[], Trace] = _visits

    def holds(self) -> bool:
        """Whether the function does that, when it first runs."""
        return self.of().inside(self.function, *self.calls)[: len(self.wanted)] == self.wanted


ORDERS: Final = {
    "request": Order("unwind_deferred_request", REQUEST),
    "exit": Order("do_syscall_64", EXIT, ("process_unwind_deferred", "unwind_reset_info")),
    "process": Order("process_unwind_deferred", PROCESS, ("deliver",)),
    "reset": Order("unwind_reset_info", RESET),
    "cancel": Order("unwind_deferred_cancel", CANCEL, ("synchronize",), _other),
    "init": Order("unwind_deferred_init", INIT, (), _other),
}
