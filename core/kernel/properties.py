"""What is judged when a whole kernel runs: every property of deferred unwinding, for every task and tracer."""

from typing import Final

from ..monitor import Monitor
from ..monitors import Truth, undefined_behaviour, unwind_monitors
from .system import System

UNDEFINED: Final = ("shift-out-of-bounds", "test_bit-out-of-bounds", "uninitialised-trace")
"""What the generations do that C leaves undefined."""


def unwind_properties(system: System, tasks: int, truth: Truth) -> list[Monitor]:
    """The monitors of a system's first `tasks` tasks, those with user memory, and of all its tracers."""
    tracers = len(system.tracers)
    first = system.first_bit
    bits = range(first, first + tracers) if system.generation.reserved else ()
    return [
        *unwind_monitors(tasks, tracers, bits, system.generation.errnos, truth),
        *map(undefined_behaviour, UNDEFINED),
    ]
