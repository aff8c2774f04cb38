"""How a command ends."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command."""

    CLEAN = 0
    VIOLATION = 1
    """A violation was seen, and it was not allowed."""
    USAGE = 2
    """A bad command line or bad input."""
    FAILED = 3
    """It could not run: a missing part, a file that cannot be written."""
