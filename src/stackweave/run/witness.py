"""What a run has shown so far, as a digest: equal where every event and all of memory are."""

from hashlib import blake2b
from struct import pack
from typing import Final

from stackweave.core import Interpreter

DIGEST: Final = 16
"""Bytes."""


class Witness:
    """Looks on at one execution of an interpreter."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._events = blake2b(digest_size=DIGEST)
        self._seen = 0

    def digest(self) -> bytes:
        """Of the events until now, with where they happened, and of memory as it is."""
        events, words = self._interpreter.events, self._interpreter.store.words
        for each in events[self._seen :]:
            self._events.update(f"{each.step} {each.context} {each.event!r}\n".encode())
        self._seen = len(events)
        shown = self._events.copy()
        shown.update(pack(f"<{len(words)}Q", *words))
        return shown.digest()
