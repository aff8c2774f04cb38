"""`probe-data`: a tracepoint calls each probe with the data that was registered with it (kernel/tracepoint.c)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from ..events import ProbeCalled
from ..monitor import Monitor, violate
from .specification import sliced


@dataclass(frozen=True, slots=True)
class ProbeData:
    """`probe-data`: a probe is called with data that it was never registered with."""

    registered: frozenset[tuple[int, int]]
    """(probe, data)."""

    def after(self, event: object) -> Self:
        if isinstance(event, ProbeCalled) and (event.probe, event.data) not in self.registered:
            violate("probe-data", f"probe {event.probe} is called with data {event.data:#x}")
        return self


def probe_data(tracepoint: int, registered: Collection[tuple[int, int]]) -> Monitor:
    """Probes get their own data; `registered` has every (probe, data) that the program ever registers."""
    start = ProbeData(frozenset(registered))
    return sliced("probe-data", start, ProbeCalled, tracepoint=tracepoint)
