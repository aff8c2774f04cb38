"""Stacks made by hand, and ways to write them."""

import random
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Final

from stackweave.pictures import NamedFrame, NamedStack, Thread, Writer

HOSTILE: Final = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "a;b;c 7",
    "line\nbreak\r\x1b[31m",
    "@@script@@",
    "\\u003c\"'&amp;<img src=x onerror=alert(1)>",
    "\udc80\u2028\u202e",
    "operator()(int) const",
)
"""Names that must not mean anything."""

MAIN: Final = Thread("prog", 7, 7)
OTHER: Final = Thread("prog", 7, 8)


def frame(name: str, offset: int = 1) -> NamedFrame:
    """A place in a function; small letters live in the library."""
    module = "/lib/small.so" if name.islower() else "/bin/prog"
    return NamedFrame(0x1000 * ord(name[0]) + offset, name, offset, module)


def stack(
    names: str, time: int | None = None, thread: Thread = MAIN, cut: str | None = None
) -> NamedStack:
    """A stack of functions with names of one letter, outermost first."""
    return NamedStack(thread, tuple(map(frame, reversed(names))), time, "cycles", cut)


def many(count: int) -> Iterator[NamedStack]:
    """Stacks of a few threads, sometimes cut, always the same."""
    choose = random.Random(5)
    for number in range(count):
        names = "M" + "".join(choose.choice("abCD") for _ in range(choose.randrange(6)))
        cut = choose.choice([None, None, "libc.so.6 was not given with --elf"])
        yield stack(names, 1000 * number + choose.randrange(900), choose.choice([MAIN, OTHER]), cut)


def hostile() -> list[NamedStack]:
    """Every hostile name as thread, function, module, event and reason."""
    return [
        NamedStack(Thread(name), (NamedFrame(1, name, 1, name), frame("M")), None, name, name)
        for name in HOSTILE
    ]


def written(write: Writer, stacks: Iterable[NamedStack], title: str = "prog.data") -> bytes:
    out = BytesIO()
    write(stacks, title, out)
    return out.getvalue()
