"""Small random programs, every execution of which can be run."""

from collections import defaultdict
from collections.abc import Sequence
from random import Random

from stackweave.core import (
    FixedSchedule,
    Interpreter,
    Program,
    Violation,
    Word,
    check,
    choose,
    emit,
)
from stackweave.core.explore.trace import Trace, trace

from ..core.listing import executions

Plan = list[tuple[str, int, int]]
"""Of each operation: which, on which word, with what."""

REACHED = "reached"


async def _follow(words: Sequence[Word], plan: Plan) -> None:
    register = 0
    for kind, number, value in plan:
        word = words[number]
        if kind == "load":
            register = await word.load()
        elif kind == "store":
            await word.store(register + value)
        elif kind == "add":
            register = await word.fetch_add(value)
        elif kind == "xchg":
            register = await word.xchg(2 * register + value)
        elif await word.cmpxchg(register, value):
            await word.store(await choose(2))


def toy(
    seed: int, threads: int, operations: int, nmi: bool, target: tuple[int, ...] | None = None
) -> Program:
    """Threads that compute something on two words, and perhaps an NMI.

    With a target, an execution that leaves these two values fails at its end.
    """
    random = Random(seed)
    kinds = ("load", "store", "add", "xchg", "cmpxchg")
    plans = [
        [
            (random.choice(kinds), random.randrange(2), random.randrange(1, 4))
            for _ in range(operations)
        ]
        for _ in range(threads + nmi)
    ]
    program = Program("toy")
    words = [program.layout.word(f"word{number}") for number in range(2)]
    for number in range(threads):
        program.thread(f"thread{number}", _follow, words, plans[number])
    if nmi:
        cpu = program.cpu(0)

        async def on_nmi() -> None:
            async with cpu.nmi():
                await _follow(words, plans[-1][:2])

        program.nmi("nmi", on_nmi, cpu=0)

    async def end() -> None:
        values = tuple([await word.load() for word in words])
        await emit(values)
        await check(values != target, REACHED)

    program.finally_(end)
    return program


def is_reached(violations: Sequence[Violation]) -> bool:
    return any(each.signature == REACHED for each in violations)


def everything(
    seed: int, threads: int, operations: int, nmi: bool
) -> list[tuple[Program, list[Trace]]]:
    """Of each pair of values that can be left: the program that fails then, and every execution that fails."""
    by_values = defaultdict(list)
    for run in executions(toy(seed, threads, operations, nmi)):
        by_values[run.events[-1].event].append(run.schedule)
    found = []
    for values, schedules in by_values.items():
        assert isinstance(values, tuple)
        program = toy(seed, threads, operations, nmi, values)
        found.append((program, traces_of(program, schedules)))
    return found


def traces_of(program: Program, schedules: Sequence[Sequence[int]]) -> list[Trace]:
    interpreter = Interpreter(program)
    found = [trace(interpreter, FixedSchedule(each), is_reached, len(each)) for each in schedules]
    assert None not in found
    return [each for each in found if each is not None]
