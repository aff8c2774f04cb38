"""A move that does nothing but touch a word that nobody waits for: nearly all are, and they change who may move
no more than they change what anybody waits for.
"""

from typing import Final

from ..operations import GUARDED, LOAD_HALF, POINTS
from .compiling import compiled_inline
from .edges import follow
from .effects import on_word
from .layout import (
    ABSENT,
    FIRST_EDGE,
    RUNNING,
    Automata,
    Program,
    State,
)
from .layout import (
    Register as R,
)

AT_BOUND: Final = -1
AT_NO_EDGE: Final = -2
AT_MORE: Final = -3
TOUCHED: Final = -4
"""What such a move comes to: its context has more to do than that, and is the result, or one of these."""


@compiled_inline
def touch(p: Program, t: Automata, s: State, context: int) -> int:
    """Let a context that was picked touch a word. At AT_NO_EDGE and AT_MORE, `CONTEXT` is set."""
    outcome = context
    node = s.node[context]
    kind, address = t.rows[node, 0], t.rows[node, 1]
    plain = s.state[context] == RUNNING and POINTS <= kind < LOAD_HALF
    if plain and p.owner[address] == 0 and not s.watched[address]:
        result = on_word(s, kind, address, t.rows[node, 2], t.rows[node, 3])
        target = follow(t.rows, t.keys, t.nodes, node, result, FIRST_EDGE)
        if target == ABSENT:
            s.registers[R.CONTEXT] = context
            s.registers[R.RESULT] = result
            outcome = AT_NO_EDGE
        else:
            s.node[context] = target
            outcome = TOUCHED
            kind = t.rows[target, 0]
            if kind < POINTS or kind >= GUARDED:
                s.registers[R.CONTEXT] = context
                outcome = AT_MORE
    return outcome
