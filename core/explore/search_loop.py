"""The search's compiled loop: states expanded one after another, each by every move and every choice in it.

A move is the engine's: an operation, the edge that its result takes, and all up to the next operation. Where
something is missing the move is given up, whatever it was in the middle of, and made again when it is
there: nothing is kept of a move before it is complete.
"""

from typing import Final

from ..operations import ENTER, GUARDED, LOAD, LOAD_HALF, POINTS
from .compiling import compiled, compiled_inline, compiled_part
from .edges import follow
from .effects import on_word
from .guards import look_around
from .kernel import run
from .layout import (
    ABSENT,
    AWAY,
    BEGIN,
    DEAD,
    DEADLOCK,
    FINISH,
    FIRST_EDGE,
    MAIN,
    MOST_CHOICES,
    NEW,
    PRIVATE,
    RUNNING,
    TASK,
    Automata,
    Monitors,
    Output,
    Program,
    State,
    Status,
)
from .layout import Register as R
from .moves import move
from .reductions_loop import narrow
from .search_layout import (
    ALL,
    AT_MOST,
    EXPANDED,
    FULL_EDGES,
    FULL_ROWS,
    FULL_TABLE,
    MISSING_EDGE,
    NEW_COLUMN,
    NO_EDGE_BEFORE,
    PAUSED,
    SAME,
    TOO_MANY_CHOICES,
    At,
    Space,
)
from .search_state import (
    difference,
    fetch,
    find,
    has_room,
    hashed,
    is_crowded,
    keep,
    normalise,
    restore,
)

_LARGEST_CODE: Final = 1 << 48
_ROOT: Final = 1
"""The first state's fingerprint; no state's is 0."""


@compiled
def expand(p: Program, t: Automata, m: Monitors, s: State, o: Output, x: Space) -> int:
    """Expand states until all wanted ones are, or something is missing."""
    at = x.at
    restore(s, x)
    while at[At.HEAD] < (at[At.COUNT] if at[At.FOLLOWED] == SAME else at[At.END]):
        before = at[At.BREACH]
        status = _expand_one(p, t, m, s, o, x)
        if status != EXPANDED:
            return status
        at[At.NEXT] = at[At.ONLY] = 0
        at[At.HEAD] += 1
        if at[At.BREACH] != before or at[At.HEAD] >= at[At.UNTIL_PAUSE]:
            return PAUSED
    return EXPANDED


@compiled
def begin(p: Program, t: Automata, m: Monitors, s: State, o: Output, x: Space) -> int:
    """The first states: one, unless there are choices before the first move."""
    registers = s.registers
    while True:
        for each in range(registers.size):
            registers[each] = 0
        registers[R.SCRIPTED] = 1
        registers[R.PHASE] = BEGIN
        registers[R.END] = 1
        status = run(p, t, m, s, o)
        if status != Status.DONE:
            return status
        if x.at[At.HEAD] == ABSENT:
            x.at[At.HEAD] = 0
            normalise(p, s)
            for position in range(x.parent.size):
                x.parent[position] = s.vector[position]
        status = _conclude(p, t, m, s, o, x, _ROOT, NO_EDGE_BEFORE, 0)
        if status != EXPANDED:
            return status
        if not _next_script(s, x):
            return EXPANDED


@compiled_inline
def _live_tasks(p: Program, s: State) -> int:
    live = 0
    for context in range(p.level.size):
        if p.level[context] == TASK and s.state[context] != DEAD and s.state[context] != NEW:
            live += 1
    return live


@compiled_inline
def _is_anyone_paused(p: Program, s: State) -> bool:
    for context in range(p.level.size):  # noqa: SIM110  # compiled
        if s.paused_at[context] == 0:
            return True
    return False


@compiled_inline
def _expand_one(p: Program, t: Automata, m: Monitors, s: State, o: Output, x: Space) -> int:
    """Every wanted move from one state, from the one that is next on."""
    at, registers = x.at, s.registers
    state = at[At.HEAD]
    fingerprint = fetch(s, x, state)
    graph = x.starts.size > 1
    if graph and at[At.NEXT] == 0 and at[At.GIVEN] == 0:
        x.starts[state] = at[At.EDGES]
        x.starts[state + 1] = at[At.EDGES]
    live = _live_tasks(p, s)
    if live == 0:
        return EXPANDED
    registers[R.LENGTH] = 0
    look_around(p, t, s)
    enabled = registers[R.ENABLED]
    if enabled == 0:
        _breach(x, 1 << DEADLOCK, state, NO_EDGE_BEFORE)
        return EXPANDED
    if graph:
        x.obliged[state] = _obliged(t, s, enabled)
    enabled = narrow(p, t, s, x, enabled, fingerprint)
    if enabled == ABSENT:
        return MISSING_EDGE
    paused = _is_anyone_paused(p, s)
    last = s.mover[0] - 1
    while at[At.NEXT] < enabled:
        context = s.enabled[at[At.NEXT]]
        followed = at[At.FOLLOWED]
        if followed == ALL or (context == last) == (followed == SAME):
            if followed == ALL and not paused and not graph:
                status = _plain(p, t, s, x, context, state, fingerprint)
            else:
                status = ABSENT
            if status == ABSENT:
                status = _follow(p, t, m, s, o, x, context, live, fingerprint)
            if status != EXPANDED:
                return status
        at[At.NEXT] += 1
    if graph:
        x.starts[state + 1] = at[At.EDGES]
    return EXPANDED


@compiled_part
def _obliged(t: Automata, s: State, enabled: int) -> int:
    """Those that may move, except interrupts that nobody raised."""
    mask = 0
    for at in range(enabled):
        context = s.enabled[at]
        if s.state[context] != AWAY or t.rows[s.node[context], 0] != ENTER:
            mask |= 1 << context
    return mask


@compiled_inline
def _plain(
    p: Program, t: Automata, s: State, x: Space, context: int, state: int, fingerprint: int
) -> int:
    """A move that does nothing but touch a word and come to another operation: nearly all. ABSENT for any other.

    What it changes is known, so that nothing needs to be compared.
    """
    node = s.node[context]
    kind, address = t.rows[node, 0], t.rows[node, 1]
    if s.state[context] != RUNNING or kind < LOAD or kind >= LOAD_HALF:
        return ABSENT
    if p.owner[address] != 0 and p.owner[address] != PRIVATE - context:
        return ABSENT
    old = s.words[address]
    result = on_word(s, kind, address, t.rows[node, 2], t.rows[node, 3])
    new = s.words[address]
    target = follow(t.rows, t.keys, t.nodes, node, result, FIRST_EDGE)
    if target == ABSENT or t.rows[target, 0] < POINTS or t.rows[target, 0] >= GUARDED:
        s.words[address] = old
        return ABSENT
    place = s.words.size + context
    if x.column_of[place] == ABSENT or (new != old and x.column_of[address] == ABSENT):
        s.words[address] = old
        return ABSENT
    if target != node:
        fingerprint += hashed(x.minded, place, target) - hashed(x.minded, place, node)
    if new != old:
        fingerprint += hashed(x.minded, address, new) - hashed(x.minded, address, old)
    at = find(x, fingerprint)
    status = EXPANDED
    if x.table[at, 0] == 0:
        s.node[context] = target
        status = _add(s, x, at, fingerprint, state, context)
        s.node[context] = node
    s.words[address] = old
    if status == EXPANDED:
        x.at[At.TRANSITIONS] += 1
    return status


@compiled_inline
def _add(s: State, x: Space, at: int, fingerprint: int, source: int, edge: int) -> int:
    """Keep a new state, if there is room."""
    if x.at[At.COUNT] >= x.at[At.MOST]:
        return AT_MOST
    if not has_room(x):
        return FULL_ROWS
    if is_crowded(x):
        return FULL_TABLE
    keep(s, x, at, fingerprint, source, edge)
    return EXPANDED


@compiled_part
def _follow(
    p: Program,
    t: Automata,
    m: Monitors,
    s: State,
    o: Output,
    x: Space,
    context: int,
    live: int,
    fingerprint: int,
) -> int:
    """A context's move with all choices in it, one after another."""
    registers = s.registers
    while True:
        registers[R.PHASE] = MAIN
        registers[R.NEXT] = MAIN
        registers[R.FINISHED] = 0
        registers[R.LIVE] = live
        registers[R.LENGTH] = 1
        registers[R.MONITOR] = 0
        registers[R.BROKEN] = 0
        registers[R.CHOICES] = 0
        registers[R.EVENTS] = 0
        registers[R.FOUND] = 0
        registers[R.TRACING] = x.starts.size > 1
        if x.at[At.FOLLOWED] != ALL:
            s.mover[0] = context + 1
        status = move(p, t, m, s, o, context)
        if status == Status.DONE and registers[R.PHASE] != MAIN:
            status = run(p, t, m, s, o)
        if status != Status.DONE:
            return status
        status = _conclude(p, t, m, s, o, x, fingerprint, x.at[At.HEAD], context)
        if status != EXPANDED:
            return status
        restore(s, x)
        if not _next_script(s, x):
            return EXPANDED


@compiled_part
def _next_script(s: State, x: Space) -> bool:
    """The next choices, depth first; False where there are no more."""
    at = s.registers[R.CHOICES] - 1
    while at >= 0 and s.script[at, 0] + 1 >= s.script[at, 1]:
        at -= 1
    for later in range(at + 1, s.registers[R.CHOICES]):
        s.script[later, 0] = 0
    if at >= 0:
        s.script[at, 0] += 1
    x.at[At.GIVEN] = at + 1
    return at >= 0


@compiled_part
def _code(s: State) -> int:
    """The choices made, as one number; -1 where it would be too large."""
    code = 0
    scale = 1
    if s.registers[R.CHOICES] > MOST_CHOICES:
        return -1
    for at in range(s.registers[R.CHOICES]):
        code += s.script[at, 0] * scale
        scale *= s.script[at, 1]
        if scale > _LARGEST_CODE:
            return -1
    return code


@compiled_part
def _conclude(
    p: Program,
    t: Automata,
    m: Monitors,
    s: State,
    o: Output,
    x: Space,
    fingerprint: int,
    source: int,
    context: int,
) -> int:
    """What has come of a move, which is complete: a state, violations, or the end."""
    registers, at = s.registers, x.at
    contexts = p.level.size
    code = _code(s)
    if code < 0:
        return TOO_MANY_CHOICES
    edge = context + contexts * code
    counted = at[At.GIVEN] <= registers[R.CHOICES]
    failed = registers[R.FINISHED] and registers[R.LIVE] > 0
    if not failed:
        normalise(p, s)
        change = difference(s, x)
        if at[At.POSITION] != ABSENT:
            return NEW_COLUMN
        place = find(x, fingerprint + change)
        is_new = x.table[place, 0] == 0
        if is_new:
            status = _add(s, x, place, fingerprint + change, source, edge)
            if status != EXPANDED:
                return status
        if registers[R.LIVE] == 0:
            at[At.ENDS] += is_new
            if is_new or at[At.AT_END] or not counted:
                at[At.AT_END] = 1
                registers[R.PHASE] = FINISH
                status = run(p, t, m, s, o)
                if status != Status.DONE:
                    return status
                at[At.AT_END] = 0
        if counted and source >= 0 and x.starts.size > 1:
            if at[At.EDGES] >= x.edges.shape[0]:
                return FULL_EDGES
            _connect(s, o, x, x.table[place, 1], edge)
    if registers[R.BROKEN]:
        code = _code(s)
        if code < 0:
            return TOO_MANY_CHOICES
        _breach(x, registers[R.BROKEN], source, context + contexts * code)
    if counted and source >= 0:
        at[At.TRANSITIONS] += 1
    return EXPANDED


@compiled_part
def _connect(s: State, o: Output, x: Space, target: int, edge: int) -> None:
    """An edge of the graph."""
    progress = 0
    for each in range(s.registers[R.EVENTS]):
        event = o.events[each, 2]
        if x.progress[event]:
            progress = 1
    at = x.at[At.EDGES]
    x.edges[at, 0] = target
    x.edges[at, 1] = edge
    x.edges[at, 2] = progress
    x.at[At.EDGES] = at + 1


@compiled_part
def _breach(x: Space, broken: int, source: int, edge: int) -> None:
    """Violations: of those that are new, where they were seen."""
    new = broken & ~x.at[At.BREACH]
    x.at[At.BREACH] |= new
    for violation in range(x.first.shape[0]):
        if new >> violation & 1:
            x.first[violation, 0] = source
            x.first[violation, 1] = edge
