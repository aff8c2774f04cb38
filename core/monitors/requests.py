"""Requests and their answers: `unrequested`, `twice`, `lost`, `late` and `return-value`.

A request that returns 0 promises a callback, one that returns 1 says that there is, or was in this
entry, a callback with the same cookie. The cookie is what ties the two together: a tracer has nothing else.
(kernel/unwind/deferred.c, unwind_deferred_request().) In generation `per_work` any other value with a cookie
promises a callback that is pending, and so yet to come: -EEXIST above all.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Self

from ..events import (
    CallbackBegin,
    CancelBegin,
    CancelEnd,
    KernelEntry,
    KernelExit,
    Registered,
    RequestBegin,
    RequestEnd,
    TaskExit,
    UnwindReset,
)
from ..monitor import Monitor, violate
from .asked import NOT_ASKED, Asked
from .specification import latest, sliced


@dataclass(frozen=True, slots=True)
class Unrequested:
    """`unrequested`: a callback begins though its tracer has not asked, in the sense of `Asked`."""

    asked: Asked = NOT_ASKED

    def after(self, event: object) -> Self:
        if isinstance(event, CallbackBegin) and not self.asked.stands:
            violate(
                "unrequested", f"a callback with cookie {event.cookie:#x} that nobody asked for"
            )
        return replace(self, asked=self.asked.after(event))


@dataclass(frozen=True, slots=True)
class Twice:
    """`twice`: a second callback of the tracer begins before the task returns to user mode.

    A tracer that has registered again since is another one.
    """

    called: bool = False

    def after(self, event: object) -> Self:
        if self.called and isinstance(event, CallbackBegin):
            violate("twice", f"a second callback in one entry, with cookie {event.cookie:#x}")
        return replace(self, called=isinstance(event, CallbackBegin))


class Standing(IntEnum):
    """Of a tracer."""

    REGISTERED = 0
    CANCELLING = 1
    CANCELLED = 2


class Claim(IntEnum):
    """What a request may expect, by its tracer's `Standing` when it began: the values agree."""

    OWED = 0
    """An answer."""
    FORGIVEN = 1
    """Nothing: a cancel began after it, or was running when it began."""
    REFUSED = 2
    """A negative value: its tracer's cancel had returned."""
    PENDING = 3
    """An answer that was pending already, though one with its cookie had come before in the entry."""


@dataclass(frozen=True, slots=True)
class Lost:
    """`lost`: a request is granted with a cookie, and no callback ever brings that cookie.

    Judged when the task has ended. A callback earlier in the entry counts (a backward reference), as
    does one in a later entry, which is `late`. A request that its tracer's cancel followed, or overlapped, is
    forgiven. One that began after the cancel had returned should not have been granted: `lost:cancelled`.
    One that was told of a pending callback, by a negative value, and has only the one before it:
    `lost:backward-reference`.
    """

    standing: Standing = Standing.REGISTERED
    running: tuple[Claim, ...] = ()
    waiting: frozenset[tuple[int, Claim]] = frozenset()
    """Cookie and claim of the granted requests without an answer."""
    called: frozenset[int] = frozenset()
    """Cookies of this entry's callbacks."""

    def after(self, event: object) -> Self:
        match event:
            case RequestBegin():
                return replace(self, running=(*self.running, Claim(self.standing)))
            case RequestEnd():
                return self._ended(event)
            case CallbackBegin(cookie=cookie):
                waiting = frozenset(item for item in self.waiting if item[0] != cookie)
                return replace(self, waiting=waiting, called=self.called | {cookie})
            case KernelExit():
                return replace(self, called=frozenset())
            case TaskExit():
                self._judge()
        return self._registration(event)

    def _ended(self, event: RequestEnd) -> Self:
        ended = replace(self, running=self.running[:-1])
        claim = latest(self.running)
        called = event.cookie in self.called
        if not event.granted or claim is Claim.FORGIVEN or (called and event.returned > 0):
            return ended
        if claim is Claim.OWED and called and event.returned < 0:
            claim = Claim.PENDING
        return replace(ended, waiting=self.waiting | {(event.cookie, claim)})

    def _registration(self, event: object) -> Self:
        match event:
            case CancelBegin():
                forgiven = (Claim.FORGIVEN,) * len(self.running)
                return replace(
                    self, standing=Standing.CANCELLING, running=forgiven, waiting=frozenset()
                )
            case CancelEnd():
                return replace(self, standing=Standing.CANCELLED)
            case Registered():
                return replace(self, standing=Standing.REGISTERED)
        return self

    def _judge(self) -> None:
        for claim, signature in _LOST.items():
            cookies = sorted(cookie for cookie, made in self.waiting if made is claim)
            if cookies:
                names = ", ".join(f"{cookie:#x}" for cookie in cookies)
                violate(signature, f"granted and never answered: cookie {names}")


_LOST = {
    Claim.OWED: "lost",
    Claim.REFUSED: "lost:cancelled",
    Claim.PENDING: "lost:backward-reference",
}


class Reset(IntEnum):
    """Where a request lies with respect to its entry's reset."""

    NONE_YET = 0
    BEFORE_REQUEST = 1
    AFTER_REQUEST = 2


_LATE = {
    Reset.NONE_YET: ("late:no-reset", "the entry was left without a reset"),
    Reset.BEFORE_REQUEST: ("late:after-reset", "it was made after the entry's reset"),
    Reset.AFTER_REQUEST: ("late", "the entry's reset came between"),
}


@dataclass(frozen=True, slots=True)
class Late:
    """`late`: the callback with a request's cookie comes only after a return to user mode.

    `late:after-reset` when an UnwindReset of the same entry came before the request began,
    `late:no-reset` when none came between the request and the return, else plain `late`.
    """

    inside: bool = False
    """An entry is open."""
    reset: bool = False
    """An UnwindReset came in this entry."""
    running: tuple[Reset, ...] = ()
    here: frozenset[tuple[int, Reset]] = frozenset()
    """Cookie and reset of this entry's requests without an answer."""
    left: frozenset[tuple[int, Reset]] = frozenset()
    """The same of earlier entries."""
    called: frozenset[int] = frozenset()
    """Cookies of this entry's callbacks."""

    def after(self, event: object) -> Self:
        match event:
            case KernelEntry() if not self.inside:
                return replace(self, inside=True, reset=False)
            case RequestBegin():
                begun = Reset.BEFORE_REQUEST if self.reset else Reset.NONE_YET
                return replace(self, running=(*self.running, begun))
            case RequestEnd():
                return self._ended(event)
            case CallbackBegin(cookie=cookie):
                return self._answered(cookie)
            case UnwindReset(at_entry=at_entry):
                return self._reset_at_entry() if at_entry else self._reset()
            case KernelExit():
                return replace(
                    self,
                    inside=False,
                    here=frozenset(),
                    left=self.left | self.here,
                    called=frozenset(),
                )
        return self

    def _ended(self, event: RequestEnd) -> Self:
        ended = replace(self, running=self.running[:-1])
        begun = latest(self.running)
        if not event.granted or (event.returned > 0 and event.cookie in self.called):
            return ended
        return replace(ended, here=self.here | {(event.cookie, begun)})

    def _answered(self, cookie: int) -> Self:
        for left, reset in sorted(self.left):
            if left == cookie:
                signature, why = _LATE[reset]
                violate(signature, f"cookie {cookie:#x} is called back in a later entry: {why}")
        here = frozenset(item for item in self.here if item[0] != cookie)
        return replace(self, here=here, called=self.called | {cookie})

    def _reset(self) -> Self:
        return replace(
            self,
            reset=True,
            running=tuple(map(_passed, self.running)),
            here=frozenset((cookie, _passed(reset)) for cookie, reset in self.here),
        )

    def _reset_at_entry(self) -> Self:
        """What was asked for before it is of the entry that was left."""
        left = frozenset((cookie, _passed(reset)) for cookie, reset in self.left)
        return replace(self._reset(), reset=self.reset, left=left)


def _passed(reset: Reset) -> Reset:
    """Where a request lies after one more reset."""
    return Reset.AFTER_REQUEST if reset is Reset.NONE_YET else reset


@dataclass(frozen=True, slots=True)
class ReturnValue:
    """`return-value`: a request returns neither 0 nor 1 nor an errno that its generation documents."""

    errnos: frozenset[int]

    def after(self, event: object) -> Self:
        if isinstance(event, RequestEnd) and event.returned not in {0, 1} | self.errnos:
            violate("return-value", f"a request returned {event.returned}")
        return self


_REQUEST = (RequestBegin, RequestEnd, CallbackBegin)
_REGISTRATION = (Registered, CancelBegin, CancelEnd)


def unrequested(task: int, tracer: int) -> Monitor:
    """No callback without a request."""
    return sliced("unrequested", Unrequested(), *_REQUEST, KernelExit, task=task, tracer=tracer)


def twice(task: int, tracer: int) -> Monitor:
    """At most one callback an entry."""
    return sliced("twice", Twice(), CallbackBegin, KernelExit, Registered, task=task, tracer=tracer)


def lost(task: int, tracer: int) -> Monitor:
    """Every granted request is answered."""
    kinds = (*_REQUEST, KernelExit, TaskExit, *_REGISTRATION)
    return sliced("lost", Lost(), *kinds, task=task, tracer=tracer)


def late(task: int, tracer: int) -> Monitor:
    """Every answer comes before the task returns to user mode."""
    kinds = (*_REQUEST, KernelEntry, KernelExit, UnwindReset)
    return sliced("late", Late(), *kinds, task=task, tracer=tracer)


def return_value(tracer: int, errnos: Collection[int]) -> Monitor:
    """Requests return what is documented; `errnos` as they are returned, negative."""
    return sliced("return-value", ReturnValue(frozenset(errnos)), RequestEnd, tracer=tracer)
