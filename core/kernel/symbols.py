"""Which kernel function an operation stands in.

A coroutine here is named as the kernel's function, but a compiled kernel has fewer functions than its source: the
compiler inlines small static ones, and the helpers of these models are inlined too. `SYMBOLS` lists what a 7.2
kernel's symbol table has; every other coroutine belongs to the one that awaits it.
"""

from collections.abc import Sequence
from typing import Final

SYMBOLS: Final = frozenset(
    {
        "deliver",
        "do_exit",
        "do_syscall_64",
        "exit_to_user_mode_loop",
        "irqentry_exit",
        "process_unwind_deferred",
        "srcu_read_lock",
        "srcu_read_unlock",
        "synchronize",
        "task_work_add",
        "task_work_cancel",
        "task_work_run",
        "unwind_deferred_cancel",
        "unwind_deferred_init",
        "unwind_deferred_request",
        "unwind_deferred_task_exit",
        "unwind_deferred_task_work",
        "unwind_user",
        "unwind_user_faultable",
    }
)
"""unwind_get_cookie() is inlined into unwind_deferred_request(), unwind_reset_info() into do_syscall_64() and
irqentry_exit(). deliver() is a tracer's callback, in another module."""

TAIL_CALLS: Final = frozenset({"unwind_deferred_task_work"})
"""Functions that end in a jump: nothing of them is left when the function that they call returns."""


def symbol_index(functions: Sequence[str]) -> int:
    """The place, in a stack of coroutines, of the innermost that is a symbol; 0 if none is."""
    for index in range(len(functions) - 1, 0, -1):
        if functions[index] in SYMBOLS:
            return index
    return 0
