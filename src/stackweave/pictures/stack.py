"""One sample's stack, with names: what every picture is drawn from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class NamedFrame:
    """A place in the code, as far as it has names."""

    pc: int
    function: str | None
    offset: int
    """Bytes from the function's start; 0 if it is not known."""
    module: str | None
    """The file that is mapped there: path or name."""
    is_trampoline: bool = False
    """A signal interrupted its caller."""

    @property
    def label(self) -> str:
        """The function, or `[module]`, as flame graphs have it."""
        if self.function:
            return self.function
        name = self.module.rpartition("/")[2].strip("[]") if self.module else ""
        return f"[{name or 'unknown'}]"


@dataclass(frozen=True, slots=True)
class Thread:
    """Who ran."""

    name: str
    pid: int | None = None
    tid: int | None = None

    @property
    def label(self) -> str:
        """`name pid/tid`."""
        words = [self.name]
        if self.tid is not None:
            words.append(str(self.tid) if self.pid is None else f"{self.pid}/{self.tid}")
        return " ".join(filter(None, words))


@dataclass(frozen=True, slots=True)
class NamedStack:
    """One sample."""

    thread: Thread
    frames: tuple[NamedFrame, ...]
    """Innermost first."""
    time: int | None = None
    """Nanoseconds."""
    event: str | None = None
    """What was sampled; None: nothing, it is a thread's only stack."""
    cut: str | None = None
    """Why the callers behind the last frame are not known; None: there are none."""


Writer = Callable[[Iterable[NamedStack], str, BinaryIO], None]
"""Writes the picture of some stacks, under a title."""
