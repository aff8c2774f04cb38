"""What a live run has done so far, counted from its events."""

from dataclasses import dataclass

from stackweave.actors.events import Delivered, RecordsLost
from stackweave.core.events import KernelExit


@dataclass(slots=True)
class Delivery:
    """What one tracer's reader has got."""

    merged: int = 0
    """Samples that a deferred record brought the chain of."""
    unmerged: int = 0
    """Samples whose deferred record never came, or came before."""
    direct: int = 0
    """Samples whose request was refused: they have the chain with them."""
    lost: int = 0
    """Records that found no room, as far as the reader was told."""


class Tally:
    """Counts what readers deliver."""

    def __init__(self, tracers: int) -> None:
        self.entries = 0
        """Of the kernel, counted at their ends."""
        self.tracers = [Delivery() for _ in range(tracers)]

    def hear(self, event: object) -> None:
        """Take one event."""
        if type(event) is KernelExit:
            self.entries += 1
        elif type(event) is Delivered:
            tracer = self.tracers[event.tracer]
            tracer.direct += not event.cookie
            tracer.merged += event.merged
            tracer.unmerged += bool(event.cookie) and not event.merged
        elif type(event) is RecordsLost:
            self.tracers[event.tracer].lost += event.count

    def total(self) -> Delivery:
        """Of all tracers."""
        return Delivery(
            sum(each.merged for each in self.tracers),
            sum(each.unmerged for each in self.tracers),
            sum(each.direct for each in self.tracers),
            sum(each.lost for each in self.tracers),
        )
