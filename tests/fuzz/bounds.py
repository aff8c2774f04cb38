"""Holds a run against what the size of its input explains: calls, and memory at its peak.

Calls are counted, not time, so a verdict is the same on every machine. What a single call does
in C is not seen; for that the fuzzing loop has a clock of its own.
"""

import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

_FREE_CALLS: Final = 200_000
_FREE_MEMORY: Final = 1 << 20


class Excess(BaseException):
    """More of something than the input explains; no reader may swallow it."""

    def __init__(self, what: str, detail: str) -> None:
        super().__init__(f"{what}: {detail}")
        self.what = what


@dataclass(frozen=True, slots=True)
class Budget:
    """What a byte of input may cost, beyond what is free."""

    calls: int
    memory: int
    """Bytes."""


@contextmanager
def bounded(size: int, budget: Budget) -> Iterator[None]:
    """Raise `Excess` if the block does more than `size` bytes of input explain."""
    most_calls = _FREE_CALLS + budget.calls * size
    calls = 0

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal calls
        calls += event == "call"
        if calls > most_calls:
            raise Excess("calls", f"more than {most_calls} for {size} bytes")

    tracemalloc.start()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    most = _FREE_MEMORY + budget.memory * size
    if peak > most:
        raise Excess("memory", f"{peak} bytes, more than {most} for {size}")
