"""The compiled loop: executions of a program over its automata, until something is missing.

It is the interpreter's `run()` over integers: same order of decisions, same random numbers, same effects of every
operation and of every row of `core.machine.TRANSITIONS`. WARNING: the two must agree; tests compare schedules,
events, memory and violations. One integer type throughout, signed 64 bits: numba makes floats of mixed ones.

The loop is a machine of phases whose state lies in arrays, so a missing edge suspends it at any point. `_stretch`
is where the random walk decides, and `picking` where the other strategies do.
"""

from ..operations import GUARDED, LOAD_HALF, POINTS
from ..prng import LARGEST
from .compiling import compiled, compiled_inline, compiled_part
from .covering import begin_covering, note
from .edges import follow, slot
from .effects import fail, note_entry, on_word
from .guards import look_around
from .layout import (
    ABSENT,
    ADVANCE,
    ARRIVED,
    BEGIN,
    COUNT,
    DEADLOCK,
    EPILOGUE,
    FINISH,
    FIRST_EDGE,
    MAIN,
    NEW,
    PARENT,
    RUNNING,
    SPAWN,
    Automata,
    Monitors,
    Output,
    Parameter,
    Program,
    State,
    Status,
)
from .layout import (
    Register as R,
)
from .moves import perform_apart, set_out, settle, settle_apart
from .picking import begin, decided_stretch
from .random import GAMMA_WORD, RANGE, mix, seed_stream
from .touching import AT_BOUND, AT_MORE, AT_NO_EDGE


@compiled_inline
def _reset(p: Program, s: State) -> None:
    """The declared initial state."""
    registers = s.registers
    for position in range(s.vector.size):
        s.vector[position] = p.pristine[position]
    seed_stream(registers)
    if p.parameters[Parameter.METHOD]:
        begin(p, s)
    live = p.parameters[Parameter.LIVE]
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
    begin_covering(s)


@compiled_part
def _count(p: Program, s: State, o: Output) -> bool:
    """Add an execution to the results; False if a table has no room."""
    registers = s.registers
    broken = registers[R.BROKEN]
    if broken:
        size = o.sets.shape[0]
        at = slot(broken, 0, size)
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
    iteration, bound = r[R.ITERATION], p.parameters[Parameter.BOUND]
    enabled, tracing, uniform = r[R.ENABLED], r[R.TRACING], p.parameters[Parameter.UNIFORM]
    total = enabled if uniform else s.cumulative[enabled - 1]
    single = r[R.DIRTY] != 0 or r[R.COVERING] != 0
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
        if single:
            r[R.MOVED] = context
        if tracing:
            r[R.LENGTH] = length
            note_entry(s, o, context)
        length += 1
        moves += 1
        node = s.node[context]
        kind, address = t.rows[node, 0], t.rows[node, 1]
        plain = s.state[context] == RUNNING and POINTS <= kind < LOAD_HALF
        if not plain or p.owner[address] != 0 or s.watched[address]:
            outcome = context
            break
        result = on_word(s, kind, address, t.rows[node, 2], t.rows[node, 3])
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
        if single:  # this move may have let somebody go on who has paused, or is to be noted
            break
    r[R.VALUE], r[R.LEFT], r[R.SECOND], r[R.DRAW] = value, left, second, drawn
    r[R.LENGTH], r[R.MOVES], r[R.ITERATION] = length, moves, iteration
    return outcome


@compiled_part
def _main(p: Program, t: Automata, m: Monitors, s: State, o: Output) -> int:
    """Decide and move, while it is only that; sets the phase where it is more."""
    registers = s.registers
    while True:
        if registers[R.COVERING] and not note(p, t, m, s, o):
            return Status.CROWDED
        if registers[R.ITERATION] >= p.parameters[Parameter.BOUND] or registers[R.FINISHED]:
            registers[R.PHASE] = FINISH
            return Status.DONE
        if registers[R.DIRTY]:
            look_around(p, t, s)
        if registers[R.ENABLED] == 0:
            registers[R.ITERATION] += 1
            fail(s, o, DEADLOCK, ABSENT)
            continue
        picked = (
            decided_stretch(p, t, s, o) if p.parameters[Parameter.METHOD] else _stretch(p, t, s, o)
        )
        if picked == AT_BOUND:  # or after one move, while somebody has paused
            continue
        registers[R.NEXT] = MAIN
        if picked == AT_NO_EDGE:
            registers[R.PHASE] = ADVANCE
            return Status.MISSING_EDGE
        status = Status.SETTLE if picked == AT_MORE else set_out(p, t, s, o, picked)
        if status == Status.SETTLE:
            status = settle(p, t, m, s, o)
        if status != Status.DONE or registers[R.PHASE] != MAIN:
            return status


@compiled
def run(p: Program, t: Automata, m: Monitors, s: State, o: Output) -> int:
    """Go on from where the registers say."""
    registers = s.registers
    contexts = p.level.size
    while True:
        phase = registers[R.PHASE]
        if registers[R.SCRIPTED] and (phase == MAIN or phase == COUNT):
            return Status.DONE
        if phase == MAIN:
            status = _main(p, t, m, s, o)
            if status != Status.DONE:
                return status
        elif phase == BEGIN:
            if registers[R.EXECUTION] >= registers[R.END]:
                return Status.DONE
            _reset(p, s)
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
            status = settle_apart(p, t, m, s, o)
            if status != Status.DONE:
                return status
        elif phase == PARENT:
            registers[R.CONTEXT] = registers[R.PARENT]
            registers[R.RESULT] = 1
            registers[R.NEXT] = MAIN
            registers[R.PHASE] = ADVANCE
        elif phase == FINISH:
            if registers[R.LIVE] == 0 and p.parameters[Parameter.EPILOGUE] != ABSENT:
                s.node[contexts] = p.parameters[Parameter.EPILOGUE]
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
            registers[R.RESULT] = perform_apart(p, t, s, o, contexts)
            registers[R.PHASE] = COUNT if registers[R.FINISHED] else ADVANCE
            registers[R.NEXT] = EPILOGUE
        else:
            if not _count(p, s, o):
                return Status.FULL
            registers[R.EXECUTION] += 1
            registers[R.PHASE] = BEGIN
