"""Locals that can still be read where a frame is suspended: the others do not tell two states apart.

The usual analysis, backwards over a code's instructions to a fixed point: a local is live if some way on reads
it before it is set anew; the handler of an exception is a way on from every instruction that it covers, since
anything may be thrown in at an `await`. It errs towards live: a captured variable is always live, and all are in a
code with an instruction that touches locals in a way not listed here, or with a name through which Python code
reads them all.
"""

import dis
from types import CodeType
from typing import Final, NamedTuple

_READS: Final = frozenset(
    {"LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_AND_CLEAR", "LOAD_FAST_BORROW", "DELETE_FAST"}
)
_READS_TWO: Final = frozenset({"LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW"})
_SETS: Final = frozenset({"STORE_FAST"})
_SETS_TWO: Final = frozenset({"STORE_FAST_STORE_FAST"})
_SETS_AND_READS: Final = frozenset({"STORE_FAST_LOAD_FAST"})
_STOPS: Final = frozenset({"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE"})
"""After them the next instruction does not follow."""
_JUMPS: Final = frozenset(
    {"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "JUMP_ABSOLUTE"}
)
_INSPECTS: Final = frozenset(
    {"locals", "vars", "dir", "eval", "exec", "_getframe", "currentframe", "breakpoint"}
    | {"cr_frame", "gi_frame", "ag_frame", "tb_frame", "f_locals"}
)
"""Names that lead to another reader of locals."""

Places = frozenset[int]


class _Step(NamedTuple):
    """An instruction, as far as locals go."""

    reads: Places
    sets: Places
    follows: tuple[int, ...]
    """Offsets of the instructions that may come next."""
    handlers: tuple[int, ...]
    """Offsets of those that may come instead, before it has set anything."""


_known: Final[dict[int, tuple[CodeType, dict[int, Places] | None]]] = {}
"""By the code's address, which its code keeps from being given to another one."""


def live_places(code: CodeType, offset: int) -> Places | None:
    """The locals that may be read by a frame that is suspended at an instruction; None for all."""
    known = _known.get(id(code))
    if known is None:
        known = _known[id(code)] = (code, _analyse(code))
    return None if known[1] is None else known[1].get(offset)


def _analyse(code: CodeType) -> dict[int, Places] | None:
    """What is live before or after each instruction; None where it cannot be told."""
    if not _INSPECTS.isdisjoint(code.co_names):
        return None
    steps = _steps(code)
    if steps is None:
        return None
    before: dict[int, Places] = dict.fromkeys(steps, frozenset())
    changed = True
    while changed:
        changed = False
        for offset in reversed(steps):
            step = steps[offset]
            live = step.reads | (_at(step.follows, before) - step.sets)
            live |= _at(step.handlers, before)
            if live != before[offset]:
                before[offset] = live
                changed = True
    always = _always(code)
    return {at: before[at] | _at(step.follows, before) | always for at, step in steps.items()}


def _at(offsets: tuple[int, ...], before: dict[int, Places]) -> Places:
    return frozenset().union(*(before[at] for at in offsets))


def _always(code: CodeType) -> Places:
    """Captured variables, of this function's or an outer one's."""
    names = len(code.co_varnames)
    cells = (at for at, name in enumerate(code.co_varnames) if name in code.co_cellvars)
    others = len(code.co_freevars) + len(code.co_cellvars)
    return frozenset(cells) | frozenset(range(names, names + others))


def _steps(code: CodeType) -> dict[int, _Step] | None:
    instructions = list(dis.get_instructions(code))
    handlers = dis.Bytecode(code).exception_entries  # type: ignore[attr-defined]  # not in typeshed
    offsets = [each.offset for each in instructions]
    steps: dict[int, _Step] = {}
    for at, each in enumerate(instructions):
        touched = _touched(each)
        if touched is None:
            return None
        handled = [entry.target for entry in handlers if entry.start <= each.offset < entry.end]
        follows: list[int] = []
        if each.opname not in _STOPS and each.opname not in _JUMPS and at + 1 < len(offsets):
            follows.append(offsets[at + 1])
        if each.opcode in dis.hasjrel or each.opcode in dis.hasjabs:
            follows.append(each.argval)
        if not {*follows, *handled} <= set(offsets):
            return None
        steps[each.offset] = _Step(*touched, tuple(follows), tuple(handled))
    return steps


def _touched(instruction: dis.Instruction) -> tuple[Places, Places] | None:
    """The locals that an instruction reads and sets; None for one that is not known."""
    name, argument = instruction.opname, instruction.arg or 0
    nothing: Places = frozenset()
    if name in _READS:
        return frozenset({argument}), nothing
    if name in _SETS:
        return nothing, frozenset({argument})
    if name in _READS_TWO:
        return frozenset({argument >> 4, argument & 15}), nothing
    if name in _SETS_TWO:
        return nothing, frozenset({argument >> 4, argument & 15})
    if name in _SETS_AND_READS:
        first, second = argument >> 4, argument & 15
        return frozenset({second} - {first}), frozenset({first})
    return None if "FAST" in name or name == "LOAD_LOCALS" else (nothing, nothing)


def places_of_origins(code: CodeType, offset: int) -> Places:
    """Places on the evaluation stack that say where an exception was raised, which nothing but tracebacks show.

    A handler may ask for that number (`lasti`, Objects/exception_handling_notes.txt), and `async with` keeps it
    while it awaits `__aexit__`. In code that is warm one instruction may do the work of two, and it differs.
    """
    handlers = dis.Bytecode(code).exception_entries  # type: ignore[attr-defined]  # not in typeshed
    found = set()
    for entry in handlers:
        # the handler's own code is what its clean-up covers, which finds more on the stack than the handler did
        covering = (each for each in handlers if each.start <= entry.target < each.end)
        cleanup = next((each for each in covering if each.depth > entry.depth), None)
        if entry.lasti and cleanup is not None:
            its = [each.end for each in handlers if each.target == cleanup.target]
            if entry.target <= offset < max(its):
                found.add(entry.depth)
    return frozenset(found)
