"""The strategies of `core.strategies`, compiled: the same picks from the same random numbers.

WARNING: the two must agree, and tests compare schedules. The random walk is not here: `kernel._stretch` is.
"""

from typing import Final

from ..strategies.tactic import Method
from .compiling import compiled_inline, compiled_part
from .effects import note_entry
from .layout import (
    Automata,
    Output,
    Parameter,
    Program,
    State,
)
from .layout import (
    Register as R,
)
from .picking_priority import begin_pct, begin_pos, pick_pct, pick_pos
from .picking_share import begin_preemption_bound, begin_surw, pick_preemption_bound, pick_surw
from .touching import AT_BOUND, TOUCHED, touch

_PCT: Final = int(Method.PCT)
_POS: Final = int(Method.POS)
_SURW: Final = int(Method.SURW)
_PREEMPTION_BOUND: Final = int(Method.PREEMPTION_BOUND)


@compiled_part
def begin(p: Program, s: State) -> None:
    """What a strategy draws before an execution's first move."""
    method = p.parameters[Parameter.METHOD]
    if method == _PCT:
        begin_pct(p, s)
    elif method == _POS:
        begin_pos(p, s)
    elif method == _SURW:
        begin_surw(p, s)
    elif method == _PREEMPTION_BOUND:
        begin_preemption_bound(p, s)


@compiled_inline
def _pick(p: Program, t: Automata, s: State) -> int:
    """The place in `enabled` of who moves next."""
    method = p.parameters[Parameter.METHOD]
    if method == _PCT:
        at = pick_pct(t, s)
    elif method == _POS:
        at = pick_pos(p, t, s)
    elif method == _SURW:
        at = pick_surw(p, t, s)
    else:
        at = pick_preemption_bound(p, s)
    return at


@compiled_part
def decided_stretch(p: Program, t: Automata, s: State, o: Output) -> int:
    """As `kernel._stretch`, decided by the strategy."""
    registers = s.registers
    single = registers[R.DIRTY] != 0 or registers[R.COVERING] != 0
    while registers[R.ITERATION] < p.parameters[Parameter.BOUND]:
        registers[R.ITERATION] += 1
        registers[R.MOVES] += 1
        context: int = s.enabled[_pick(p, t, s)]
        registers[R.MOVED] = context
        if registers[R.TRACING]:
            note_entry(s, o, context)
        registers[R.LENGTH] += 1
        outcome: int = touch(p, t, s, context)
        if outcome != TOUCHED:
            return outcome
        if single:  # as there
            break
    return AT_BOUND
