"""`core.strategies.footprint`, compiled. WARNING: the two must agree."""

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
    TRY_SEND,
    WAIT,
)
from ..strategies.footprint import NOWHERE
from .compiling import compiled_inline
from .layout import RUNNING, Automata, Program, State


@compiled_inline
def location(p: Program, t: Automata, s: State, context: int) -> int:
    """What a context's next operation touches."""
    if s.state[context] != RUNNING:
        return NOWHERE
    node = s.node[context]
    kind = t.rows[node, 0]
    address: int = t.rows[node, 1]
    if LOAD <= kind < LOAD_HALF or kind in (WAIT, ACQUIRE_WORD):
        return address
    if LOAD_HALF <= kind <= CMPXCHG_HALF:
        return address >> 1
    if kind in (SEND, TRY_SEND, RECEIVE):
        ready: int = p.ready[address]
        return ready
    if kind == ALLOC:
        return ~address
    if kind == FREE:
        pool: int = t.rows[node, 2]
        return ~pool
    return NOWHERE


@compiled_inline
def writes(t: Automata, s: State, context: int) -> bool:
    """Whether its next operation may change what it touches."""
    kind = t.rows[s.node[context], 0]
    return kind not in (LOAD, LOAD_HALF, WAIT)


@compiled_inline
def pauses(t: Automata, s: State, context: int) -> bool:
    """Whether its next operation gives way to others."""
    paused: bool = s.state[context] == RUNNING and t.rows[s.node[context], 0] == PAUSE
    return paused
