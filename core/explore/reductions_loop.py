"""Which of a state's moves a search may leave out, compiled; `reductions` says why."""

from ..operations import CMPXCHG_HALF, LOAD, LOAD_HALF, POINTS
from .compiling import compiled_inline, compiled_part
from .edges import follow
from .effects import on_half, on_word
from .layout import (
    ABSENT,
    FIRST_EDGE,
    PRIVATE,
    RUNNING,
    TASK,
    Automata,
    Program,
    State,
)
from .layout import Register as R
from .search_layout import At, Space
from .search_state import find, hashed


@compiled_inline
def narrow(p: Program, t: Automata, s: State, x: Space, enabled: int, fingerprint: int) -> int:
    """Leave those enabled contexts that are to be followed: how many; `ABSENT` where an edge is missing."""
    if x.kin.size == 0:
        return enabled
    return _narrow(p, t, s, x, enabled, fingerprint)


@compiled_part
def _narrow(p: Program, t: Automata, s: State, x: Space, enabled: int, fingerprint: int) -> int:
    at = x.at
    if at[At.OWNERS] and at[At.ONLY] == 0:
        # decided once: the state that it leads to is known from then on
        at[At.ONLY] = _only(p, t, s, x, enabled, fingerprint)
        if at[At.ONLY] == 0:
            return ABSENT
    if at[At.ONLY] > 0:
        s.enabled[0] = at[At.ONLY] - 1
        return 1
    left = 0
    for place in range(enabled):
        context = s.enabled[place]
        if not _has_like(p, s, x, context, left):
            s.enabled[left] = context
            left += 1
    return left


@compiled_part
def _only(p: Program, t: Automata, s: State, x: Space, enabled: int, fingerprint: int) -> int:
    """1 + a context that may be followed alone, -1 for none, 0 where an edge is missing."""
    for place in range(enabled):
        context = s.enabled[place]
        if not _is_on_its_own(p, t, s, context):
            continue
        node = s.node[context]
        kind, address, a, b = t.rows[node, 0], t.rows[node, 1], t.rows[node, 2], t.rows[node, 3]
        half = kind >= LOAD_HALF
        word = address >> 1 if half else address
        old = s.words[word]
        result = on_half(s, kind, address, a, b) if half else on_word(s, kind, address, a, b)
        new = s.words[word]
        s.words[word] = old
        target = follow(t.rows, t.keys, t.nodes, node, result, FIRST_EDGE)
        if target == ABSENT:
            s.registers[R.CONTEXT] = context
            s.registers[R.RESULT] = result
            return 0
        if t.rows[target, 0] < POINTS:
            continue
        moved = fingerprint + _change(x, s.words.size + context, node, target)
        moved += _change(x, word, old, new)
        if _is_still_to_come(x, moved):
            return 1 + context
    return ABSENT


@compiled_inline
def _change(x: Space, position: int, before: int, after: int) -> int:
    """Of a fingerprint."""
    return hashed(x.minded, position, after) - hashed(x.minded, position, before)


@compiled_part
def _is_on_its_own(p: Program, t: Automata, s: State, context: int) -> bool:
    """Whether a context's next move is on a word of its own, and no execution ends before it."""
    if s.state[context] != RUNNING or p.level[s.stack[s.cpu[context], 0]] != TASK:
        return False
    node = s.node[context]
    kind = t.rows[node, 0]
    if kind < LOAD or kind > CMPXCHG_HALF:
        return False
    word = t.rows[node, 1] >> 1 if kind >= LOAD_HALF else t.rows[node, 1]
    return p.owner[word] == PRIVATE - context


@compiled_part
def _is_still_to_come(x: Space, fingerprint: int) -> bool:
    """Whether a state is new, or waits to be expanded: the proviso for breadth first."""
    place = find(x, fingerprint)
    is_new = x.table[place, 0] == 0
    return is_new or x.table[place, 1] > x.at[At.HEAD] or x.at[At.PROVISO] == 0


@compiled_part
def _has_like(p: Program, s: State, x: Space, context: int, among: int) -> bool:
    """Whether one of the first enabled contexts may stand for this one."""
    if x.kin[context] != ABSENT:
        for place in range(among):
            other = s.enabled[place]
            if x.kin[other] == x.kin[context] and _stand_alike(p, s, x, other, context):
                return True
    return False


@compiled_part
def _stand_alike(p: Program, s: State, x: Space, one: int, other: int) -> bool:
    """Whether two contexts that are each other's like may be exchanged in this state."""
    if s.node[one] != s.node[other] and x.at[At.NODES] != 0:
        return False
    if s.state[one] != s.state[other]:
        return False
    if s.state[one] == RUNNING and p.home[one] == p.home[other]:
        return False  # on CPUs that they share: to exchange them would change who is on which
    if s.state[one] == RUNNING and s.irqs_on[s.cpu[one]] != s.irqs_on[s.cpu[other]]:
        return False
    for at in range(3):
        if s.condition[one, at] != s.condition[other, at]:
            return False
    return (
        s.paused_at[one] == s.paused_at[other]
        and s.switched_out[one] == s.switched_out[other]
        and s.saved_irqs[one] == s.saved_irqs[other]
    )
