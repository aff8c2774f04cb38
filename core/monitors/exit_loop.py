"""`live-lock`: the exit loop goes on for no more rounds than the world outside asked for.

The exit path and the callbacks fire events of their own; a tracer that answers each with a request keeps the loop
of kernel/entry/common.c, exit_to_user_mode_loop(), going for ever.
"""

from dataclasses import dataclass, replace
from typing import Self

from ..events import ExitRound, KernelExit, RequestBegin, RequestEnd
from ..monitor import Monitor, violate
from .specification import latest, sliced


@dataclass(frozen=True, slots=True)
class LiveLock:
    """`live-lock`: more rounds in this entry than 1 + its outside requests that returned 0.

    An exhaustive search need not count: there, a live-lock is a fair cycle without progress.
    """

    rounds: int = 0
    granted: int = 0
    running: tuple[bool, ...] = ()
    """Of each request that has begun and not ended: whether it came from outside."""

    def after(self, event: object) -> Self:
        match event:
            case RequestBegin(outside=outside):
                return replace(self, running=(*self.running, outside))
            case RequestEnd(returned=returned):
                granted = self.granted + (returned == 0 and latest(self.running))
                return replace(self, granted=granted, running=self.running[:-1])
            case ExitRound():
                return self._next_round()
            case KernelExit():
                return replace(self, rounds=0, granted=0)
        return self

    def _next_round(self) -> Self:
        if self.rounds > self.granted:
            violate(
                "live-lock",
                f"round {self.rounds + 1} of the exit loop, for {self.granted} requests from outside",
            )
        return replace(self, rounds=self.rounds + 1)


def live_lock(task: int) -> Monitor:
    """The exit loop ends."""
    kinds = (RequestBegin, RequestEnd, ExitRound, KernelExit)
    return sliced("live-lock", LiveLock(), *kinds, task=task)
