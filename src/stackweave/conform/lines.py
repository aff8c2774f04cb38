"""The lines of a recording, and of an emulation that is compared with one.

A line is its kind and the numbers that are compared; instruction pointers and the context are dropped, and a count
of entries is only whether there are any. Cookies differ from run to run: they become numbers in the order in which
they first appear, with a flag while the half that names the CPU is still 0.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Kind(Enum):
    """What a line reports; the value names its numbers."""

    REQUEST = "tracer ret cookie mask id"
    IN_CALLBACK = "tracer ret cookie mask id "
    CALLBACK = "tracer cookie nr mask id completed"
    STATE = "mask id nr completed"
    INIT = "tracer ret bit"
    ERRNO = "tracer errno"
    CANCEL = "tracer bit"
    CANCELLED = "tracer bit mask id"
    INJECTED = "hit tracer ret cookie mask new-mask id new-id"
    WRITE = "number mask id"
    OTHER = "cancelled while-held registered ret bit"
    NEVER_HELD = ""
    THEN = " "


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `numbers` in the order that its kind names."""

    kind: Kind
    numbers: tuple[int, ...]
    symbol: str = ""
    """Of a WRITE: the function that wrote."""

    def __str__(self) -> str:
        names = self.kind.value.split()
        pairs = " ".join(
            f"{name}={number:#x}" for name, number in zip(names, self.numbers, strict=True)
        )
        return f"{self.kind.name.lower()} {self.symbol} {pairs}".replace("  ", " ").strip()


Fields = dict[str, int]
_COOKIES: Final = frozenset({"cookie", "id", "new-id"})
_PAIR: Final = re.compile(r"([a-z_0-9]+)[= ](-?(?:0x[0-9a-f]+|[0-9]+))(?:->(0x[0-9a-f]+))?\b")
_OTHER: Final = re.compile(
    r"other: cancel tracer=(\d+) (.*?); init tracer=(\d+) ret=(-?\d+) bit=(-?\d+)"
)
_NEGATION: Final = re.compile(r"\bnot\b|n't\b|\bafter\b")
_WRITE: Final = re.compile(r"write (\d+) at ([A-Za-z_0-9]+)[A-Za-z_0-9.]*\+(?:0x[0-9a-f]+|\d+)\b")


def _pick(kind: Kind, *names: str) -> Callable[[Fields], Line]:
    def make(fields: Fields) -> Line:
        return Line(kind, tuple(fields[name] for name in names))

    return make


def _has_entries(kind: Kind, *names: str) -> Callable[[Fields], Line]:
    def make(fields: Fields) -> Line:
        fields["nr"] = int(fields["nr"] != 0)
        return Line(kind, tuple(fields[name] for name in names))

    return make


def _injected(fields: Fields) -> Line:
    names = ("hit", "tracer", "ret", "cookie", "mask", "mask->", "id", "id->")
    return Line(Kind.INJECTED, tuple(fields[name] for name in names))


_MAKERS: Final[tuple[tuple[str, Callable[[Fields], Line]], ...]] = (
    ("in-callback request ", _pick(Kind.IN_CALLBACK, "tracer", "ret", "cookie", "mask", "id")),
    ("request ", _pick(Kind.REQUEST, "tracer", "ret", "cookie", "mask", "id")),
    ("callback ", _has_entries(Kind.CALLBACK, "tracer", "cookie", "nr", "mask", "id", "completed")),
    ("state ", _has_entries(Kind.STATE, "mask", "id", "nr", "completed")),
    ("init tracer=", _pick(Kind.INIT, "tracer", "ret", "bit")),
    ("init ", _pick(Kind.ERRNO, "init", "errno")),
    ("cancelled ", _pick(Kind.CANCELLED, "tracer", "bit", "mask", "id")),
    ("cancel ", _pick(Kind.CANCEL, "tracer", "bit")),
    ("injected ", _injected),
)


def parse_line(text: str) -> Line | None:
    """A report, or None for a line of another sort. Raises KeyError for one that lacks a number."""
    text = text.strip()
    if text == "other: never held":
        return Line(Kind.NEVER_HELD, ())
    if text.startswith("then tracer"):
        return Line(Kind.THEN, ())
    if match := _OTHER.match(text):
        cancelled, how, registered, ret, bit = match.groups()
        held = int("still held" in how and not _NEGATION.search(how))
        return Line(Kind.OTHER, (int(cancelled), held, int(registered), int(ret), int(bit)))
    if match := _WRITE.match(text):
        fields = _fields(text[match.end() :])
        return Line(Kind.WRITE, (int(match[1]), fields["mask"], fields["id"]), match[2])
    for start, make in _MAKERS:
        if text.startswith(start):
            return make(_fields(text))
    return None


def _fields(text: str) -> Fields:
    fields: Fields = {}
    for name, value, changed in _PAIR.findall(text):
        fields[name] = int(value, 0)
        if changed:
            fields[f"{name}->"] = int(changed, 0)
    if "cache_nr" in fields:
        fields["nr"] = fields["cache_nr"]
    return fields


def rename_cookies(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Cookies as numbers from 1 in order of first appearance, 2 * number, plus 1 while the CPU's half is 0."""
    seen: dict[int, int] = {}

    def rename(cookie: int) -> int:
        if cookie == 0:
            return 0
        number = seen.setdefault(cookie >> 32, len(seen) + 1)
        return 2 * number + int(cookie & 0xFFFFFFFF == 0)

    renamed = []
    for line in lines:
        names: Sequence[str] = line.kind.value.split()
        numbers = tuple(
            rename(number) if name in _COOKIES else number
            for name, number in zip(names, line.numbers, strict=True)
        )
        renamed.append(Line(line.kind, numbers, line.symbol))
    return tuple(renamed)


_FIRST: Final = (Kind.OTHER, Kind.NEVER_HELD)
_LAST: Final = (Kind.INJECTED, Kind.WRITE)


def canonical(lines: Sequence[Line]) -> tuple[Line, ...]:
    """An outcome: what another CPU saw first; what was injected and written last, since it is reported at
    any time; writes numbered from 0; cookies renamed."""
    rest = [line for line in lines if line.kind not in (*_FIRST, *_LAST, Kind.THEN)]
    ordered = [line for line in lines if line.kind in _FIRST] + rest
    ordered += [line for line in lines if line.kind is Kind.INJECTED]
    writes = [line for line in lines if line.kind is Kind.WRITE]
    for number, line in enumerate(writes):
        ordered.append(Line(Kind.WRITE, (number, *line.numbers[1:]), line.symbol))
    return rename_cookies(ordered)
