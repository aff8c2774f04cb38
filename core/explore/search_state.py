"""Single states of a search: in what form two states that go on alike are equal, and fingerprints.

A fingerprint is the sum, over all positions in which a state differs from the first one, of a 64-bit hash of
position and value less that of the first one's value; so a move's change is known from what it changed.
"""

from typing import Final

from ..prng import GAMMA
from .compiling import compiled, compiled_inline, compiled_part
from .layout import (
    ABSENT,
    DEAD,
    RUNNING,
    SLEEPING,
    Program,
    State,
    Words,
)
from .layout import Register as R
from .random import mix
from .search_layout import At, Space

_GAMMA: Final = GAMMA - (1 << 64)


@compiled_inline
def hashed(minded: Words, position: int, value: int) -> int:
    """Of one position of a state."""
    return mix(mix(value) + (position + 1) * _GAMMA) * minded[position]


@compiled_part
def normalise(p: Program, s: State) -> None:
    """Of states that go on alike, one form: what is of no more consequence is as at first."""
    length = s.registers[R.LENGTH]
    for context in range(p.level.size):
        s.paused_at[context] = ABSENT if length > s.paused_at[context] else 0
        state = s.state[context]
        if state != SLEEPING:
            for at in range(3):
                s.condition[context, at] = 0
        if state != RUNNING:
            s.saved_irqs[context] = 0
            s.cpu[context] = p.home[context]
            if state == DEAD:
                s.allowed[context] = 0
    for cpu in range(s.depth.size):
        for at in range(s.depth[cpu], s.stack.shape[1]):
            s.stack[cpu, at] = 0
    for number in range(s.generation.size):
        if s.generation[number] > 1:
            s.generation[number] = 1
    for number in range(s.monitor.size):
        if s.monitor[number] == p.monitor_start[number]:
            s.monitor[number] = ABSENT
    for box in range(s.filled.size):
        _oldest_first(s, box)


@compiled_part
def _oldest_first(s: State, box: int) -> None:
    """A mailbox's messages from its first place on, and nothing behind them."""
    size = s.messages.shape[1]
    while s.head[box] > 0:
        first = s.messages[box, 0]
        for at in range(size - 1):
            s.messages[box, at] = s.messages[box, at + 1]
        s.messages[box, size - 1] = first
        s.head[box] -= 1
    for at in range(s.filled[box], size):
        s.messages[box, at] = 0


@compiled_part
def restore(s: State, x: Space) -> None:
    """The state that is expanded, whatever was done to it."""
    for position in range(x.parent.size):
        s.vector[position] = x.parent[position]


@compiled_inline
def fetch(s: State, x: Space, state: int) -> int:
    """Make a state the one that is expanded; its fingerprint."""
    row = state - x.at[At.BASE]
    for column in range(x.at[At.COLUMNS]):
        position = x.columns[column]
        value = x.rows[row, column + 1]
        x.parent[position] = value
        s.vector[position] = value
    return x.rows[row, 0]


@compiled_part
def difference(s: State, x: Space) -> int:
    """How the fingerprint changes from the state that is expanded. Notes a position that needs a column."""
    change = 0
    for position in range(x.parent.size):
        value, before = s.vector[position], x.parent[position]
        if value != before:
            if x.column_of[position] == ABSENT:
                x.at[At.POSITION] = position
                return 0
            change += hashed(x.minded, position, value) - hashed(x.minded, position, before)
    return change


@compiled_inline
def find(x: Space, fingerprint: int) -> int:
    """Where a fingerprint is in the table, or belongs."""
    mask = x.table.shape[0] - 1
    at = fingerprint & mask
    while x.table[at, 0] != 0 and x.table[at, 0] != fingerprint:
        at = at + 1 & mask
    return at


@compiled_inline
def keep(s: State, x: Space, at: int, fingerprint: int, source: int, edge: int) -> None:
    """A new state, whose fingerprint belongs at a place of the table."""
    number = x.at[At.COUNT]
    x.at[At.COUNT] = number + 1
    x.table[at, 0] = fingerprint
    if x.table.shape[1] == 2:
        x.table[at, 1] = number
    x.origins[number, 0] = source
    x.origins[number, 1] = edge
    row = number - x.at[At.BASE]
    x.rows[row, 0] = fingerprint
    for column in range(x.at[At.COLUMNS]):
        x.rows[row, column + 1] = s.vector[x.columns[column]]


@compiled_inline
def has_room(x: Space) -> bool:
    """Whether there is room for one more state."""
    number = x.at[At.COUNT]
    return number - x.at[At.BASE] < x.rows.shape[0] and number < x.origins.shape[0]


@compiled_inline
def is_crowded(x: Space) -> bool:
    """Whether the table should be larger."""
    return 2 * x.at[At.COUNT] >= x.table.shape[0]


@compiled
def rehash(source: Words, target: Words) -> None:
    """Put all of one table into another one, which is empty."""
    mask = target.shape[0] - 1
    for each in range(source.shape[0]):
        fingerprint = source[each, 0]
        if fingerprint != 0:
            at = fingerprint & mask
            while target[at, 0] != 0:
                at = at + 1 & mask
            target[at, 0] = fingerprint
            target[at, source.shape[1] - 1] = source[each, source.shape[1] - 1]
