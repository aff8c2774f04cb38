"""What a run has shown so far, as a digest: equal where every event, all of memory and every mailbox are."""

from collections.abc import Iterable
from hashlib import blake2b
from struct import pack
from typing import Final

from stackweave.core import Occurrence
from stackweave.core.store import Store

DIGEST: Final = 16
"""Bytes."""


class Witness:
    """Looks on at one execution. It keeps no event, so that a run may be as long as it likes."""

    def __init__(self) -> None:
        self._events = blake2b(digest_size=DIGEST)

    def note(self, events: Iterable[Occurrence]) -> None:
        """See these events, with where they happened."""
        for each in events:
            self._events.update(f"{each.step} {each.context} {each.event!r}\n".encode())

    def digest(self, store: Store) -> bytes:
        """Of the events until now, and of memory and mailboxes as they are."""
        shown = self._events.copy()
        shown.update(pack(f"<{len(store.words)}Q", *store.words))
        shown.update(repr([list(box) for box in store.mailboxes]).encode())
        return shown.digest()
