"""The properties, each a specification of its own and sliced: what the emulator looks for.

`docs/properties.md` describes them for users; WARNING: it and `PROPERTIES` must agree.
"""

from collections.abc import Collection, Sequence
from typing import Final

from ..monitor import Monitor
from .cookies import cookie_mismatch, cookie_shared, cookie_zero
from .exit_loop import live_lock
from .grace_periods import grace_periods
from .requests import late, lost, return_value, twice, unrequested
from .shadow_stacks import shadow_stack
from .stacks import Trace, Truth, wrong_stack
from .tracepoints import probe_data
from .tracers import after_cancel, inherited
from .undefined import undefined_behaviour

__all__ = [
    "PROPERTIES",
    "Trace",
    "Truth",
    "after_cancel",
    "cookie_mismatch",
    "cookie_shared",
    "cookie_zero",
    "grace_periods",
    "inherited",
    "late",
    "live_lock",
    "lost",
    "probe_data",
    "return_value",
    "shadow_stack",
    "twice",
    "undefined_behaviour",
    "unrequested",
    "unwind_monitors",
    "wrong_stack",
]

PROPERTIES: Final = {
    "unrequested": "a callback that nobody asked for",
    "lost": "a granted request that is never answered",
    "late": "a request that is answered only after a return to user mode",
    "twice": "a second callback of one tracer in one entry",
    "return-value": "a request returns something that is not documented",
    "cookie-zero": "a request got, or a callback brought, cookie 0",
    "cookie-mismatch": "a callback brings a cookie that none of its requests got",
    "cookie-shared": "two entries of a task have the same cookie",
    "wrong-stack": "a trace is not the true backtrace of the entry that asked",
    "after-cancel": "a callback begins after its tracer's cancel has returned",
    "inherited": "a bit's owner gets or loses something because of an earlier owner",
    "live-lock": "more rounds of an exit loop than the world outside asked for",
    "grace-period": "a grace period ends over a reader that began before it",
    "probe-data": "a probe is called with another probe's data",
    "undefined-behaviour": "the code does what C leaves undefined",
    "shadow-stack": "a shadow stack is freed in use, or used after it was freed",
}
"""What each property's violation is."""


def unwind_monitors(
    tasks: int,
    tracers: int,
    bits: Sequence[int],
    errnos: Collection[int],
    truth: Truth,
) -> list[Monitor]:
    """Every slice of every property of deferred unwinding.

    For tasks 0 to `tasks` - 1, tracers 0 to `tracers` - 1 and the bits they may own; `errnos` are the negative
    values that a request of this generation may return, `truth` gives the acceptable traces of a stack.
    """
    pairs = [(task, tracer) for task in range(tasks) for tracer in range(tracers)]
    by_pair = (unrequested, lost, late, twice, cookie_zero, cookie_mismatch)
    by_task = (cookie_shared, live_lock)
    return [
        *(monitor(*pair) for monitor in by_pair for pair in pairs),
        *(wrong_stack(*pair, truth) for pair in pairs),
        *(monitor(task) for monitor in by_task for task in range(tasks)),
        *(return_value(tracer, errnos) for tracer in range(tracers)),
        *(after_cancel(tracer) for tracer in range(tracers)),
        *(inherited(task, bit) for task in range(tasks) for bit in bits),
    ]
