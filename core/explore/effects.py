"""What operations and rows of `core.machine.TRANSITIONS` do, compiled."""

from typing import Final

from ..operations import (
    ACQUIRE_WORD,
    ALLOC,
    CHOOSE,
    CMPXCHG,
    CMPXCHG_HALF,
    ENTER_PENDING,
    FENCE,
    FETCH_ADD,
    FETCH_AND,
    FETCH_ANDNOT,
    FETCH_OR,
    FREE,
    IRQ_RESTORE,
    IRQ_SAVE,
    LEAVE,
    LOAD,
    LOAD_HALF,
    MIGRATE,
    PAUSE,
    RECEIVE,
    SCHEDULE,
    SEND,
    SLEEP,
    STORE,
    TRY_SEND,
    WAIT,
    XCHG,
)
from .compiling import compiled_inline, compiled_part
from .guards import idle_cpus, is_another_s
from .layout import (
    ABSENT,
    AWAY,
    DEAD,
    DOUBLE_FREE,
    NO_RESULT,
    NULL_OBJECT,
    NULL_POINTER,
    OF_POOL,
    POOL_VIOLATIONS,
    PRIVATE,
    REFUSED,
    RUNNABLE,
    RUNNING,
    SLEEPING,
    TASK,
    USE_AFTER_FREE,
    USE_BEFORE_ALLOC,
    WILD_OBJECT,
    Automata,
    Output,
    Program,
    State,
)
from .layout import (
    Register as R,
)
from .random import draw, mix

U32: Final = 0xFFFFFFFF


@compiled_part
def _scripted(s: State, n: int) -> int:
    """The script's choice, the first of them where it has ended; notes among how many."""
    at = s.registers[R.CHOICES]
    s.registers[R.CHOICES] = at + 1
    if at >= s.script.shape[0]:
        return 0  # the search sees that there were too many
    s.script[at, 1] = n
    return s.script[at, 0]


@compiled_inline
def note_entry(s: State, o: Output, entry: int) -> None:
    """Of a trace: the next entry of the schedule."""
    at = s.registers[R.LENGTH]
    if at < o.schedule.size:
        o.schedule[at] = entry
    else:
        s.registers[R.OVERRUN] = 1


@compiled_inline
def choose(s: State, o: Output, n: int) -> int:
    choice = _scripted(s, n) if s.registers[R.SCRIPTED] else draw(s.registers, n)
    if s.registers[R.TRACING]:
        note_entry(s, o, ~choice)
    s.registers[R.LENGTH] += 1
    s.registers[R.CODE] = mix(s.registers[R.CODE] + choice + 1)
    return choice


@compiled_inline
def violate(s: State, o: Output, violation: int, context: int) -> None:
    registers = s.registers
    registers[R.BROKEN] |= 1 << violation
    if registers[R.TRACING]:
        at = registers[R.FOUND]
        if at == o.found.shape[0]:
            registers[R.OVERRUN] = 1
            return
        o.found[at, 0] = violation
        o.found[at, 1] = context
        o.found[at, 2] = registers[R.MOVES]
        registers[R.FOUND] = at + 1


@compiled_inline
def fail(s: State, o: Output, violation: int, context: int) -> None:
    violate(s, o, violation, context)
    s.registers[R.FINISHED] = 1


@compiled_part
def _owner_violation(p: Program, s: State, address: int) -> int:
    """What it is to touch a word that is not there; ABSENT if it is there."""
    owner = p.owner[address]
    if owner == 0 or owner <= PRIVATE:
        return ABSENT
    if owner < 0:
        return NULL_POINTER
    if s.live[owner - 1]:
        return ABSENT
    first = POOL_VIOLATIONS + OF_POOL * p.object_pool[owner - 1]
    return first + (USE_BEFORE_ALLOC if s.generation[owner - 1] == 0 else USE_AFTER_FREE)


@compiled_part
def put(p: Program, s: State, box: int, message: int) -> None:
    size = s.messages.shape[1]
    s.messages[box, (s.head[box] + s.filled[box]) % size] = message
    s.filled[box] += 1
    s.words[p.ready[box]] = 1


@compiled_part
def _take(p: Program, s: State, box: int) -> int:
    message = s.messages[box, s.head[box]]
    s.head[box] = (s.head[box] + 1) % s.messages.shape[1]
    s.filled[box] -= 1
    if s.filled[box] == 0:
        s.words[p.ready[box]] = 0
    return message


@compiled_part
def _allocate(p: Program, s: State, pool: int) -> int:
    for number in range(p.first_object[pool], p.first_object[pool + 1]):
        if s.live[number] == 0:
            s.live[number] = 1
            s.generation[number] += 1
            return p.object_address[number]
    return 0


@compiled_part
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
def on_word(s: State, kind: int, address: int, a: int, b: int) -> int:
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


@compiled_part
def on_half(s: State, kind: int, half: int, a: int, b: int) -> int:
    address = half >> 1
    shift = 32 * (half & 1)
    old = s.words[address] >> shift & U32
    if kind == LOAD_HALF or (kind == CMPXCHG_HALF and old != a & U32):
        return old
    new = (b if kind == CMPXCHG_HALF else a) & U32
    s.words[address] = s.words[address] & ~(U32 << shift) | new << shift
    return old if kind == CMPXCHG_HALF else 0


@compiled_part
def _switch_out(p: Program, s: State, context: int, state: int) -> None:
    cpu = s.cpu[context]
    s.depth[cpu] -= 1
    if p.current[cpu]:
        s.words[p.current[cpu]] = 0
    s.irqs_on[cpu] = 1
    s.state[context] = state


@compiled_inline
def arrive(p: Program, t: Automata, s: State, o: Output, context: int) -> int:
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


@compiled_part
def _switch_in(p: Program, s: State, o: Output, context: int) -> int:
    idle = idle_cpus(p, s, context)
    wanted = choose(s, o, idle) if idle > 1 else 0
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


@compiled_inline
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


@compiled_inline
def perform(p: Program, t: Automata, s: State, o: Output, context: int) -> int:
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
            if is_another_s(p, context, word):
                s.registers[R.FINISHED] = REFUSED
                return 0
            violation = _owner_violation(p, s, word)
            if violation != ABSENT:
                fail(s, o, violation, context)
                return 0
        if s.watched[word] and kind != LOAD and kind != LOAD_HALF:
            s.registers[R.DIRTY] = 1
        if LOAD_HALF <= kind <= CMPXCHG_HALF:
            return on_half(s, kind, address, a, b)
        return on_word(s, kind, address, a, b)
    if kind == CHOOSE:
        return choose(s, o, address)
    if kind == IRQ_SAVE and s.irqs_on[s.cpu[context]] == 0:
        return 0  # nothing changes
    s.registers[R.DIRTY] = 1
    if kind == TRY_SEND or kind == SEND:
        if s.filled[address] >= p.capacity[address]:
            return 0
        put(p, s, address, a)
        return 1
    if kind == RECEIVE:
        return _take(p, s, address)
    if kind == ALLOC:
        return _allocate(p, s, address)
    if kind == FREE:
        violation = _free(p, s, address, a)
        if violation != ABSENT:
            fail(s, o, violation, context)
        return 0
    return _on_machine(p, t, s, context, kind, node)


@compiled_part
def retire(p: Program, s: State, context: int) -> None:
    """A protocol has returned."""
    s.registers[R.DIRTY] = 1
    if s.state[context] == RUNNING:
        _switch_out(p, s, context, DEAD)
    else:
        s.state[context] = DEAD
    if p.level[context] == TASK:
        s.registers[R.LIVE] -= 1
        s.registers[R.FINISHED] = 1 if s.registers[R.LIVE] == 0 else 0
