"""The compiled loop: executions of a program over its automata, until something is missing.

It is the interpreter's `run()` over integers: same order of decisions, same random numbers, same effects of every
operation and of every row of `core.machine.TRANSITIONS`. WARNING: the two must agree; tests compare schedules,
events, memory and violations. One integer type throughout, signed 64 bits: numba makes floats of mixed ones.

The loop is a machine of phases whose state lies in arrays, so a missing edge suspends it at any point. `_stretch`
is the one place where a strategy decides.
"""

from typing import Final

from ..machine import Level
from ..operations import (
    ACQUIRE_WORD,
    ALLOC,
    CHOOSE,
    CMPXCHG,
    CMPXCHG_HALF,
    EMIT,
    ENTER,
    ENTER_ASSERTED,
    ENTER_PENDING,
    FENCE,
    FETCH_ADD,
    FETCH_AND,
    FETCH_ANDNOT,
    FETCH_OR,
    FORK,
    FREE,
    GUARDED,
    IRQ_RESTORE,
    IRQ_SAVE,
    LEAVE,
    LOAD,
    LOAD_HALF,
    MIGRATE,
    PAUSE,
    POINTS,
    PROCESSOR_ID,
    RECEIVE,
    SCHEDULE,
    SEND,
    SLEEP,
    STORE,
    TRY_SEND,
    WAIT,
    XCHG,
)
from ..prng import LARGEST
from .automaton import ENDED
from .compiling import compiled, compiled_inline
from .layout import (
    ABSENT,
    AWAY,
    DEAD,
    DEADLOCK,
    DOUBLE_FREE,
    ENDED_MONITOR,
    FIRST_EDGE,
    FIRST_VIOLATION,
    NEW,
    NULL_OBJECT,
    NULL_POINTER,
    OF_POOL,
    POOL_VIOLATIONS,
    RUNNABLE,
    RUNNING,
    SLEEPING,
    USE_AFTER_FREE,
    USE_BEFORE_ALLOC,
    WILD_OBJECT,
    Automata,
    Monitors,
    Output,
    Program,
    State,
    Status,
    Words,
)
from .layout import Register as R
from .random import GAMMA_WORD, RANGE, draw, mix, seed_stream

BEGIN: Final = 0
SPAWN: Final = 1
MAIN: Final = 2
ADVANCE: Final = 3
ARRIVED: Final = 4
"""A context has come to a node."""
PARENT: Final = 5
"""A child has started: its parent goes on."""
FINISH: Final = 6
EPILOGUE: Final = 7
COUNT: Final = 8

AT_BOUND: Final = -1
AT_NO_EDGE: Final = -2
AT_MORE: Final = -3
"""How a stretch ends, other than with a context that has been picked."""

POINT: Final = 0
END: Final = 1
BREACH: Final = 2
NO_EDGE: Final = 3
NO_MONITOR_EDGE: Final = 4
"""What a context may come to."""

TASK: Final = int(Level.TASK)
NMI: Final = int(Level.NMI)
U32: Final = 0xFFFFFFFF
NO_RESULT: Final = -(1 << 62)
"""A task came to a CPU or left it, and has not performed anything yet. No operation's result is like that."""

BOUND: Final = 0
CHOICES_ARE_POINTS: Final = 1
UNIFORM: Final = 2
EPILOGUE_NODE: Final = 3
"""Of `Program.parameters`."""


@compiled_inline
def _slot(node: int, result: int, size: int) -> int:
    mixed = (node * 0x9E3779B97F4A7C15 ^ result * 0x94D049BB133111EB) & 0x7FFFFFFFFFFFFFFF
    return (mixed ^ mixed >> 29) & (size - 1)


@compiled_inline
def follow(rows: Words, keys: Words, nodes: Words, node: int, result: int, first: int) -> int:
    """The node that a result leads to, `ABSENT` for a missing edge. The first two edges lie in the node's row."""
    if rows[node, first + 1] != ABSENT:
        if rows[node, first] == result:
            return rows[node, first + 1]
        if rows[node, first + 3] != ABSENT:
            if rows[node, first + 2] == result:
                return rows[node, first + 3]
            size = nodes.size
            at = _slot(node, result, size)
            while nodes[at] != ABSENT:
                if keys[at, 0] == node and keys[at, 1] == result:
                    return nodes[at]
                at = (at + 1) & (size - 1)
    return ABSENT


@compiled
def add_edge(
    rows: Words, keys: Words, nodes: Words, node: int, result: int, target: int, first: int
) -> bool:
    """Store an edge that is not there; whether it went into the hash table."""
    for place in (first, first + 2):
        if rows[node, place + 1] == ABSENT:
            rows[node, place] = result
            rows[node, place + 1] = target
            return False
    size = nodes.size
    at = _slot(node, result, size)
    while nodes[at] != ABSENT:
        at = (at + 1) & (size - 1)
    keys[at, 0] = node
    keys[at, 1] = result
    nodes[at] = target
    return True


# decisions


@compiled
def _choose(s: State, o: Output, n: int) -> int:
    choice = draw(s.registers, n)
    if s.registers[R.TRACING]:
        o.schedule[s.registers[R.LENGTH]] = ~choice
    s.registers[R.LENGTH] += 1
    return choice


@compiled
def _idle_cpus(p: Program, s: State, context: int) -> int:
    count = 0
    for cpu in range(s.depth.size):
        if s.depth[cpu] == 0 and s.allowed[context] >> cpu & 1:
            count += 1
    return count


@compiled
def _is_usable(p: Program, s: State, address: int) -> bool:
    owner = p.owner[address]
    return owner == 0 or (owner > 0 and s.live[owner - 1] == 1)


@compiled
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


@compiled
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
    return _idle_cpus(p, s, context) > 0


@compiled
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


@compiled
def _look_around(p: Program, t: Automata, s: State) -> None:
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


# violations


@compiled
def _violate(s: State, o: Output, violation: int, context: int) -> None:
    registers = s.registers
    registers[R.BROKEN] |= 1 << violation
    if registers[R.TRACING]:
        at = registers[R.FOUND]
        o.found[at, 0] = violation
        o.found[at, 1] = context
        o.found[at, 2] = registers[R.MOVES]
        registers[R.FOUND] = at + 1


@compiled
def _fail(s: State, o: Output, violation: int, context: int) -> None:
    _violate(s, o, violation, context)
    s.registers[R.FINISHED] = 1


@compiled
def _owner_violation(p: Program, s: State, address: int) -> int:
    """What it is to touch a word that is not there; ABSENT if it is there."""
    owner = p.owner[address]
    if owner == 0:
        return ABSENT
    if owner < 0:
        return NULL_POINTER
    if s.live[owner - 1]:
        return ABSENT
    first = POOL_VIOLATIONS + OF_POOL * p.object_pool[owner - 1]
    return first + (USE_BEFORE_ALLOC if s.generation[owner - 1] == 0 else USE_AFTER_FREE)


# operations


@compiled
def _put(p: Program, s: State, box: int, message: int) -> None:
    size = s.messages.shape[1]
    s.messages[box, (s.head[box] + s.filled[box]) % size] = message
    s.filled[box] += 1
    s.words[p.ready[box]] = 1


@compiled
def _take(p: Program, s: State, box: int) -> int:
    message = s.messages[box, s.head[box]]
    s.head[box] = (s.head[box] + 1) % s.messages.shape[1]
    s.filled[box] -= 1
    if s.filled[box] == 0:
        s.words[p.ready[box]] = 0
    return message


@compiled
def _allocate(p: Program, s: State, pool: int) -> int:
    for number in range(p.first_object[pool], p.first_object[pool + 1]):
        if s.live[number] == 0:
            s.live[number] = 1
            s.generation[number] += 1
            return p.object_address[number]
    return 0


@compiled
def _free(p: Program, s: State, pointer: int, pool: int) -> int:
    """Free an object: ABSENT, or the violation that it is."""
    first = POOL_VIOLATIONS + OF_POOL * pool
    for number in range(p.first_object[pool], p.first_object[pool + 1]):
        if p.object_address[number] == pointer:
            if s.live[number] == 0:
                return first + DOUBLE_FREE
            s.live[number] = 0
            return ABSENT
    return first + (NULL_OBJECT if pointer == 0 else WILD_OBJECT)


@compiled_inline
def _on_word(s: State, kind: int, address: int, a: int, b: int) -> int:
    """An operation on one word that is there."""
    words = s.words
    old = words[address]
    if kind == CMPXCHG or kind == ACQUIRE_WORD:
        if old == a:
            words[address] = b
    elif kind == STORE:
        words[address] = a
        return 0
    elif kind == FETCH_OR:
        words[address] = old | a
    elif kind == FETCH_ADD:
        words[address] = old + a
    elif kind == FETCH_ANDNOT:
        words[address] = old & ~a
    elif kind == FETCH_AND:
        words[address] = old & a
    elif kind == XCHG:
        words[address] = a
    return old


@compiled
def _on_half(s: State, kind: int, half: int, a: int, b: int) -> int:
    address = half >> 1
    shift = 32 * (half & 1)
    old = s.words[address] >> shift & U32
    if kind == LOAD_HALF or (kind == CMPXCHG_HALF and old != a & U32):
        return old
    new = (b if kind == CMPXCHG_HALF else a) & U32
    s.words[address] = s.words[address] & ~(U32 << shift) | new << shift
    return old if kind == CMPXCHG_HALF else 0


@compiled
def _switch_out(p: Program, s: State, context: int, state: int) -> None:
    cpu = s.cpu[context]
    s.depth[cpu] -= 1
    if p.current[cpu]:
        s.words[p.current[cpu]] = 0
    s.irqs_on[cpu] = 1
    s.state[context] = state


@compiled
def _arrive(p: Program, t: Automata, s: State, o: Output, context: int) -> int:
    """A context that is on no CPU comes to one: its operation's result, NO_RESULT for a task that has yet to
    perform it."""
    s.registers[R.DIRTY] = 1
    if p.level[context] == TASK:
        return _switch_in(p, s, o, context)
    cpu = s.cpu[context]
    depth = s.depth[cpu]
    below = 1 + p.level[s.stack[cpu, depth - 1]] if depth > 0 else 0
    s.stack[cpu, depth] = context
    s.depth[cpu] = depth + 1
    s.saved_irqs[context] = s.irqs_on[cpu]
    s.irqs_on[cpu] = 0
    s.state[context] = RUNNING
    node = s.node[context]
    if t.rows[node, 0] == ENTER_PENDING:
        s.words[t.rows[node, 2]] = 0
    return below


@compiled
def _switch_in(p: Program, s: State, o: Output, context: int) -> int:
    idle = _idle_cpus(p, s, context)
    wanted = _choose(s, o, idle) if idle > 1 else 0
    cpu = 0
    for each in range(s.depth.size):
        if s.depth[each] == 0 and s.allowed[context] >> each & 1:
            if wanted == 0:
                cpu = each
                break
            wanted -= 1
    s.cpu[context] = cpu
    s.stack[cpu, 0] = context
    s.depth[cpu] = 1
    if p.current[cpu]:
        s.words[p.current[cpu]] = context + 1
    s.state[context] = RUNNING
    if s.switched_out[context]:
        s.switched_out[context] = 0
        return cpu
    return NO_RESULT


@compiled
def _on_machine(p: Program, t: Automata, s: State, context: int, kind: int, node: int) -> int:
    """Interrupts off and on, leaving, switching."""
    cpu = s.cpu[context]
    if kind == IRQ_SAVE:
        flags = s.irqs_on[cpu]
        s.irqs_on[cpu] = 0
        return flags
    if kind == IRQ_RESTORE:
        s.irqs_on[cpu] = t.rows[node, 2]
    elif kind == LEAVE:
        s.depth[cpu] -= 1
        s.irqs_on[cpu] = s.saved_irqs[context]
        s.state[context] = AWAY
    elif kind == SCHEDULE:
        _switch_out(p, s, context, RUNNABLE)
        s.switched_out[context] = 1
        return NO_RESULT
    elif kind == SLEEP:
        _switch_out(p, s, context, SLEEPING)
        s.switched_out[context] = 1
        for at in range(3):
            s.condition[context, at] = t.rows[node, 1 + at]
        s.watched[t.rows[node, 1]] = 1
        return NO_RESULT
    elif kind == MIGRATE:
        s.allowed[t.rows[node, 1]] = t.rows[node, 2]
    return 0


@compiled
def _enters(kind: int) -> bool:
    return kind in (ENTER, ENTER_PENDING, ENTER_ASSERTED)


@compiled
def _is_possible(p: Program, s: State, context: int, kind: int, address: int) -> bool:
    """Whether the machine has a row for it; the interpreter says what is wrong."""
    if kind == SCHEDULE or kind == SLEEP:
        return p.level[context] == TASK
    if kind == LEAVE:
        return p.level[context] != TASK
    if kind == MIGRATE:
        return p.level[address] == TASK and s.state[address] != DEAD
    return not _enters(kind)


@compiled
def _perform(p: Program, t: Automata, s: State, o: Output, context: int) -> int:
    """Perform the operation that a running context awaits; failures are reported in FINISHED."""
    node = s.node[context]
    kind = t.rows[node, 0]
    address = t.rows[node, 1]
    a = t.rows[node, 2]
    b = t.rows[node, 3]
    if kind == FENCE or kind == PAUSE:
        if kind == PAUSE:
            s.registers[R.DIRTY] = 1
        return 0
    if LOAD <= kind <= CMPXCHG_HALF or kind == WAIT or kind == ACQUIRE_WORD:
        word = address >> 1 if LOAD_HALF <= kind <= CMPXCHG_HALF else address
        if p.owner[word] != 0:
            violation = _owner_violation(p, s, word)
            if violation != ABSENT:
                _fail(s, o, violation, context)
                return 0
        if s.watched[word] or kind >= LOAD_HALF:
            s.registers[R.DIRTY] = 1
        if LOAD_HALF <= kind <= CMPXCHG_HALF:
            return _on_half(s, kind, address, a, b)
        return _on_word(s, kind, address, a, b)
    s.registers[R.DIRTY] = 1
    if kind == TRY_SEND or kind == SEND:
        if s.filled[address] >= p.capacity[address]:
            return 0
        _put(p, s, address, a)
        return 1
    if kind == RECEIVE:
        return _take(p, s, address)
    if kind == ALLOC:
        return _allocate(p, s, address)
    if kind == FREE:
        violation = _free(p, s, address, a)
        if violation != ABSENT:
            _fail(s, o, violation, context)
        return 0
    if kind == CHOOSE:
        return _choose(s, o, address)
    return _on_machine(p, t, s, context, kind, node)


# executions


@compiled
def _copy(target: Words, source: Words) -> None:
    for at in range(source.size):
        target[at] = source[at]


@compiled
def _fill(target: Words, value: int) -> None:
    for at in range(target.size):
        target[at] = value


@compiled
def _reset(p: Program, s: State, o: Output) -> None:
    """The declared initial state."""
    registers = s.registers
    _copy(s.words, p.initial)
    _copy(s.state, p.start_state)
    _copy(s.cpu, p.home)
    _copy(s.allowed, p.declared_cpus)
    _fill(s.switched_out, 0)
    _fill(s.paused_at, -1)
    _fill(s.depth, 0)
    _fill(s.irqs_on, 1)
    _fill(s.live, 0)
    _fill(s.generation, 0)
    _fill(s.head, 0)
    _fill(s.filled, 0)
    _fill(s.monitor, ABSENT)
    live = 0
    for context in range(p.level.size):
        state = p.start_state[context]
        if state == RUNNING:
            cpu = p.home[context]
            s.stack[cpu, s.depth[cpu]] = context
            s.depth[cpu] += 1
            if p.current[cpu]:
                s.words[p.current[cpu]] = context + 1
        if p.level[context] == TASK and state != NEW:
            live += 1
    for box in range(p.capacity.size):
        for at in range(p.initial_count[box]):
            _put(p, s, box, p.initial_messages[box, at])
    seed_stream(registers)
    registers[R.LIVE] = live
    registers[R.FINISHED] = 1 if live == 0 else 0
    registers[R.DIRTY] = 1
    registers[R.ITERATION] = 0
    registers[R.LENGTH] = 0
    registers[R.MOVES] = 0
    registers[R.BROKEN] = 0
    registers[R.EVENTS] = 0
    registers[R.FOUND] = 0
    registers[R.SPAWNING] = 0


@compiled
def _end(p: Program, s: State, context: int) -> None:
    """A protocol has returned."""
    s.registers[R.DIRTY] = 1
    if s.state[context] == RUNNING:
        _switch_out(p, s, context, DEAD)
    else:
        s.state[context] = DEAD
    if p.level[context] == TASK:
        s.registers[R.LIVE] -= 1
        s.registers[R.FINISHED] = 1 if s.registers[R.LIVE] == 0 else 0


@compiled
def _await_guard(t: Automata, s: State, context: int, kind: int) -> None:
    """The next operation may have to wait: note what for."""
    s.registers[R.DIRTY] = 1
    node = s.node[context]
    if kind == PAUSE:
        s.paused_at[context] = s.registers[R.LENGTH]
    elif kind == WAIT or kind == ACQUIRE_WORD:
        s.watched[t.rows[node, 1]] = 1
    elif kind == ENTER_PENDING or kind == ENTER_ASSERTED:
        s.watched[t.rows[node, 2]] = 1


@compiled
def _emit(p: Program, m: Monitors, s: State, o: Output, context: int, event: int) -> bool:
    """Show an event to its monitors, from the one that has not seen it on; False where an edge is missing."""
    registers = s.registers
    if registers[R.MONITOR] == 0:
        registers[R.MONITOR] = 1
        if registers[R.TRACING]:
            at = registers[R.EVENTS]
            o.events[at, 0] = registers[R.LENGTH]
            o.events[at, 1] = context
            o.events[at, 2] = event
            registers[R.EVENTS] = at + 1
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
                _violate(s, o, FIRST_VIOLATION - target, context)
                target = ENDED_MONITOR
            s.monitor[number] = target
        registers[R.MONITOR] += 1
    registers[R.MONITOR] = 0
    return True


@compiled
def _count(p: Program, s: State, o: Output) -> bool:
    """Add an execution to the results; False if a table has no room."""
    registers = s.registers
    broken = registers[R.BROKEN]
    if broken:
        size = o.sets.shape[0]
        at = _slot(broken, 0, size)
        while o.sets[at, 1] != 0 and o.sets[at, 0] != broken:
            at = (at + 1) & (size - 1)
        if o.sets[at, 1] == 0:
            if registers[R.SETS] >= size >> 1:
                return False
            registers[R.SETS] += 1
            o.sets[at, 0] = broken
            o.first[at] = registers[R.EXECUTION]
        o.sets[at, 1] += 1
    elif registers[R.LIVE] > 0:
        registers[R.INCOMPLETE] += 1
    registers[R.OPERATIONS] += registers[R.MOVES]
    return True


@compiled
def _next_operation(p: Program, t: Automata, m: Monitors, s: State, o: Output, context: int) -> int:
    """From a node on past what is no scheduling point: what the context has come to."""
    registers = s.registers
    points = CHOOSE if p.parameters[CHOICES_ARE_POINTS] else POINTS
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
            result = _choose(s, o, t.rows[node, 1])
        elif kind == ENDED:
            return END
        else:  # CHECK or RAISED
            _fail(s, o, t.rows[node, 2], context)
            return BREACH
        target = follow(t.rows, t.keys, t.nodes, node, result, FIRST_EDGE)
        if target == ABSENT:
            registers[R.RESULT] = result
            registers[R.PHASE] = ADVANCE
            return NO_EDGE
        s.node[context] = target


@compiled
def _settle(p: Program, t: Automata, m: Monitors, s: State, o: Output) -> int:
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
            if s.state[context] == AWAY and not _enters(kind):
                return Status.MODEL_ERROR
            _await_guard(t, s, context, kind)
    elif come_to == END:
        if s.state[context] == RUNNING and p.level[context] != TASK:
            return Status.MODEL_ERROR
        _end(p, s, context)
    return Status.DONE


@compiled_inline
def _stretch(p: Program, t: Automata, s: State, o: Output) -> int:
    """Moves that do nothing but touch words that nobody waits for: nearly all, and the loop that counts.

    Who may move does not change meanwhile. The scalars are local here, since the compiler cannot know that
    a store to a word does not hit a register. The result is a context that was picked and has more to do, or one
    of the codes AT_..., with `CONTEXT` set.
    """
    r = s.registers
    value, left, second, drawn = r[R.VALUE], r[R.LEFT], r[R.SECOND], r[R.DRAW]
    length, moves = r[R.LENGTH], r[R.MOVES]
    iteration, bound = r[R.ITERATION], p.parameters[BOUND]
    enabled, tracing, uniform = r[R.ENABLED], r[R.TRACING], p.parameters[UNIFORM]
    total = enabled if uniform else s.cumulative[enabled - 1]
    paused = r[R.DIRTY] != 0
    outcome = AT_BOUND
    while iteration < bound:
        iteration += 1
        choice = 0
        while enabled > 1:
            if left >= LARGEST:
                quotient = left >> 1 if total == 2 else left // total
                rest = value >> 1 if total == 2 else value // total
                if rest < quotient:
                    choice = value - rest * total
                    value, left = rest, quotient
                    break
            if second >= 0:
                value, second = second, -1
            else:
                drawn += GAMMA_WORD
                mixed = mix(drawn)
                value, second = mixed >> 4 & RANGE - 1, mixed >> 34 & RANGE - 1
            left = RANGE
        if not uniform and enabled > 1:
            at = 0
            while s.cumulative[at] <= choice:
                at += 1
            choice = at
        context = s.enabled[choice]
        if tracing:
            o.schedule[length] = context
        length += 1
        moves += 1
        node = s.node[context]
        kind, address = t.rows[node, 0], t.rows[node, 1]
        plain = s.state[context] == RUNNING and kind < LOAD_HALF
        if not plain or p.owner[address] != 0 or s.watched[address]:
            outcome = context
            break
        result = _on_word(s, kind, address, t.rows[node, 2], t.rows[node, 3])
        target = follow(t.rows, t.keys, t.nodes, node, result, FIRST_EDGE)
        if target == ABSENT:
            r[R.CONTEXT] = context
            r[R.RESULT] = result
            outcome = AT_NO_EDGE
            break
        s.node[context] = target
        kind = t.rows[target, 0]
        if kind < POINTS or kind >= GUARDED:
            r[R.CONTEXT] = context
            outcome = AT_MORE
            break
        if paused:  # this move may have let it go on
            break
    r[R.VALUE], r[R.LEFT], r[R.SECOND], r[R.DRAW] = value, left, second, drawn
    r[R.LENGTH], r[R.MOVES], r[R.ITERATION] = length, moves, iteration
    return outcome


@compiled
def _main(p: Program, t: Automata, m: Monitors, s: State, o: Output) -> int:
    """Decide and move, while it is only that; sets the phase where it is more."""
    registers = s.registers
    while True:
        if registers[R.ITERATION] >= p.parameters[BOUND] or registers[R.FINISHED]:
            registers[R.PHASE] = FINISH
            return Status.DONE
        if registers[R.DIRTY]:
            _look_around(p, t, s)
        if registers[R.ENABLED] == 0:
            registers[R.ITERATION] += 1
            _fail(s, o, DEADLOCK, ABSENT)
            continue
        picked = _stretch(p, t, s, o)
        if picked == AT_BOUND:  # or after one move, while somebody has paused
            continue
        registers[R.NEXT] = MAIN
        if picked == AT_NO_EDGE:
            registers[R.PHASE] = ADVANCE
            return Status.MISSING_EDGE
        if picked == AT_MORE:
            status = _settle(p, t, m, s, o)
        else:
            status = _move(p, t, m, s, o, picked)
        if status != Status.DONE or registers[R.PHASE] != MAIN:
            return status


@compiled
def _move(p: Program, t: Automata, m: Monitors, s: State, o: Output, context: int) -> int:
    """Any move of a context that was picked."""
    registers = s.registers
    node = s.node[context]
    registers[R.CONTEXT] = context
    if s.state[context] == RUNNING:
        kind = t.rows[node, 0]
        if kind >= ENTER:
            if not _is_possible(p, s, context, kind, t.rows[node, 1]):
                return Status.MODEL_ERROR
            if kind == FORK and s.state[t.rows[node, 1]] == NEW:
                _fork(p, s, context, t.rows[node, 1])
                return Status.DONE
        result = _perform(p, t, s, o, context)
        if registers[R.FINISHED]:
            return Status.DONE
    else:
        result = _arrive(p, t, s, o, context)
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
    return _settle(p, t, m, s, o)


@compiled
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


@compiled
def run(p: Program, t: Automata, m: Monitors, s: State, o: Output) -> int:
    """Go on from where the registers say."""
    registers = s.registers
    contexts = p.level.size
    while True:
        phase = registers[R.PHASE]
        if phase == MAIN:
            status = _main(p, t, m, s, o)
            if status != Status.DONE:
                return status
        elif phase == BEGIN:
            if registers[R.EXECUTION] >= registers[R.END]:
                return Status.DONE
            _reset(p, s, o)
            registers[R.PHASE] = SPAWN
        elif phase == SPAWN:
            context = registers[R.SPAWNING]
            if context == contexts:
                registers[R.PHASE] = MAIN
            elif s.state[context] == NEW:
                registers[R.SPAWNING] = context + 1
            else:
                s.node[context] = p.start_node[context]
                registers[R.SPAWNING] = context + 1
                registers[R.CONTEXT] = context
                registers[R.NEXT] = SPAWN
                registers[R.PHASE] = ARRIVED
        elif phase == ADVANCE:
            context = registers[R.CONTEXT]
            node = s.node[context]
            target = follow(t.rows, t.keys, t.nodes, node, registers[R.RESULT], FIRST_EDGE)
            if target == ABSENT:
                return Status.MISSING_EDGE
            s.node[context] = target
            registers[R.PHASE] = ARRIVED
        elif phase == ARRIVED:
            status = _settle(p, t, m, s, o)
            if status != Status.DONE:
                return status
        elif phase == PARENT:
            registers[R.CONTEXT] = registers[R.PARENT]
            registers[R.RESULT] = 1
            registers[R.NEXT] = MAIN
            registers[R.PHASE] = ADVANCE
        elif phase == FINISH:
            if registers[R.LIVE] == 0 and p.parameters[EPILOGUE_NODE] != ABSENT:
                s.node[contexts] = p.parameters[EPILOGUE_NODE]
                s.cpu[contexts] = 0
                registers[R.CONTEXT] = contexts
                registers[R.NEXT] = EPILOGUE
                registers[R.PHASE] = ARRIVED
            else:
                registers[R.PHASE] = COUNT
        elif phase == EPILOGUE:
            node = s.node[contexts]
            if t.rows[node, 0] >= GUARDED:
                return Status.MODEL_ERROR
            registers[R.FINISHED] = 0
            registers[R.RESULT] = _perform(p, t, s, o, contexts)
            registers[R.PHASE] = COUNT if registers[R.FINISHED] else ADVANCE
            registers[R.NEXT] = EPILOGUE
        else:
            if not _count(p, s, o):
                return Status.FULL
            registers[R.EXECUTION] += 1
            registers[R.PHASE] = BEGIN
