"""Whether a tracer has asked for a callback: what several properties must know."""

from dataclasses import dataclass, replace
from typing import Final, Self

from ..events import CallbackBegin, KernelExit, RequestBegin, RequestEnd


@dataclass(frozen=True, slots=True)
class Asked:
    """The standing of one tracer's requests in one task.

    A request counts from its beginning, since a callback may overtake its end, and is taken back when it
    ends and was not granted. A callback answers the requests that have its cookie; one with a cookie that none
    has, all there are. An answered request still stands until the task returns to user mode: a
    second callback before that is a repetition and not unrequested.
    """

    running: int = 0
    """Requests that have begun and not ended; those from an NMI nest in others."""
    pending: frozenset[int] = frozenset()
    """Cookies of the granted requests without an answer."""
    answered: frozenset[int] = frozenset()
    """Cookies of the granted requests that were answered in this entry."""
    called: frozenset[int] = frozenset()
    """Cookies of this entry's callbacks: a request that has one of them and returns 1 or more refers backward."""

    @property
    def stands(self) -> bool:
        """Whether somebody asked."""
        return self.running > 0 or bool(self.cookies)

    @property
    def cookies(self) -> frozenset[int]:
        """Of the granted requests that stand."""
        return self.pending | self.answered

    def after(self, event: object) -> Self:
        """The standing after one more event of this task and tracer."""
        match event:
            case RequestBegin():
                return replace(self, running=self.running + 1)
            case RequestEnd():
                return replace(self, running=self.running - 1).ended(event)
            case CallbackBegin(cookie=cookie):
                return self._called(cookie)
            case KernelExit():
                return replace(self, answered=frozenset(), called=frozenset())
        return self

    def ended(self, event: RequestEnd) -> Self:
        """The standing after a request returned, apart from `running`."""
        if not event.granted:
            return self
        if event.returned > 0 and event.cookie in self.called:
            return replace(self, answered=self.answered | {event.cookie})
        return replace(self, pending=self.pending | {event.cookie})

    def _called(self, cookie: int) -> Self:
        answers = {cookie} if cookie in self.cookies else self.pending
        return replace(
            self,
            pending=self.pending - answers,
            answered=self.answered | answers,
            called=self.called | {cookie},
        )


NOT_ASKED: Final = Asked()
