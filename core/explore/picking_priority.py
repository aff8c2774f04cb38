"""`core.strategies.pct` and `core.strategies.pos`, compiled: the enabled context of the highest priority."""

from typing import Final

from ..strategies.footprint import NOWHERE
from ..strategies.pos import PRIORITIES
from .compiling import compiled_inline, compiled_part
from .layout import Automata, Parameter, Program, State
from .layout import (
    Register as R,
)
from .picking_footprint import location, pauses, writes
from .random import draw

_NONE: Final = -1


@compiled_part
def draw_points(p: Program, s: State) -> None:
    """Moves of the length that the strategy reckons with."""
    for at in range(s.points.size):
        s.points[at] = 1 + draw(s.registers, p.parameters[Parameter.STRATEGY_LENGTH])


@compiled_inline
def _highest(s: State) -> int:
    """The place in `enabled` of the first one that no other is above."""
    highest = 0
    for at in range(1, s.registers[R.ENABLED]):
        if s.priority[s.enabled[at]] > s.priority[s.enabled[highest]]:
            highest = at
    return highest


@compiled_part
def begin_pct(p: Program, s: State) -> None:
    """Priorities and change points."""
    contexts = p.level.size
    for context in range(contexts):
        s.priority[context] = p.parameters[Parameter.STRATEGY_BOUND] + context
    for last in range(contexts - 1, 0, -1):
        other = draw(s.registers, last + 1)
        mine = s.priority[last]
        s.priority[last] = s.priority[other]
        s.priority[other] = mine
    draw_points(p, s)
    s.registers[R.LOWEST] = 1


@compiled_inline
def pick_pct(t: Automata, s: State) -> int:
    """The place in `enabled` of who moves next."""
    registers = s.registers
    highest = _highest(s)
    context = s.enabled[highest]
    for at in range(s.points.size):
        if s.points[at] == registers[R.MOVES]:
            s.priority[context] = at + 1
    if pauses(t, s, context):
        registers[R.LOWEST] -= 1
        s.priority[context] = registers[R.LOWEST]
    return highest


@compiled_part
def begin_pos(p: Program, s: State) -> None:
    """Nobody has a priority."""
    for context in range(p.level.size):
        s.priority[context] = _NONE


@compiled_inline
def pick_pos(p: Program, t: Automata, s: State) -> int:
    """The place in `enabled` of who moves next."""
    registers = s.registers
    enabled = registers[R.ENABLED]
    for at in range(enabled):
        if s.priority[s.enabled[at]] == _NONE:
            s.priority[s.enabled[at]] = draw(registers, PRIORITIES)
    highest = _highest(s)
    picked = s.enabled[highest]
    s.priority[picked] = _NONE
    touched = location(p, t, s, picked)
    if touched != NOWHERE:
        changes = writes(t, s, picked)
        for at in range(enabled):
            other = s.enabled[at]
            if location(p, t, s, other) == touched and (changes or writes(t, s, other)):
                s.priority[other] = _NONE
    return highest
