"""Who may move: the guards of `core.machine.TRANSITIONS` and of operations that wait, compiled."""

from typing import Final

from ..machine import Level
from ..operations import (
    ACQUIRE_WORD,
    ENTER,
    ENTER_ASSERTED,
    ENTER_PENDING,
    GUARDED,
    LEAVE,
    MIGRATE,
    PAUSE,
    RECEIVE,
    SCHEDULE,
    SEND,
    SLEEP,
    WAIT,
)
from .compiling import compiled_inline, compiled_part
from .layout import (
    AWAY,
    DEAD,
    NEW,
    PRIVATE,
    RUNNING,
    SLEEPING,
    TASK,
    Automata,
    Program,
    State,
)
from .layout import (
    Register as R,
)

NMI: Final = int(Level.NMI)


@compiled_part
def idle_cpus(p: Program, s: State, context: int) -> int:
    count = 0
    for cpu in range(s.depth.size):
        if s.depth[cpu] == 0 and s.allowed[context] >> cpu & 1:
            count += 1
    return count


@compiled_part
def _is_usable(p: Program, s: State, address: int) -> bool:
    owner = p.owner[address]
    return owner == 0 or owner <= PRIVATE or (owner > 0 and s.live[owner - 1] == 1)


@compiled_part
def is_another_s(p: Program, context: int, address: int) -> bool:
    """Whether a word is another context's own; the program's end may touch all."""
    owner = p.owner[address]
    return owner <= PRIVATE and owner != PRIVATE - context and context < p.level.size


@compiled_part
def awaits_another_s(p: Program, t: Automata, context: int, node: int) -> bool:
    """Whether what is awaited may have to wait for a word that is another context's own."""
    kind = t.rows[node, 0]
    if kind in (WAIT, ACQUIRE_WORD, SLEEP):
        return is_another_s(p, context, t.rows[node, 1])
    if kind in (ENTER_PENDING, ENTER_ASSERTED):
        return is_another_s(p, context, t.rows[node, 2])
    return False


@compiled_part
def _is_unblocked(p: Program, t: Automata, s: State, context: int, kind: int) -> bool:
    node = s.node[context]
    address = t.rows[node, 1]
    if kind == WAIT or kind == ACQUIRE_WORD:
        if not _is_usable(p, s, address):
            return True
        if kind == ACQUIRE_WORD:
            return s.words[address] == t.rows[node, 2]
        return s.words[address] & t.rows[node, 2] == t.rows[node, 3]
    if kind == SEND:
        return s.filled[address] < p.capacity[address]
    if kind == RECEIVE:
        return s.filled[address] > 0
    return True


@compiled_inline
def _may_move(p: Program, t: Automata, s: State, context: int) -> bool:
    state = s.state[context]
    if state == RUNNING:
        cpu = s.cpu[context]
        if s.stack[cpu, s.depth[cpu] - 1] != context:
            return False
        kind = t.rows[s.node[context], 0]
        if kind < GUARDED:
            return True
        if kind == PAUSE:
            s.registers[R.DIRTY] = 2  # who has paused is enabled by any move of another
            return s.registers[R.LENGTH] > s.paused_at[context]
        return _is_unblocked(p, t, s, context, kind)
    if state == DEAD or state == NEW:
        return False
    if state == AWAY:
        return _may_enter(p, t, s, context)
    if state == SLEEPING:
        word = s.words[s.condition[context, 0]]
        if word & s.condition[context, 1] != s.condition[context, 2]:
            return False
    return idle_cpus(p, s, context) > 0


@compiled_part
def _may_enter(p: Program, t: Automata, s: State, context: int) -> bool:
    cpu = s.cpu[context]
    depth = s.depth[cpu]
    top = p.level[s.stack[cpu, depth - 1]] if depth > 0 else TASK
    if p.level[context] == NMI:
        if top == NMI:
            return False
    elif s.irqs_on[cpu] == 0 or top != TASK:
        return False
    node = s.node[context]
    return t.rows[node, 0] == ENTER or s.words[t.rows[node, 2]] != 0


@compiled_inline
def look_around(p: Program, t: Automata, s: State) -> None:
    """Who may move, in the order of declaration, with the running total of their weights."""
    s.registers[R.DIRTY] = 0
    enabled = 0
    total = 0
    for context in range(p.level.size):
        if _may_move(p, t, s, context):
            total += p.weight[context]
            s.enabled[enabled] = context
            s.cumulative[enabled] = total
            enabled += 1
    s.registers[R.ENABLED] = enabled


@compiled_inline
def await_guard(t: Automata, s: State, context: int, kind: int) -> None:
    """The next operation may have to wait: note what for."""
    s.registers[R.DIRTY] = 1
    node = s.node[context]
    if kind == PAUSE:
        s.paused_at[context] = s.registers[R.LENGTH]
    elif kind == WAIT or kind == ACQUIRE_WORD:
        s.watched[t.rows[node, 1]] = 1
    elif kind == ENTER_PENDING or kind == ENTER_ASSERTED:
        s.watched[t.rows[node, 2]] = 1


@compiled_part
def enters(kind: int) -> bool:
    return kind in (ENTER, ENTER_PENDING, ENTER_ASSERTED)


@compiled_part
def is_possible(p: Program, s: State, context: int, kind: int, address: int) -> bool:
    """Whether the machine has a row for it; the interpreter says what is wrong."""
    if kind == SCHEDULE or kind == SLEEP:
        return p.level[context] == TASK
    if kind == LEAVE:
        return p.level[context] != TASK
    if kind == MIGRATE:
        return p.level[address] == TASK and s.state[address] != DEAD
    return not enters(kind)
