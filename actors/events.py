"""What actors report besides the kernel's own events."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivered:
    """A reader hands a sample on."""

    tracer: int
    task: int
    cookie: int
    """0 for a sample whose request was refused: its chain is its own."""
    chain: tuple[int, ...]
    merged: bool


@dataclass(frozen=True, slots=True)
class RecordsLost:
    """A reader is told of records that found no room."""

    tracer: int
    count: int


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """A reader has read its last message."""

    tracer: int
