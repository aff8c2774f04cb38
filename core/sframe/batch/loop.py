"""`core.sframe.unwind` over arrays, for stacks without anything rare in them.

Same order of checks, same equations, same reasons to stop. WARNING: the two must agree, and tests compare them.
What the loop cannot decide it leaves aside: the caller gives such stacks to the unwinder in Python. Words are
signed here, and addresses are compared with their sign bit turned round.
"""

from typing import Final

from stackweave.core.sframe.batch.arrays import (
    ABSENT,
    NO_TABLE,
    REGISTERS,
    Frames,
    Kind,
    Machine,
    Process,
    Rule,
    Samples,
    Stop,
    Words,
)
from stackweave.core.sframe.batch.compiling import compiled, compiled_inline, compiled_part
from stackweave.core.sframe.rules import CFA

_SIGN: Final = -(1 << 63)
_WORD_SIZE: Final = 8
_BYTE: Final = 0xFF
"""Makes a signed word of an unsigned byte."""
_SEEN_SHIFT: Final = 12
_NO_MODULE: Final = int(Stop.NO_MODULE)
_NO_SFRAME: Final = int(Stop.NO_SFRAME)
_NO_ENTRY: Final = int(Stop.NO_ENTRY)
_UNSAFE: Final = int(Stop.UNSAFE_REGISTER)
_OUTSIDE: Final = int(Stop.OUTSIDE_STACK)
_ASIDE: Final = int(Stop.ASIDE)


@compiled_inline
def _is_below(one: int, other: int) -> bool:
    return one ^ _SIGN < other ^ _SIGN


@compiled_inline
def _last_at_most(sorted_words: Words, low: int, high: int, value: int) -> int:
    """The last place of low ... high - 1 whose word is not above `value`; low - 1 for none."""
    while low < high:
        middle = low + high >> 1
        if _is_below(value, sorted_words[middle]):
            high = middle
        else:
            low = middle + 1
    return low - 1


@compiled_part
def _mapping_at(p: Process, address: int) -> int:
    found = _last_at_most(p.lows, 0, p.lows.size, address)
    if found >= 0 and _is_below(address, p.highs[found]):
        return found
    return ABSENT


@compiled_part
def _module_at(p: Process, address: int) -> int:
    """Whose file may be read there."""
    mapping = _mapping_at(p, address)
    return p.modules[mapping] if mapping != ABSENT else ABSENT


@compiled_part
def _is_code(p: Process, address: int) -> bool:
    found = _last_at_most(p.code_lows, 0, p.code_lows.size, address)
    return found >= 0 and _is_below(address, p.code_highs[found])


@compiled_part
def _row_at(p: Process, module: int, address: int) -> int:
    """The row for a linked address, or `ABSENT`."""
    first = p.first_functions[module]
    function = _last_at_most(p.starts, first, p.first_functions[module + 1], address)
    if function < first or not _is_below(address, p.ends[function]):
        return ABSENT
    offset = address - p.starts[function]
    if p.repeats[function]:
        offset %= p.repeats[function]
    first_row = p.first_rows[function]
    row = _last_at_most(p.row_starts, first_row, p.end_rows[function], offset)
    return row if row >= first_row else ABSENT


@compiled_inline
def seen_at(p: Process, address: int) -> int:
    """Where an address is kept if it is: stacks come back to the same few over and over."""
    place: int = (address ^ address >> _SEEN_SHIFT) & p.seen_addresses.size - 1
    return place


@compiled_part
def _rule_at(p: Process, address: int) -> int:
    """The rule for an address; or why there is none, as -1 less its number."""
    place = seen_at(p, address)
    if p.seen_addresses[place] == address:
        seen: int = p.seen_rules[place]
        return seen
    mapping = _mapping_at(p, address)
    module = p.modules[mapping] if mapping != ABSENT else ABSENT
    if module == ABSENT:
        return -1 - _NO_MODULE
    if module == NO_TABLE:
        return -1 - _NO_SFRAME
    row = _row_at(p, module, address - p.biases[mapping])
    if row == ABSENT:
        return -1 - _NO_ENTRY
    rule: int = p.row_rules[row]
    if _is_code(p, address):
        p.seen_addresses[place] = address
        p.seen_rules[place] = rule
    return rule


@compiled_inline
def _read(p: Process, s: Samples, sample: int, address: int) -> tuple[int, bool]:
    """The word at an address; False outside the captured bytes."""
    offset = address - s.bases[sample]
    is_before = offset < 0 or _is_below(address, s.bases[sample])
    if is_before or offset > s.sizes[sample] - _WORD_SIZE:
        return 0, False
    at = s.starts[sample] + offset
    word = 0
    if p.machine[Machine.IS_BIG_ENDIAN]:
        for each in range(_WORD_SIZE):
            word = word << 8 | (s.stacks[at + each] & _BYTE)
    else:
        for each in range(_WORD_SIZE):
            word |= (s.stacks[at + each] & _BYTE) << 8 * each
    return word, True


@compiled_inline
def _value(
    p: Process,
    s: Samples,
    sample: int,
    is_top: bool,
    rule: int,
    column: int,
    cfa: int,
    sp: int,
    fp: int,
    has_fp: bool,
) -> tuple[int, int]:
    """A location's value, from its first column on; and why there is none, or `ABSENT`."""
    register, offset = p.rules[rule, column], p.rules[rule, column + 1]
    if register == CFA:
        base = cfa
    elif register == p.machine[Machine.SP]:
        base = sp
    elif register == p.machine[Machine.FP]:
        if not has_fp:
            return 0, _UNSAFE
        base = fp
    elif is_top and register >= REGISTERS:
        return 0, _ASIDE
    elif is_top and s.known[sample] >> register & 1:
        base = s.registers[sample, register]
    else:
        return 0, _UNSAFE
    if not p.rules[rule, column + 2]:
        return base + offset, ABSENT
    word, is_there = _read(p, s, sample, base + offset)
    if is_there:
        return word, ABSENT
    return 0, _ASIDE if _module_at(p, base + offset) != ABSENT else _OUTSIDE


@compiled_part
def _unwind_one(p: Process, s: Samples, o: Frames, sample: int, at: int) -> int:
    """One stack, its frames from `at` on; one more than the last."""
    pc, sp, fp, has_fp = s.pcs[sample], s.sps[sample], s.fps[sample], True
    lookup_pc = pc
    end = at + s.limits[sample]
    is_top = True
    while True:
        o.pcs[at], o.sps[at], o.fps[at], o.known[at] = pc, sp, fp, has_fp
        at += 1
        if at == end:
            o.stops[sample] = Stop.LIMIT
            return at
        rule = _rule_at(p, lookup_pc)
        if rule < 0:
            o.stops[sample] = -1 - rule
            return at
        kind = p.rules[rule, Rule.KIND]
        if kind != Kind.FRAME:
            o.stops[sample] = Stop.OUTERMOST if kind == Kind.OUTERMOST else Stop.ASIDE
            return at
        cfa, why = _value(p, s, sample, is_top, rule, Rule.CFA_REGISTER, 0, sp, fp, has_fp)
        if why != ABSENT:
            o.stops[sample] = why
            return at
        caller_sp = cfa + p.machine[Machine.CFA_TO_SP]
        ra, why = _value(p, s, sample, is_top, rule, Rule.RA_REGISTER, cfa, sp, fp, has_fp)
        if not _is_below(sp, caller_sp):
            unknown = not p.rules[rule, Rule.RA_DEREFERENCE] and why != ABSENT
            knows = p.machine[Machine.HAS_LINK_REGISTER] and is_top
            if unknown or _is_below(caller_sp, sp) or not knows:
                o.stops[sample] = why if unknown else Stop.NO_PROGRESS
                return at
        if why != ABSENT:
            o.stops[sample] = why
            return at
        pc = ra & p.rules[rule, Rule.RA_MASK]
        if p.rules[rule, Rule.HAS_FP]:
            fp, why = _value(p, s, sample, is_top, rule, Rule.FP_REGISTER, cfa, sp, fp, has_fp)
            if why == _ASIDE:
                o.stops[sample] = why
                return at
            has_fp = why == ABSENT
        machine = p.machine
        is_low = _is_below(pc, machine[Machine.LOWEST_CODE])
        is_high = _is_below(machine[Machine.LAST_CODE], pc)
        if is_low or is_high or pc & machine[Machine.CODE_ALIGNMENT] - 1:
            o.stops[sample] = Stop.BAD_RETURN_ADDRESS
            return at
        is_seen = p.seen_addresses[seen_at(p, pc - 1)] == pc - 1
        if not is_seen and not _is_code(p, pc - 1):
            o.stops[sample] = Stop.ASIDE if _is_code(p, pc) else Stop.BAD_RETURN_ADDRESS
            return at
        sp = caller_sp
        lookup_pc = pc - 1
        is_top = False


@compiled
def unwind(p: Process, s: Samples, o: Frames, first: int) -> int:
    """Unwind samples from the first one on, as far as there is room for; one more than the last."""
    at = 0
    for sample in range(first, s.pcs.size):
        if at + s.limits[sample] > o.pcs.size:
            return sample
        at = _unwind_one(p, s, o, sample, at)
        o.ends[sample] = at
    return s.pcs.size
