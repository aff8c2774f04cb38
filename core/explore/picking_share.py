"""`core.strategies.surw` and `core.strategies.preemption_bound`, compiled: some are held back, others drawn."""

from typing import Final

from ..strategies.footprint import NOWHERE
from .compiling import compiled_inline, compiled_part
from .layout import RUNNING, Automata, Program, State
from .layout import (
    Register as R,
)
from .picking_footprint import location, pauses
from .picking_priority import draw_points
from .random import draw

_NOBODY: Final = -1


@compiled_part
def begin_surw(p: Program, s: State) -> None:
    """The location, and who is first there."""
    registers = s.registers
    registers[R.LOCATION] = NOWHERE
    shared = p.counts.shape[0]
    for context in range(p.level.size):
        s.priority[context] = 0
    if shared > 0:
        at = draw(registers, shared)
        registers[R.LOCATION] = p.counts[at, 0]
        for context in range(p.level.size):
            s.priority[context] = p.counts[at, 1 + context]
    _draw_next(p, s, 0)


@compiled_inline
def _draw_next(p: Program, s: State, least: int) -> None:
    """Who performs the next interesting operation: each has at least so many left."""
    registers = s.registers
    registers[R.DRAWN] = _NOBODY
    total = 0
    for context in range(p.level.size):
        total += max(s.priority[context], least)
    if total == 0:
        return
    number = draw(registers, total)
    for context in range(p.level.size):
        number -= max(s.priority[context], least)
        if number < 0:
            registers[R.DRAWN] = context
            return


@compiled_inline
def _is_interesting(p: Program, t: Automata, s: State, context: int) -> bool:
    where: int = s.registers[R.LOCATION]
    return where != NOWHERE and location(p, t, s, context) == where


@compiled_inline
def _pick_free(p: Program, t: Automata, s: State) -> int:
    """One of those that are not held back, by weight; _NOBODY if all are."""
    registers = s.registers
    drawn = registers[R.DRAWN]
    free = total = 0
    for at in range(registers[R.ENABLED]):
        context = s.enabled[at]
        if drawn == _NOBODY or context == drawn or not _is_interesting(p, t, s, context):
            free += 1
            total += p.weight[context]
    if free == 0:
        return _NOBODY
    number = draw(registers, total) if free > 1 else 0
    for at in range(registers[R.ENABLED]):
        context = s.enabled[at]
        if drawn == _NOBODY or context == drawn or not _is_interesting(p, t, s, context):
            number -= p.weight[context]
            if number < 0:
                return at
    return _NOBODY


@compiled_inline
def _pick_held(s: State) -> int:
    """One of all that are enabled, by what it has left."""
    enabled = s.registers[R.ENABLED]
    total = 0
    for at in range(enabled):
        total += max(s.priority[s.enabled[at]], 1)
    number = draw(s.registers, total) if enabled > 1 else 0
    for at in range(enabled):
        number -= max(s.priority[s.enabled[at]], 1)
        if number < 0:
            return at
    return _NOBODY


@compiled_inline
def pick_surw(p: Program, t: Automata, s: State) -> int:
    """The place in `enabled` of who moves next."""
    at = _pick_free(p, t, s)
    if at == _NOBODY:
        at = _pick_held(s)
    context = s.enabled[at]
    if _is_interesting(p, t, s, context):
        s.priority[context] = max(s.priority[context] - 1, 0)
        _draw_next(p, s, 0)
    elif pauses(t, s, context):
        _draw_next(p, s, 1)
    return at


@compiled_part
def begin_preemption_bound(p: Program, s: State) -> None:
    """The moments."""
    draw_points(p, s)
    s.registers[R.LAST] = _NOBODY


@compiled_inline
def _is_moment(s: State) -> bool:
    for at in range(s.points.size):  # noqa: SIM110  # no generators in compiled code
        if s.points[at] == s.registers[R.MOVES]:
            return True
    return False


@compiled_inline
def pick_preemption_bound(p: Program, s: State) -> int:
    """The place in `enabled` of who moves next."""
    registers = s.registers
    enabled = registers[R.ENABLED]
    last = registers[R.LAST]
    goes_on = _NOBODY
    total = 0
    for at in range(enabled):
        if s.enabled[at] == last and s.state[last] == RUNNING:
            goes_on = at
        else:
            total += p.weight[s.enabled[at]]
    others = enabled - (1 if goes_on != _NOBODY else 0)
    picked = goes_on
    if goes_on == _NOBODY or (others > 0 and _is_moment(s)):
        number = draw(registers, total) if others > 1 else 0
        for at in range(enabled):
            if at != goes_on:
                number -= p.weight[s.enabled[at]]
                if number < 0:
                    picked = at
                    break
    registers[R.LAST] = s.enabled[picked]
    return picked
