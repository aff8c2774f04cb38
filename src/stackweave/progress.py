"""One line on a terminal that is written over while a command runs."""

import sys
from collections.abc import Callable
from threading import Event, Thread
from typing import Final, Self

_LINE: Final = 78
"""Characters of one."""
_EVERY: Final = 0.5
"""Seconds between two of a `Ticker`'s."""


def show(line: str) -> None:
    """Write it over the last one."""
    print(f"\r\033[K{line[:_LINE]}", end="", file=sys.stderr, flush=True)


def clear() -> None:
    """Leave no trace on the screen."""
    show("")


def tell_of_compiling() -> None:
    """Say, on a terminal, that the engine has yet to be compiled."""
    if not sys.stderr.isatty():
        return
    from stackweave.core.explore.compiling import is_kept  # here: it takes a while to load

    if not is_kept():
        show("compiling the engine, which is done once and takes a moment")


class Ticker:
    """Shows a line again and again while something runs that does not say how far it has come.

    A thread of its own: compiled code runs for long without a word, and no decision depends on what is shown.
    An empty line leaves what is there.
    """

    def __init__(self, line: Callable[[], str]) -> None:
        self._line = line
        self._ended = Event()
        self._thread: Thread | None = None

    def __enter__(self) -> Self:
        """Begin, if there is a terminal."""
        if sys.stderr.isatty():
            self._show()
            self._thread = Thread(target=self._tick, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Show the last line, and clear it."""
        if self._thread is not None:
            self._ended.set()
            self._thread.join()
            self._show()
            clear()

    def _tick(self) -> None:
        while not self._ended.wait(_EVERY):
            self._show()

    def _show(self) -> None:
        line = self._line()
        if line:
            show(line)
