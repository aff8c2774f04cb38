"""Recordings that nobody recorded: what the emulation shows, printed in the form of the recorder's files.

Files of some forms are not among the test data. These are as they would be if the kernel did what the models do:
real-looking cookies and pointers, one offset for each point, and the lines that a reader must drop.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from stackweave.conform.driver import Driver, Point
from stackweave.conform.lines import Kind, Line
from stackweave.conform.recording import Case, How, Registration, Visit

STEP: Final = 5
"""Bytes from one printed offset to the next."""

TRACERS: Final = 2
BOTH: Final = Registration(((1, 4), (0, 3)))
ONE: Final = Registration(((0, 3),), frozenset({1}))
PREAMBLE: Final = ("  init tracer=0 ret=0 bit=3", "  init tracer=1 ret=0 bit=4")

OUTERS: Final = {
    "req 0": (0,),
    "req 0 2": (0, 0),
    "req2 0 1": (0, 1),
    "req2 1 0": (1, 0),
}
"""The outer visits and the tracers that ask in them."""

_INJECTED_VISITS: Final = (
    Visit(((Kind.STATE, 0),)),
    Visit(((Kind.INJECTED, 0),)),
    Visit(((Kind.STATE, 0),)),
)
_STALLED_VISITS: Final = (
    Visit(((Kind.REQUEST, 0),)),
    Visit(((Kind.STATE, 0),)),
    Visit(((Kind.STATE, 0),)),
    Visit(((Kind.REQUEST, 1),)),
    Visit(((Kind.STATE, 0),)),
)


@dataclass(slots=True)
class Cookies:
    """Real-looking cookies for the numbers of canonical outcomes."""

    base: int = 0x359D
    cpu: int = 0

    def next_case(self) -> None:
        """Cookies never come again."""
        self.base += 0x20

    def real(self, number: int) -> int:
        """2 * ordinal, plus 1 while the CPU's half is 0."""
        if number == 0:
            return 0
        low = 0 if number & 1 else self.cpu + 1
        return self.base + (number & ~1) << 32 | low


def injected(outer: str, inner: int) -> Case:
    """A case of which only the point is not said."""
    asks = Visit(tuple((Kind.REQUEST, tracer) for tracer in OUTERS[outer]))
    return Case(How.INJECT, outer, (), BOTH, (asks, *_INJECTED_VISITS), inner=inner)


STALLED: Final = Case(How.STALL, "req 0", (), ONE, _STALLED_VISITS)


def points_of(cases: Sequence[Case], symbol: str) -> list[Point]:
    """Where any of the cases comes by in a function."""
    found: dict[Point, None] = {}
    for case in cases:
        found.update(dict.fromkeys(Driver(case, TRACERS).run().points))
    return [point for point in found if point.symbol == symbol]


def print_injected(symbols: Sequence[str], outers: Sequence[str] = tuple(OUTERS)) -> list[str]:
    """A file in which every point of some functions was injected at."""
    text = list(PREAMBLE)
    cookies = Cookies()
    cases = [injected(outer, inner) for outer in outers for inner in range(TRACERS)]
    drivers = [(case, Driver(case, TRACERS)) for case in cases]
    for symbol in symbols:
        for number, point in enumerate(points_of(cases, symbol)):
            for case, driver in drivers:
                where = f"sym={symbol} off={number * STEP:#x}"
                text.append(f"case {where} outer={case.title} inner={case.inner}")
                outcome = driver.run(point).outcome
                text += _state_last(list(_texts(outcome, cookies)))
                cookies.next_case()
    return [*text, "  cancel tracer=0 bit=-1", "  cancel tracer=1 bit=-1"]


def print_stalled(symbol: str, answer: int = 0) -> list[str]:
    """A file in which the task was held at every point of a function; `answer`: of a test of bit -1."""
    text = [PREAMBLE[0]]
    cookies = Cookies(1)
    driver = Driver(STALLED, TRACERS)
    for number, point in enumerate(points_of([STALLED], symbol)):
        text.append(f"case stall sym={symbol} off={number * STEP:#x}")
        lines = list(_texts(driver.run(point, answer).outcome, cookies))
        asks = next(at for at, line in enumerate(lines) if line.startswith("  request tracer=1"))
        text += [*lines[:asks], "  then tracer 1 asks itself:", *lines[asks:]]
        text += ["  cancel tracer=1 bit=-1", "  init tracer=0 ret=0 bit=3"]
        cookies.next_case()
    return text


def print_watched(
    field: str, *, equals: bool = True, first: int = 1, writes: bool = True
) -> list[str]:
    """A file in which a write to the mask or the id makes a tracer ask: `mask=0x1`, or `mask 0x1`.

    `first`: the number of the first write; `writes`: whether they are listed.
    """
    text = list(PREAMBLE)
    cookies = Cookies()
    for outer in OUTERS:
        for inner in range(TRACERS):
            for number in range(1, 5):
                listed = (Line(Kind.WRITE, (0, 0, 0)),) if writes else ()
                plain = injected(outer, inner)
                case = replace(plain, how=How.WATCH, symbol=field, lines=listed)
                outcome = Driver(case, TRACERS).run(number).outcome
                nth = number - 1 + first
                text.append(f"case hw field={field} nth={nth} outer={outer} inner={inner}")
                lines = list(_texts(outcome, cookies, first))
                text += lines if equals else [_without_signs(line) for line in lines]
                cookies.next_case()
    return text


def _without_signs(line: str) -> str:
    if not line.startswith("  write"):
        return line
    return line.replace("mask=", "mask ").replace("id=", "id ")


def _state_last(lines: list[str]) -> list[str]:
    """The recorder asks for what was injected, and then for the state once more."""
    state = next(at for at in reversed(range(len(lines))) if lines[at].startswith("  state"))
    return [*lines[:state], *lines[state + 1 :], lines[state]]


def _texts(outcome: Sequence[Line], cookies: Cookies, first: int = 0) -> Iterator[str]:
    for line in outcome:
        yield "  " + _text(line, cookies, first)


def _text(line: Line, cookies: Cookies, first: int) -> str:
    real, numbers = cookies.real, line.numbers
    match line.kind:
        case Kind.REQUEST | Kind.IN_CALLBACK:
            tracer, ret, cookie, mask, identity = numbers
            start = "request" if line.kind is Kind.REQUEST else "in-callback request"
            return (
                f"{start} tracer={tracer} ret={ret} cookie={real(cookie):#x} mask={mask:#x}"
                f" id={real(identity):#x}"
            )
        case Kind.CALLBACK:
            tracer, cookie, nr, mask, identity, completed = numbers
            return (
                f"callback tracer={tracer} cookie={real(cookie):#x} nr={2 * nr} ip0=0x7fa6d3bc2a02 mask={mask:#x}"
                f" id={real(identity):#x} completed={completed:#x}"
            )
        case Kind.STATE:
            mask, identity, nr, completed = numbers
            return f"state mask={mask:#x} id={real(identity):#x} cache_nr={nr} completed={completed:#x}"
        case Kind.INJECTED:
            hit, tracer, ret, cookie, mask, new_mask, identity, new_identity = numbers
            return (
                f"injected hit={hit} in_nmi={hit} tracer={tracer} ret={ret} cookie={real(cookie):#x}"
                f" mask {mask:#x}->{new_mask:#x} id {real(identity):#x}->{real(new_identity):#x}"
            )
        case Kind.WRITE:
            number, mask, identity = numbers
            return f"write {number + first} at {line.symbol}+0x9c mask={mask:#x} id={real(identity):#x}"
        case Kind.OTHER:
            cancelled, held, registered, ret, bit = numbers
            how = "returned while the task was still held" if held else "had to wait for the task"
            return f"other: cancel tracer={cancelled} {how}; init tracer={registered} ret={ret} bit={bit}"
        case Kind.NEVER_HELD:
            return "other: never held"
    raise AssertionError(line)
