"""What the next operation of a context touches: strategies ask whether two of them race.

Two operations race when they touch one location and one of them writes. A mailbox's location is its `ready` word,
so that whoever looks at the word races with whoever sends. A pool is one location, of what allocates from it and
frees into it. Left out: that freeing an object races with the use of its words.
"""

from typing import Final

from ..context import Context
from ..machine import State
from ..operations import (
    ACQUIRE_WORD,
    ALLOC,
    CMPXCHG_HALF,
    FREE,
    LOAD,
    LOAD_HALF,
    PAUSE,
    RECEIVE,
    SEND,
    STORE,
    TRY_SEND,
    WAIT,
)
from ..program import Program

NOWHERE: Final = 0
"""No location: the null page is nobody's."""

_ORDER: Final = 3
_READS: Final = (LOAD, LOAD_HALF, WAIT)


class Footprints:
    """Locations of a program's operations. WARNING: `core.explore.picking` has the same rules, compiled."""

    def __init__(self, program: Program) -> None:
        self._ready = [box.ready.address for box in program.layout.mailboxes]

    def location(self, context: Context) -> int:
        """What its next operation touches; `NOWHERE` for one that yet has to come to a CPU."""
        if context.state is not State.RUNNING:
            return NOWHERE
        kind, address, a, _ = context.pending
        kind &= ~_ORDER
        if LOAD <= kind < LOAD_HALF or kind in (WAIT, ACQUIRE_WORD):
            return address
        if LOAD_HALF <= kind <= CMPXCHG_HALF:
            return address >> 1
        if kind in (SEND, TRY_SEND, RECEIVE):
            return self._ready[address]
        if kind == ALLOC:
            return ~address
        if kind == FREE:
            assert isinstance(a, int)
            return ~a
        return NOWHERE


def writes(context: Context) -> bool:
    """Whether its next operation may change what it touches."""
    return context.pending[0] & ~_ORDER not in _READS


def pauses(context: Context) -> bool:
    """Whether its next operation gives way to others."""
    return context.state is State.RUNNING and context.pending[0] & ~_ORDER == PAUSE


assert LOAD < STORE < LOAD_HALF
