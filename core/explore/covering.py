"""Which states and transitions a program's executions reach, noted after each move.

A state is what the search takes for one (`search_state.normalise`), and a transition is a state, who moved from
it and what it chose on the way; so that both can be counted beside a complete search. The fingerprints are of
content: nodes, messages and monitors count by their identity (`core.explore.identity`) and not by the number that
they happen to have, so that what several processes have reached can be put together.
"""

from typing import Final

from ..prng import GAMMA
from .compiling import compiled_inline, compiled_part
from .layout import Automata, Monitors, Output, Program, State, Words
from .layout import Register as R
from .random import mix
from .search_state import normalise

PLAIN: Final = 0
NODE: Final = 1
MESSAGE: Final = 2
MONITOR: Final = 3
"""What is at a position of `State.vector`: a number, or that of a node, a message, a monitor's node."""

_GAMMA: Final = GAMMA - (1 << 64)
_NOT_NOTED: Final = -1


@compiled_part
def begin_covering(s: State) -> None:
    """Before an execution's first state."""
    s.registers[R.NOTED] = _NOT_NOTED
    s.registers[R.CODE] = 0


@compiled_part
def note(p: Program, t: Automata, m: Monitors, s: State, o: Output) -> bool:
    """Note what the last move has come to; False if there is no room for it, and nothing was noted."""
    registers = s.registers
    if registers[R.NOTED] == registers[R.MOVES]:
        return True
    if _is_crowded(o.reached, registers[R.REACHED]) or _is_crowded(o.crossed, registers[R.CROSSED]):
        return False
    before = registers[R.STATE]
    if registers[R.NOTED] != _NOT_NOTED:
        move = mix(registers[R.CODE] + (registers[R.MOVED] + 1) * _GAMMA)
        crossing = mix(before + move) | 1
        registers[R.CROSSED] += _add(
            o.crossed, o.crossings, registers[R.CROSSED], crossing, registers[R.EXECUTION]
        )
    registers[R.NOTED] = registers[R.MOVES]
    registers[R.CODE] = 0
    if registers[R.FINISHED] and registers[R.LIVE] > 0:
        return True
    state = _fingerprint(p, t, m, s, o)
    registers[R.STATE] = state
    registers[R.REACHED] += _add(
        o.reached, o.states, registers[R.REACHED], state, registers[R.EXECUTION]
    )
    return True


@compiled_inline
def _is_crowded(table: Words, count: int) -> bool:
    crowded: bool = 2 * count + 2 >= table.shape[0]
    return crowded


@compiled_inline
def _add(table: Words, found: Words, count: int, fingerprint: int, execution: int) -> int:
    """Whether it is new, which it is no longer."""
    mask = table.shape[0] - 1
    at = fingerprint & mask
    while table[at, 0] != 0:
        if table[at, 0] == fingerprint:
            return 0
        at = at + 1 & mask
    table[at, 0] = fingerprint
    found[count, 0] = fingerprint
    found[count, 1] = execution
    return 1


@compiled_inline
def _of(position: int, value: int) -> int:
    return mix(mix(value) + (position + 1) * _GAMMA)


@compiled_part
def _fingerprint(p: Program, t: Automata, m: Monitors, s: State, o: Output) -> int:
    """Of the state at hand, which stays as it is. Never 0, which marks a place that is free."""
    for position in range(s.vector.size):
        o.scratch[position] = s.vector[position]
    normalise(p, s)
    total = 0
    for position in range(s.vector.size):
        value, role = s.vector[position], o.roles[position]
        if role == NODE:
            total += _of(position, t.identity[value])
        elif role != MESSAGE and value != p.pristine[position]:
            total += _of(position, m.identity[value] if role == MONITOR and value >= 0 else value)
    for box in range(s.filled.size):
        for at in range(s.filled[box]):
            number = 1 + at + box * s.messages.shape[1]
            total += _of(-number, m.object_identity[s.messages[box, at]])
    for position in range(s.vector.size):
        s.vector[position] = o.scratch[position]
    return mix(total) | 1
