"""`wrong-stack`: a trace is the true backtrace of the entry that asked for it.

What is true comes from recordings or from the program's declaration, never from the unwinder that is judged.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Self, TypeAlias

from ..events import CallbackBegin, KernelEntry, KernelExit, RequestBegin, RequestEnd
from ..monitor import Monitor, violate
from .specification import latest, sliced

Trace: TypeAlias = tuple[int, ...]

Truth: TypeAlias = Callable[[int], Collection[Trace]]
"""The acceptable traces of a captured stack. A pure function of the stack's number."""


@dataclass(frozen=True, slots=True)
class WrongStack:
    """`wrong-stack`: a callback's trace is not acceptable for the entry of a request that has its cookie.

    The cookie ties a trace to requests, and it must be right for each of them: the one that was made in an
    earlier entry, and the one that comes after the callback and is told "already executed". A callback
    with a cookie that no request has is other properties' business. An empty trace that should not be is
    `wrong-stack:empty`: where there may be no memory for one, truth says so.
    """

    truth: Truth
    inside: bool = False
    """An entry is open."""
    stack: int | None = None
    """The true one of this entry, or of the last."""
    running: tuple[int | None, ...] = ()
    """The stack of each request that has begun and not ended."""
    asked: frozenset[tuple[int, int]] = frozenset()
    """Cookie and stack of the granted requests."""
    called: frozenset[tuple[int, Trace]] = frozenset()
    """Cookie and trace of this entry's callbacks."""

    def after(self, event: object) -> Self:
        match event:
            case KernelEntry(stack=stack) if not self.inside:
                return replace(self, inside=True, stack=stack)
            case RequestBegin():
                return replace(self, running=(*self.running, self.stack))
            case RequestEnd():
                return self._ended(event)
            case CallbackBegin(cookie=cookie, trace=trace):
                for asked, stack in sorted(self.asked):
                    if asked == cookie:
                        self._compare(stack, cookie, trace)
                return replace(self, called=self.called | {(cookie, trace)})
            case KernelExit():
                return self._left()
        return self

    def _left(self) -> Self:
        answered = {cookie for cookie, _ in self.called}
        asked = frozenset(item for item in self.asked if item[0] not in answered)
        return replace(self, inside=False, asked=asked, called=frozenset())

    def _ended(self, event: RequestEnd) -> Self:
        ended = replace(self, running=self.running[:-1])
        stack = latest(self.running)
        if not event.granted or stack is None:
            return ended
        for called, trace in sorted(self.called):
            if event.returned == 1 and called == event.cookie:
                self._compare(stack, called, trace)
        return replace(ended, asked=self.asked | {(event.cookie, stack)})

    def _compare(self, stack: int, cookie: int, trace: Trace) -> None:
        if trace in self.truth(stack):
            return
        shown = " ".join(f"{counter:#x}" for counter in trace) or "nothing"
        violate(
            "wrong-stack" if trace else "wrong-stack:empty",
            f"the trace for cookie {cookie:#x} is not of stack {stack}: {shown}",
        )


def wrong_stack(task: int, tracer: int, truth: Truth) -> Monitor:
    """A callback brings the stack of the entry that asked."""
    kinds = (KernelEntry, KernelExit, RequestBegin, RequestEnd, CallbackBegin)
    return sliced("wrong-stack", WrongStack(truth), *kinds, task=task, tracer=tracer)
