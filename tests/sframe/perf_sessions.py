"""Recorded perf sessions, and what `perf script` printed of them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from stackweave.core.sframe import Module
from stackweave.core.sframe.perf import PerfFile, PerfSession, PerfStack

from .recordings import OWN, linked_files, unxz

DEFERRED: Final = OWN.parent / "perf"
"""Where the session with deferred callchains is."""

_HEADER: Final = re.compile(
    r"\s*(?P<comm>\S.*?)\s+(?:\d+/)?(?P<tid>\d+)(?: \[(?P<cpu>\d+)\])?\s+"
    r"(?P<time>\d+\.\d+):\s+(?:\d+ )?(?P<event>\S.*?):?(?: \[cookie: (?P<cookie>\w+)\])?\s*$"
)
_FRAME: Final = re.compile(r"\s+(?P<ip>[0-9a-f]+) (?P<function>.*) \((?P<file>.*)\)$")


@dataclass(frozen=True, slots=True)
class PrintedFrame:
    """A frame's line."""

    ip: int
    """perf prints the address that it looked up: a return address less 1."""
    function: str | None
    """Without its offset; None for `[unknown]`."""
    file: str


@dataclass(slots=True)
class PrintedStack:
    """A sample, or a deferred callchain by itself."""

    comm: str
    tid: int
    cpu: int | None
    microseconds: int
    event: str
    cookie: int | None
    frames: list[PrintedFrame]


def parse_script(text: str) -> list[PrintedStack]:
    """What `perf script` printed; every line must be understood."""
    stacks: list[PrintedStack] = []
    for line in filter(str.strip, text.splitlines()):
        frame = _FRAME.match(line)
        if frame:
            function = frame["function"].rpartition("+")[0] or None
            stacks[-1].frames.append(PrintedFrame(int(frame["ip"], 16), function, frame["file"]))
            continue
        header = _HEADER.match(line)
        assert header, line
        stacks.append(
            PrintedStack(
                header["comm"],
                int(header["tid"]),
                int(header["cpu"]) if header["cpu"] else None,
                int(header["time"].replace(".", "")),
                header["event"],
                int(header["cookie"], 16) if header["cookie"] else None,
                [],
            )
        )
    return stacks


@cache
def printed(path: Path) -> list[PrintedStack]:
    return parse_script(unxz(path).decode())


def open_session(path: Path, modules: Iterable[Module] = ()) -> PerfSession:
    """A packed perf.data."""
    return PerfSession(PerfFile(unxz(path), path.name.removesuffix(".xz")), modules)


def stacks(path: Path) -> Iterator[PerfStack]:
    """The stacks of a recorded session, unwound through its toolchain's files."""
    return open_session(path, linked_files(path)).stacks()
