"""Cookies name kernel entries: `cookie-zero`, `cookie-mismatch` and `cookie-shared`.

A cookie is never 0, is the same for all requests and callbacks of one entry, and no other entry of the task has it
(kernel/unwind/deferred.c, get_cookie()).
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Self

from ..events import CallbackBegin, KernelExit, RequestBegin, RequestEnd
from ..monitor import Monitor, violate
from .asked import NOT_ASKED, Asked
from .specification import sliced


@dataclass(frozen=True, slots=True)
class CookieZero:
    """`cookie-zero`: a granted request got cookie 0, or a callback brought it."""

    def after(self, event: object) -> Self:
        match event:
            case RequestEnd(returned=returned, cookie=0, granted=True):
                violate("cookie-zero", f"a request returned {returned} and cookie 0")
            case CallbackBegin(cookie=0):
                violate("cookie-zero", "a callback has cookie 0")
        return self


@dataclass(frozen=True, slots=True)
class CookieMismatch:
    """`cookie-mismatch`: a callback's cookie is not 0, and no request that it answers got it.

    A callback that nobody asked for is `unrequested`, and none of this property's business; nor is one that
    overtakes the end of a request, whose cookie is not known yet.
    """

    asked: Asked = NOT_ASKED

    def after(self, event: object) -> Self:
        if isinstance(event, CallbackBegin):
            self._compare(event.cookie)
        return replace(self, asked=self.asked.after(event))

    def _compare(self, cookie: int) -> None:
        asked = self.asked.cookies
        if cookie and asked and not self.asked.running and cookie not in asked:
            wanted = ", ".join(f"{wanted:#x}" for wanted in sorted(asked))
            violate("cookie-mismatch", f"a callback has cookie {cookie:#x}, requests got {wanted}")


class Bearer(IntEnum):
    """What had a cookie. Not strings: sets of them have another order in every process."""

    REQUEST = 0
    CALLBACK = 1


@dataclass(frozen=True, slots=True)
class CookieShared:
    """`cookie-shared`: granted requests of two entries got the same cookie, or callbacks in two brought it.

    Requests and callbacks are compared each with their own kind: a request and its callback
    in two entries are `late`. Every cookie so far is kept: any of them may come again.
    """

    earlier: frozenset[tuple[Bearer, int]] = frozenset()
    here: frozenset[tuple[Bearer, int]] = frozenset()

    def after(self, event: object) -> Self:
        match event:
            case RequestEnd(cookie=cookie, granted=True):
                return self._seen(Bearer.REQUEST, cookie)
            case CallbackBegin(cookie=cookie):
                return self._seen(Bearer.CALLBACK, cookie)
            case KernelExit():
                return replace(self, earlier=self.earlier | self.here, here=frozenset())
        return self

    def _seen(self, what: Bearer, cookie: int) -> Self:
        if cookie == 0:
            return self
        if (what, cookie) in self.earlier:
            bearer = what.name.lower()
            violate("cookie-shared", f"a {bearer} has cookie {cookie:#x}, as in an earlier entry")
        return replace(self, here=self.here | {(what, cookie)})


def cookie_zero(task: int, tracer: int) -> Monitor:
    """No cookie is 0."""
    return sliced("cookie-zero", CookieZero(), RequestEnd, CallbackBegin, task=task, tracer=tracer)


def cookie_mismatch(task: int, tracer: int) -> Monitor:
    """A callback brings the cookie that the request got."""
    kinds = (RequestBegin, RequestEnd, CallbackBegin, KernelExit)
    return sliced("cookie-mismatch", CookieMismatch(), *kinds, task=task, tracer=tracer)


def cookie_shared(task: int) -> Monitor:
    """No two entries of a task have the same cookie."""
    kinds = (RequestEnd, CallbackBegin, KernelExit)
    return sliced("cookie-shared", CookieShared(), *kinds, grows=True, task=task)
