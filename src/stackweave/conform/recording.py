"""Reading the files that a kernel was recorded into: cases, what they injected, what was registered before.

A case without an injection is a script: what the test program did is read from the lines themselves. The
requests of one visit to the kernel share a cookie; a visit ends with its callbacks.
"""

import lzma
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Final

from stackweave.conform.lines import Kind, Line, parse_line
from stackweave.core import UsageError

MAX_INSTRUCTION: Final = 15
"""Bytes of the longest x86 instruction: a larger gap between offsets skips one."""

_MAX_TRACERS: Final = 64
_MAX_TEXT: Final = 16 << 20
"""Bytes: forty times the largest recording there is."""
_MAX_LINES: Final = 4_000
"""Reports in one case: thirty times the longest there is."""


class How(Enum):
    """What a case does to the visit it watches."""

    SCRIPT = "nothing"
    INJECT = "a nested request at an instruction"
    WATCH = "a nested request after a write"
    STALL = "another CPU's cancel and init at an instruction"


@dataclass(frozen=True, slots=True)
class Registration:
    """Which tracers are registered: bits by tracer, newest first, and who has left."""

    bits: tuple[tuple[int, int], ...] = ()
    """(tracer, bit), the newest registration first."""
    left: frozenset[int] = frozenset()

    def after(self, line: Line) -> "Registration":
        """With what a line reports."""
        if line.kind is Kind.INIT and line.numbers[1] == 0:
            tracer, _, bit = line.numbers
            return Registration(((tracer, bit), *self.bits), self.left - {tracer})
        if line.kind in (Kind.CANCEL, Kind.CANCELLED):
            return self._without(line.numbers[0])
        if line.kind is Kind.OTHER:
            cancelled, _, tracer, ret, bit = line.numbers
            return self._without(cancelled).after(Line(Kind.INIT, (tracer, ret, bit)))
        return self

    def _without(self, tracer: int) -> "Registration":
        bits = tuple(pair for pair in self.bits if pair[0] != tracer)
        return Registration(bits, self.left | {tracer})


@dataclass(frozen=True, slots=True)
class Visit:
    """One system call of the test process."""

    actions: tuple[tuple[Kind, int], ...]
    """REQUEST, CANCELLED, INIT, CANCEL (tracer), STATE, INJECTED (report what was injected)."""
    in_callback: tuple[tuple[int, int], ...] = ()
    """(ordinal of the callback in this visit, tracer that it asks for)."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case: what was done, where, and what was seen."""

    how: How
    title: str
    lines: tuple[Line, ...]
    before: Registration
    visits: tuple[Visit, ...]
    symbol: str = ""
    """Function of the injection or stall; the field whose writes a WATCH or a script lists, if it says."""
    offset: int = 0
    """Offset in the function; the ordinal of the write of a WATCH."""
    inner: int = -1
    """The tracer that the injection asks for."""


@dataclass(slots=True)
class Recording:
    """All cases of one file."""

    path: str
    cases: list[Case] = field(default_factory=list)
    offsets: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """By function: the offsets that were tried, or said to be inside an instruction."""
    unread: int = 0
    """Lines of a sort that is not compared."""
    tracers: int = 0
    """One more than the largest tracer number."""


_INJECT = re.compile(r"case sym=(\S+) off=(\S+) outer=(req2? \d+(?: \d+)?) inner=(\d+)")
_WATCH = re.compile(r"case hw field=(mask|id) nth=(\d+) outer=(req2? \d+(?: \d+)?) inner=(\d+)")
_STALL = re.compile(r"case stall sym=(\S+) off=(\S+)")
_FIELD = re.compile(r"\bfield=(mask|id)\b")
_UNPLANTABLE = re.compile(r"off=(\S+) unplantable")


def read_recording(path: Path) -> Recording:
    """Read a text file, or one packed with xz. Raises `UsageError` for what is no recording."""
    recording = Recording(str(path))
    before = Registration()
    try:
        for title, lines in _sections(path, recording):
            if len(lines) > _MAX_LINES:
                raise UsageError(f"{path}: more than {_MAX_LINES} reports in {title[:60]!r}")
            case = _case(title, tuple(lines), before)
            recording.cases.append(case)
            if case.how in (How.INJECT, How.STALL):
                recording.offsets[case.symbol].add(case.offset)
            for line in lines:
                before = before.after(line)
    except (LookupError, ValueError) as error:
        raise UsageError(f"{path}: not a recording that I can read: {error!r}") from error
    if not recording.cases:
        raise UsageError(f"{path}: no case in it")
    for tracer in _tracers(recording):
        if not 0 <= tracer < _MAX_TRACERS:
            raise UsageError(f"{path}: tracer {tracer}: there are at most {_MAX_TRACERS}")
    for bit in {bit for case in recording.cases for _, bit in case.before.bits}:
        if not 0 <= bit < _MAX_TRACERS:
            raise UsageError(f"{path}: bit {bit}: a mask has {_MAX_TRACERS}")
    recording.tracers = 1 + max(_tracers(recording), default=0)
    return recording


def _text(path: Path) -> str:
    try:
        with lzma.open(path) if path.suffix == ".xz" else path.open("rb") as file:
            data = file.read(_MAX_TEXT + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (lzma.LZMAError, EOFError) as error:
        raise UsageError(f"{path}: {error}") from error
    if len(data) > _MAX_TEXT:
        raise UsageError(f"{path}: longer than {_MAX_TEXT >> 20} MiB")
    return data.decode("ascii")


def _tracers(recording: Recording) -> Iterator[int]:
    for case in recording.cases:
        if case.how in (How.INJECT, How.WATCH):
            yield case.inner
        for visit in case.visits:
            yield from (tracer for _, tracer in (*visit.actions, *visit.in_callback))
        yield from (tracer for tracer, _ in case.before.bits)
        yield from case.before.left


def _sections(path: Path, recording: Recording) -> Iterator[tuple[str, list[Line]]]:
    """(title, lines) of every case; what registers or cancels after a case's last state is a script by itself."""
    title, symbol, lines = "", "", list[Line]()
    for text in _text(path).splitlines():
        line = parse_line(text)
        if line is not None:
            lines.append(line)
        elif text.startswith(("case ", "#")):
            yield from _split(title, lines)
            title, lines = text, []
            if match := _INJECT.match(text) or _STALL.match(text):
                symbol = match[1]
        elif match := _UNPLANTABLE.match(text):
            recording.offsets[symbol].add(int(match[1], 0))
        elif text.strip():
            recording.unread += 1
    yield from _split(title, lines)


def _split(title: str, lines: list[Line]) -> Iterator[tuple[str, list[Line]]]:
    end = len(lines)
    if _INJECT.match(title) or _STALL.match(title) or _WATCH.match(title):
        while end and lines[end - 1].kind in (Kind.INIT, Kind.CANCEL, Kind.ERRNO):
            end -= 1
    if end:
        yield title, lines[:end]
    if lines[end:]:
        yield f"after {title}", lines[end:]


def _case(title: str, lines: tuple[Line, ...], before: Registration) -> Case:
    if match := _INJECT.match(title):
        symbol, offset, outer, inner = match.groups()
        case = Case(How.INJECT, outer, lines, before, _injected_visits(outer, lines))
        return replace(case, symbol=symbol, offset=int(offset, 0), inner=int(inner))
    if match := _WATCH.match(title):
        watched, nth, outer, inner = match.groups()
        case = Case(How.WATCH, outer, lines, before, _injected_visits(outer, lines))
        return replace(case, symbol=watched, offset=int(nth), inner=int(inner))
    if match := _STALL.match(title):
        # the recorder had registered and cancelled tracer 1 before its first case
        before = Registration(before.bits, before.left | {1})
        case = Case(How.STALL, "req 0", lines, before, _stalled_visits(lines))
        return replace(case, symbol=match[1], offset=int(match[2], 0))
    watched = _FIELD.search(title)
    return Case(How.SCRIPT, title, lines, before, _script(lines), watched[1] if watched else "")


def _outer_visit(outer: str) -> Visit:
    """`req T`, `req T N` or `req2 T U`."""
    name, first, *rest = outer.split()
    second = int(rest[0]) if rest else 1
    tracers = [int(first), second] if name == "req2" else [int(first)] * min(second, _MAX_TRACERS)
    return Visit(tuple((Kind.REQUEST, tracer) for tracer in tracers))


def _injected_visits(outer: str, lines: Sequence[Line]) -> tuple[Visit, ...]:
    later = [line.kind for line in lines if line.kind in (Kind.STATE, Kind.INJECTED)]
    return (_outer_visit(outer), *(Visit(((kind, 0),)) for kind in later))


def _stalled_visits(lines: Sequence[Line]) -> tuple[Visit, ...]:
    visits = [_outer_visit("req 0")]
    asks = False
    for line in lines:
        if line.kind is Kind.STATE:
            visits.append(Visit(((Kind.STATE, 0),)))
        elif line.kind is Kind.THEN:
            asks = True
        elif line.kind is Kind.REQUEST and asks:
            visits.append(_outer_visit(f"req {line.numbers[0]}"))
    return tuple(visits)


def _script(lines: Sequence[Line]) -> tuple[Visit, ...]:
    visits: list[Visit] = []
    cookie = callbacks = 0
    for line in lines:
        tracer = line.numbers[0] if line.numbers else 0
        action = (line.kind, tracer)
        if line.kind is Kind.CALLBACK:
            callbacks += 1
        elif line.kind is Kind.IN_CALLBACK:
            visits[-1] = replace(
                visits[-1], in_callback=(*visits[-1].in_callback, (callbacks, tracer))
            )
        elif line.kind in (Kind.REQUEST, Kind.CANCELLED):
            identity = line.numbers[2] if line.kind is Kind.REQUEST else line.numbers[3]
            if cookie and identity == cookie and not callbacks:
                visits[-1] = replace(visits[-1], actions=(*visits[-1].actions, action))
            else:
                visits.append(Visit((action,)))
            cookie, callbacks = identity, 0
        elif line.kind in (Kind.INIT, Kind.CANCEL, Kind.STATE):
            visits.append(Visit((action,) if line.kind is not Kind.STATE else ((Kind.STATE, 0),)))
            cookie = callbacks = 0
    return tuple(visits)
