"""Whether a tracer has asked for a callback: what several properties must know."""

from dataclasses import dataclass, replace
from typing import Final, Self

from ..events import CallbackBegin, KernelExit, RequestBegin, RequestEnd


@dataclass(frozen=True, slots=True)
class Asked:
    """The standing of one tracer's requests in one task.

    A request counts from its beginning, since a callback may overtake its end, and is taken back when it
    ends with a negative value. A callback answers all there are. An answered one still stands until the task
    returns to user mode: a second callback before that is a repetition and not unrequested.
    """

    running: int = 0
    """Requests that have begun and not ended; those from an NMI nest in others."""
    pending: bool = False
    """A granted request has not been answered."""
    answered: bool = False
    """A granted request has been answered in this entry."""
    called: frozenset[int] = frozenset()
    """Cookies of this entry's callbacks: a request that gets one of them is a backward reference."""

    @property
    def stands(self) -> bool:
        """Whether somebody asked."""
        return self.running > 0 or self.pending or self.answered

    def after(self, event: object) -> Self:
        """The standing after one more event of this task and tracer."""
        match event:
            case RequestBegin():
                return replace(self, running=self.running + 1)
            case RequestEnd(returned=returned, cookie=cookie):
                return self._ended(returned, cookie)
            case CallbackBegin(cookie=cookie):
                answered = self.answered or self.pending
                return replace(
                    self, pending=False, answered=answered, called=self.called | {cookie}
                )
            case KernelExit():
                return replace(self, answered=False, called=frozenset())
        return self

    def _ended(self, returned: int, cookie: int) -> Self:
        ended = replace(self, running=self.running - 1)
        if returned < 0:
            return ended
        if cookie in self.called:
            return replace(ended, answered=True)
        return replace(ended, pending=True)


NOT_ASKED: Final = Asked()
