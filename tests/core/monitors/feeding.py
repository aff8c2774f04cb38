"""Feeding events to monitors by hand."""

from collections.abc import Sequence

from stackweave.core import Monitor
from stackweave.core.monitor import MonitorSet


def signatures(monitors: Sequence[Monitor], *events: object) -> list[str]:
    """What the monitors report, in the order in which they do."""
    running = MonitorSet(monitors)
    running.reset()
    found = [violation.signature for event in events for violation in running.observe(event)]
    running.discard()
    return found
