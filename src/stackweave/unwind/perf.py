"""perf.data: one stack per sample, printed as `perf script` does, with the reason for its end."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, repeat
from typing import ClassVar, Final, NamedTuple

from stackweave.core.sframe.perf import PerfSession, PerfStack, Place
from stackweave.pictures import NamedFrame, NamedStack, Thread

from . import showing
from .showing import Json, Stack

_PLACES: Final = 1 << 14
"""Whose forms are kept: the samples of a session come back to the same ones."""
_NANOSECONDS: Final = 1_000_000_000


class Report(showing.Report):
    """A session's samples."""

    kind: ClassVar = "perf.data"
    plural: ClassVar = "samples"

    def __init__(self, session: PerfSession, merge: bool) -> None:
        """With `merge` false deferred callchains are shown by themselves."""
        self._session = session
        self._merge = merge
        self._shown = lru_cache(maxsize=_PLACES)(_show)

    @property
    def name(self) -> str:
        return self._session.file.name

    def stacks(self) -> Iterator[Stack]:
        for stack in self._session.stacks(merge=self._merge):
            kernel = (self._shown(place, False) for place in stack.kernel)
            shown = (*kernel, *self._user(stack))
            why = self._why(stack)
            lines = [_header(stack), *(each.line for each in shown), f"stopped: {why}"]
            places = [each.json for each in shown]
            described = {**_header_json(stack), "frames": places, **_stop(stack), "why": why}
            yield Stack(lines, described, _drawn(stack, tuple(each.named for each in shown), why))

    def missing(self) -> list[str]:
        return list(self._session.missing)

    def absent(self) -> list[str]:
        return list(self._session.absent)

    def remarks(self) -> list[str]:
        return self._session.chooser.remarks()

    def _user(self, stack: PerfStack) -> Iterator["_Shown"]:
        """Of what was unwound the frames that a signal interrupted are known, and before them is a trampoline."""
        callers = (place.is_exact for place in stack.user[1:]) if stack.walk is not None else ()
        return map(self._shown, stack.user, chain(callers, repeat(False)))

    def _why(self, stack: PerfStack) -> str:
        if stack.walk is not None:
            path = stack.user[-1].path
            name = path.rpartition("/")[2] if path else None
            return showing.why_stopped(stack.walk, name, self._session.chooser)
        if stack.cookie is not None and stack.event is not None and not stack.is_merged:
            return f"the callchain was deferred, cookie {stack.cookie:x}"
        return stack.why_not or "end of the recorded callchain"


def _header(stack: PerfStack) -> str:
    """`comm pid/tid [cpu] seconds: event:`, without what was not recorded."""
    words = [stack.comm]
    if stack.pid is not None:
        words.append(f"{stack.pid}/{stack.tid}")
    if stack.cpu is not None:
        words.append(f"[{stack.cpu:03}]")
    if stack.time is not None:
        seconds, rest = divmod(stack.time, _NANOSECONDS)
        words.append(f"{seconds}.{rest // 1000:06}:")
    if stack.event is None:
        return f"{' '.join(words)} DEFERRED CALLCHAIN [cookie: {stack.cookie:x}]"
    return f"{' '.join(words)} {stack.event.name}:"


def _header_json(stack: PerfStack) -> Json:
    return {
        "comm": stack.comm,
        "pid": stack.pid,
        "tid": stack.tid,
        "cpu": stack.cpu,
        "time": stack.time,
        "event": stack.event.name if stack.event else None,
        "cookie": None if stack.cookie is None else f"{stack.cookie:#x}",
        "merged": stack.is_merged,
    }


def _stop(stack: PerfStack) -> Json:
    return {"stop": None if stack.walk is None else showing.stop_name(stack.walk.stop)}


def _drawn(stack: PerfStack, frames: tuple[NamedFrame, ...], why: str) -> NamedStack:
    cut: str | None = why
    if stack.walk is not None:
        cut = showing.cut(stack.walk, why)
    elif not stack.why_not and (stack.cookie is None or stack.is_merged):
        cut = None  # the recorded callchain is all that there is
    return NamedStack(
        Thread(stack.comm, stack.pid, stack.tid),
        frames,
        stack.time,
        stack.event.name if stack.event else None,
        cut,
    )


class _Shown(NamedTuple):
    """A frame in every form."""

    named: NamedFrame
    line: str
    json: Json


def _show(place: Place, is_trampoline: bool) -> _Shown:
    named = showing.named(
        place.module,
        place.path,
        place.pc,
        is_exact=place.is_exact,
        is_trampoline=is_trampoline,
    )
    return _Shown(named, _line(named), _frame_json(named))


def _frame_json(frame: NamedFrame) -> Json:
    return {
        "pc": f"{frame.pc:#x}",
        "function": frame.function,
        "offset": frame.offset if frame.function else None,
        "module": frame.module,
        "signal": frame.is_trampoline,
    }


def _line(frame: NamedFrame) -> str:
    """`pc function+0x12 (path)`."""
    function = f"{frame.function}+{frame.offset:#x}" if frame.function else "[unknown]"
    mark = " [signal]" if frame.is_trampoline else ""
    return f"{frame.pc:>24x} {function} ({frame.module or '[unknown]'}){mark}"
