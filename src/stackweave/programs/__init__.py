"""The built-in programs, by name."""

from collections.abc import Callable
from typing import Final

from stackweave.core import Program

from . import (
    defects,
    drafts,
    handovers,
    one_list,
    own_works,
    perf,
    perf_reader,
    proposals,
    ways_out,
)
from .increments import cas_increments
from .parameters import Parameters
from .scenario import scenario

__all__ = ["BUILTIN", "Parameters"]

BUILTIN: Final[dict[str, Callable[[Parameters], Program]]] = {
    "default": scenario,
    "cas-increments": cas_increments,
    "first-cookie": own_works.first_cookie,
    "cookie-wraps": own_works.cookie_wraps,
    "no-entries": own_works.no_entries,
    "shared-work": own_works.shared_work,
    "two-lists": own_works.two_lists,
    "interrupt-asks-again": own_works.interrupt_asks_again,
    "cancel-frees": own_works.cancel_frees,
    "nmi-falls-back": own_works.nmi_falls_back,
    "exit-asks": own_works.exit_asks,
    "asks-in-exit": own_works.asks_in_exit,
    "two-unwinds": own_works.two_unwinds,
    "everybody-is-called": one_list.everybody_is_called,
    "contended-mutex": one_list.contended_mutex,
    "exit-event-asks": one_list.exit_event_asks,
    "exit-window": one_list.exit_window,
    "next-unwinds": proposals.next_unwinds,
    "prev-unwinds": proposals.prev_unwinds,
    "alternation": drafts.alternation,
    "spoilt-swap": drafts.spoilt_swap,
    "registers-again": drafts.registers_again,
    "spurious-callback": defects.spurious_callback,
    "cancelled-work-asks": defects.cancelled_work_asks,
    "request-returns-bit": defects.request_returns_bit,
    "stale-snapshot": defects.stale_snapshot,
    "walker-reads-cancelled": defects.walker_reads_cancelled,
    "request-races-cancel": defects.request_races_cancel,
    "cookie-zero": defects.cookie_zero,
    "reset-skipped": defects.reset_skipped,
    "cookie-after-reset": defects.cookie_after_reset,
    "null-function": handovers.null_function,
    "swallowed-callback": handovers.swallowed_callback,
    "lost-clear": handovers.lost_clear,
    "double-cancel": handovers.double_cancel,
    "request-returns-bit-31": handovers.request_returns_bit_31,
    "request-returns-bit-32": handovers.request_returns_bit_32,
    "high-bit-asks": handovers.high_bit_asks,
    "irq-on-event-asks": ways_out.irq_on_event_asks,
    "next-cookie": ways_out.next_cookie,
    "nmi-cannot-add": ways_out.nmi_cannot_add,
    "exec-after-request": ways_out.exec_after_request,
    "cookie-repeats": ways_out.cookie_repeats,
    "callback-cancels": ways_out.callback_cancels,
    "user-worker-asks": ways_out.user_worker_asks,
    "sigreturn-after-request": ways_out.sigreturn_after_request,
    "perf-everybody": perf.perf_everybody,
    "perf-last-record": perf.perf_last_record,
    "perf-migration": perf.perf_migration,
    "perf-backward": perf_reader.perf_backward,
    "no-cache": ways_out.no_cache,
}
