"""The built-in programs, by name."""

from collections.abc import Callable
from typing import Final

from stackweave.core import Program

from . import defects
from .increments import cas_increments
from .parameters import Parameters
from .scenario import scenario

__all__ = ["BUILTIN", "Parameters"]

BUILTIN: Final[dict[str, Callable[[Parameters], Program]]] = {
    "default": scenario,
    "cas-increments": cas_increments,
    "spurious-callback": defects.spurious_callback,
    "cancelled-work-asks": defects.cancelled_work_asks,
    "request-returns-bit": defects.request_returns_bit,
    "stale-snapshot": defects.stale_snapshot,
    "walker-reads-cancelled": defects.walker_reads_cancelled,
    "request-races-cancel": defects.request_races_cancel,
    "cookie-zero": defects.cookie_zero,
    "reset-skipped": defects.reset_skipped,
    "cookie-after-reset": defects.cookie_after_reset,
}
