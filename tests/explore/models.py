"""Random small programs, twice: as protocols, and as plain Python that visits every state by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from stackweave.core import Program, Word, check, choose

WORDS: Final = 2
_KINDS: Final = ("load", "store", "add", "swap", "cmpxchg", "jump", "choose", "check", "wait")

_OVERWRITE: Final = ("load", "add", "swap")
"""What was in the accumulator is of no more use to them."""

Line = tuple[str, int, int]
"""(what, word or target, value)."""

Local = tuple[int, int]
"""(line, accumulator) of one thread."""

State = tuple[tuple[int, ...], tuple[Local | None, ...]]
"""Memory, and each thread; None for one that has ended."""


def random_code(random: Random, lines: int) -> tuple[Line, ...]:
    """Straight on, but for jumps forward."""
    code: list[Line] = []
    for number in range(lines):
        kind = random.choice(_KINDS)
        operand = (
            random.randrange(number + 1, lines + 1) if kind == "jump" else random.randrange(WORDS)
        )
        code.append((kind, operand, random.randrange(3)))
    return tuple(code)


def random_codes(seed: int) -> tuple[tuple[Line, ...], ...]:
    """Of two or three threads."""
    random = Random(seed)
    return tuple(random_code(random, random.randint(2, 5)) for _ in range(random.randint(2, 3)))


async def thread(words: list[Word], code: tuple[Line, ...]) -> None:
    """Run a code."""
    line = accumulator = 0
    while line < len(code):
        kind, operand, value = code[line]
        line += 1
        if kind == "jump":
            line = operand if accumulator == value else line
        elif kind == "check":
            await check(accumulator != 2 or value != 2, f"line-{line}")
        elif kind == "choose":
            accumulator = await choose(2)
        elif kind == "wait":
            await words[operand].wait(1, value & 1)
        elif kind == "load":
            accumulator = await words[operand].load()
        elif kind == "store":
            await words[operand].store(accumulator)
        elif kind == "add":
            accumulator = await words[operand].fetch_add(value)
        elif kind == "swap":
            accumulator = await words[operand].xchg(value)
        else:
            accumulator = await words[operand].cmpxchg(value, accumulator)


def program_of(codes: tuple[tuple[Line, ...], ...]) -> Program:
    """The codes as a program."""
    program = Program("random")
    words = [program.layout.word(f"word{number}") for number in range(WORDS)]
    for number, code in enumerate(codes):
        program.thread(f"thread{number}", thread, words, code)
    return program


@dataclass
class Visited:
    """All there is."""

    states: set[State]
    transitions: int
    signatures: set[str]
    finals: set[tuple[int, ...]]


class _Silent(Exception):
    """A check does not hold."""


def _settle(code: tuple[Line, ...], line: int, accumulator: int) -> Iterator[Local | str | None]:
    """Where a thread may come to from a line on, past what is no operation; a signature where it breaks."""
    while line < len(code):
        kind, operand, value = code[line]
        if kind == "jump":
            line = operand if accumulator == value else line + 1
        elif kind == "check":
            if accumulator == 2 and value == 2:
                yield f"line-{line + 1}"
                return
            line += 1
        elif kind == "choose":
            yield from _settle(code, line + 1, 0)
            yield from _settle(code, line + 1, 1)
            return
        else:
            yield line, 0 if kind in _OVERWRITE else accumulator
            return
    yield None


def _perform(memory: list[int], line: Line, accumulator: int) -> int | None:
    """The accumulator afterwards; None for one that has to wait."""
    kind, operand, value = line
    old = memory[operand]
    if kind == "wait":
        return accumulator if old & 1 == value & 1 else None
    if kind == "store":
        memory[operand] = accumulator
        return accumulator
    if kind == "add":
        memory[operand] = old + value
    elif kind == "swap" or (kind == "cmpxchg" and old == value):
        memory[operand] = value if kind == "swap" else accumulator
    return old


def visit(codes: tuple[tuple[Line, ...], ...]) -> Visited:
    """Every state, by a search that has nothing to do with the engine."""
    found = Visited(set(), 0, set(), set())
    starts: list[tuple[Local | None, ...]] = [()]
    for code in codes:
        longer: list[tuple[Local | None, ...]] = []
        for start in starts:
            for local in _settle(code, 0, 0):
                if isinstance(local, str):
                    found.signatures.add(local)
                else:
                    longer.append((*start, local))
        starts = longer
    waiting: list[State] = [((0,) * WORDS, start) for start in dict.fromkeys(starts)]
    found.states.update(waiting)
    while waiting:
        memory, locals_ = waiting.pop()
        moved = False
        if not any(locals_):
            found.finals.add(memory)
            continue
        for number, local in enumerate(locals_):
            if local is None:
                continue
            after = list(memory)
            accumulator = _perform(after, codes[number][local[0]], local[1])
            if accumulator is None:
                continue
            moved = True
            for target in _settle(codes[number], local[0] + 1, accumulator):
                found.transitions += 1
                if isinstance(target, str):
                    found.signatures.add(target)
                    continue
                state = tuple(after), (*locals_[:number], target, *locals_[number + 1 :])
                if state not in found.states:
                    found.states.add(state)
                    waiting.append(state)
        if not moved:
            found.signatures.add("deadlock")
    return found
