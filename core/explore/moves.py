"""One move: an operation, the edge that its result takes, and all up to the next operation, compiled."""

from typing import Final

from ..operations import (
    CHOOSE,
    EMIT,
    ENTER,
    FORK,
    GUARDED,
    POINTS,
    PROCESSOR_ID,
)
from .automaton import ENDED
from .compiling import compiled_inline, compiled_part
from .edges import follow
from .effects import arrive, choose, fail, perform, retire, violate
from .guards import await_guard, awaits_another_s, enters, is_possible
from .layout import (
    ABSENT,
    ADVANCE,
    ARRIVED,
    AWAY,
    COUNT,
    END,
    ENDED_MONITOR,
    FIRST_EDGE,
    FIRST_VIOLATION,
    NEW,
    NO_RESULT,
    PARENT,
    REFUSED,
    RUNNABLE,
    RUNNING,
    TASK,
    Automata,
    Monitors,
    Output,
    Parameter,
    Program,
    State,
    Status,
    Words,
)
from .layout import (
    Register as R,
)

POINT: Final = 0
BREACH: Final = 2
NO_EDGE: Final = 3
NO_MONITOR_EDGE: Final = 4
"""What a context may come to."""


@compiled_inline
def _note_event(registers: Words, o: Output, context: int, event: int) -> None:
    """Of a trace: the next event."""
    at = registers[R.EVENTS]
    if at == o.events.shape[0]:
        registers[R.OVERRUN] = 1
        return
    o.events[at, 0] = registers[R.LENGTH]
    o.events[at, 1] = context
    o.events[at, 2] = event
    registers[R.EVENTS] = at + 1


@compiled_inline
def _emit(p: Program, m: Monitors, s: State, o: Output, context: int, event: int) -> bool:
    """Show an event to its monitors, from the one that has not seen it on; False where an edge is missing."""
    registers = s.registers
    if registers[R.MONITOR] == 0:
        registers[R.MONITOR] = 1
        if registers[R.TRACING]:
            _note_event(registers, o, context, event)
    first = m.route_start[event]
    last = m.route_start[event + 1]
    for at in range(first + registers[R.MONITOR] - 1, last):
        number = m.routes[at]
        node = s.monitor[number]
        if node != ENDED_MONITOR:
            if node == ABSENT:
                node = p.monitor_start[number]
                s.monitor[number] = node
            target = follow(m.rows, m.keys, m.nodes, node, event, 0)
            if target == ABSENT:
                return False
            if target <= FIRST_VIOLATION:
                violate(s, o, FIRST_VIOLATION - target, context)
                target = ENDED_MONITOR
            s.monitor[number] = target
        registers[R.MONITOR] += 1
    registers[R.MONITOR] = 0
    return True


@compiled_inline
def _next_operation(p: Program, t: Automata, m: Monitors, s: State, o: Output, context: int) -> int:
    """From a node on past what is no scheduling point: what the context has come to."""
    registers = s.registers
    points = CHOOSE if p.parameters[Parameter.CHOICES_ARE_POINTS] else POINTS
    while True:
        node = s.node[context]
        kind = t.rows[node, 0]
        if kind >= points:
            return POINT
        if kind == EMIT:
            if not _emit(p, m, s, o, context, t.rows[node, 2]):
                registers[R.PHASE] = ARRIVED
                return NO_MONITOR_EDGE
            result = 0
        elif kind == PROCESSOR_ID:
            result = s.cpu[context]
        elif kind == CHOOSE:
            result = choose(s, o, t.rows[node, 1])
        elif kind == ENDED:
            return END
        else:  # CHECK or RAISED
            fail(s, o, t.rows[node, 2], context)
            return BREACH
        target = follow(t.rows, t.keys, t.nodes, node, result, FIRST_EDGE)
        if target == ABSENT:
            registers[R.RESULT] = result
            registers[R.PHASE] = ADVANCE
            return NO_EDGE
        s.node[context] = target


@compiled_inline
def settle(p: Program, t: Automata, m: Monitors, s: State, o: Output) -> int:
    """Bring a context that has come to a node to its next operation, or its end; sets the phase."""
    registers = s.registers
    context = registers[R.CONTEXT]
    come_to = _next_operation(p, t, m, s, o, context)
    if come_to == NO_EDGE:
        return Status.MISSING_EDGE
    if come_to == NO_MONITOR_EDGE:
        return Status.MISSING_MONITOR_EDGE
    registers[R.PHASE] = registers[R.NEXT]
    if context == p.level.size:
        if come_to != POINT:
            registers[R.PHASE] = COUNT
        return Status.DONE
    if come_to == POINT:
        kind = t.rows[s.node[context], 0]
        if kind >= GUARDED or s.state[context] != RUNNING:
            if s.state[context] == AWAY and not enters(kind):
                return Status.MODEL_ERROR
            if awaits_another_s(p, t, context, s.node[context]):
                return Status.MODEL_ERROR
            await_guard(t, s, context, kind)
    elif come_to == END:
        if s.state[context] == RUNNING and p.level[context] != TASK:
            return Status.MODEL_ERROR
        retire(p, s, context)
    return Status.DONE


@compiled_inline
def set_out(p: Program, t: Automata, s: State, o: Output, context: int) -> int:
    """A move of a context that was picked, as far as the next operation's node: SETTLE, where that needs more."""
    registers = s.registers
    node = s.node[context]
    registers[R.CONTEXT] = context
    if s.state[context] == RUNNING:
        kind = t.rows[node, 0]
        if kind >= ENTER:
            if not is_possible(p, s, context, kind, t.rows[node, 1]):
                return Status.MODEL_ERROR
            if kind == FORK and s.state[t.rows[node, 1]] == NEW:
                _fork(p, s, context, t.rows[node, 1])
                return Status.DONE
        result = perform(p, t, s, o, context)
        if registers[R.FINISHED]:
            return Status.MODEL_ERROR if registers[R.FINISHED] == REFUSED else Status.DONE
    else:
        result = arrive(p, t, s, o, context)
    if result == NO_RESULT:
        return Status.DONE
    registers[R.RESULT] = result
    target = follow(t.rows, t.keys, t.nodes, node, result, FIRST_EDGE)
    if target == ABSENT:
        registers[R.PHASE] = ADVANCE
        return Status.MISSING_EDGE
    s.node[context] = target
    kind = t.rows[target, 0]
    if POINTS <= kind < GUARDED:
        return Status.DONE
    return Status.SETTLE


@compiled_part
def move(p: Program, t: Automata, m: Monitors, s: State, o: Output, context: int) -> int:
    """Any move of a context that was picked."""
    status = set_out(p, t, s, o, context)
    return settle(p, t, m, s, o) if status == Status.SETTLE else status


@compiled_part
def settle_apart(p: Program, t: Automata, m: Monitors, s: State, o: Output) -> int:
    """`settle`, not made part of its caller."""
    return settle(p, t, m, s, o)


@compiled_part
def perform_apart(p: Program, t: Automata, s: State, o: Output, context: int) -> int:
    """`perform`, not made part of its caller."""
    return perform(p, t, s, o, context)


@compiled_part
def _fork(p: Program, s: State, parent: int, child: int) -> None:
    registers = s.registers
    s.state[child] = RUNNABLE
    s.node[child] = p.start_node[child]
    registers[R.LIVE] += 1
    registers[R.DIRTY] = 1
    registers[R.PARENT] = parent
    registers[R.CONTEXT] = child
    registers[R.NEXT] = PARENT
    registers[R.PHASE] = ARRIVED
