"""Hearing what a live run emits."""

from collections.abc import Callable

from .live import Live


class Listener:
    """Hands each event on as soon as it is emitted; give it to a live run as `watch`."""

    def __init__(self, hear: Callable[[object], None]) -> None:
        """`hear` must not wait: a queue's or a channel's way to take what there is room for."""
        self._hear = hear
        self._heard = 0

    def __call__(self, live: Live) -> None:
        events = live.interpreter.events
        while self._heard < len(events):
            self._heard += 1
            self._hear(events[self._heard - 1].event)
