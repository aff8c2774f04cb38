"""perf.data: one stack per sample, printed as `perf script` does, with the reason for its end."""

from collections.abc import Iterator
from typing import ClassVar, Final

from stackweave.core.sframe.perf import PerfSession, PerfStack, Place

from . import showing
from .showing import Json, Stack

_NANOSECONDS: Final = 1_000_000_000


class Report(showing.Report):
    """A session's samples."""

    kind: ClassVar = "perf.data"
    plural: ClassVar = "samples"

    def __init__(self, session: PerfSession, merge: bool) -> None:
        """With `merge` false deferred callchains are shown by themselves."""
        self._session = session
        self._merge = merge

    @property
    def name(self) -> str:
        return self._session.file.name

    def stacks(self) -> Iterator[Stack]:
        for stack in self._session.stacks(merge=self._merge):
            places = [*_places(stack.kernel, None), *_places(stack.user, stack)]
            why = self._why(stack)
            lines = [_header(stack), *map(_line, places), f"stopped: {why}"]
            yield lines, {**_header_json(stack), "frames": places, **_stop(stack), "why": why}

    def missing(self) -> list[str]:
        return list(self._session.missing)

    def absent(self) -> list[str]:
        return list(self._session.absent)

    def remarks(self) -> list[str]:
        return self._session.chooser.remarks()

    def _why(self, stack: PerfStack) -> str:
        if stack.trace is not None:
            path = stack.user[-1].path
            name = path.rpartition("/")[2] if path else None
            mismatched = any(module.name == name for module in self._session.chooser.mismatched)
            return showing.why_stopped(stack.trace, name, is_mismatched=mismatched)
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
    return {"stop": showing.stop_name(stack.trace.stop) if stack.trace else None}


def _places(places: tuple[Place, ...], stack: PerfStack | None) -> list[Json]:
    """The lines of a stack's part; `stack` if it is the user's, where there are trampolines."""
    trace = stack.trace if stack else None
    shown: list[Json] = []
    for level, place in enumerate(places):
        trampoline = trace is not None and showing.is_trampoline(trace, level)
        function, offset = showing.function_at(
            place.module, place.pc, is_exact=place.is_exact or trampoline
        )
        shown.append(
            {
                "pc": f"{place.pc:#x}",
                "function": function,
                "offset": offset if function else None,
                "module": place.path,
                "signal": trampoline,
            }
        )
    return shown


def _line(place: Json) -> str:
    """`pc function+0x12 (path)`."""
    pc = str(place["pc"]).removeprefix("0x")
    function = f"{place['function']}+{place['offset']:#x}" if place["function"] else "[unknown]"
    mark = " [signal]" if place["signal"] else ""
    return f"{pc:>24} {function} ({place['module'] or '[unknown]'}){mark}"
