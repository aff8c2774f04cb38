"""One line on a terminal that is written over while a command runs."""

import sys
from typing import Final

_LINE: Final = 78
"""Characters of one."""


def show(line: str) -> None:
    """Write it over the last one."""
    print(f"\r\033[K{line[:_LINE]}", end="", file=sys.stderr, flush=True)


def clear() -> None:
    """Leave no trace on the screen."""
    show("")
