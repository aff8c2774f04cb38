"""Random programs, for hypothesis: tasks that do a little of everything on two CPUs, and an NMI."""

from collections.abc import Callable
from typing import Final

from hypothesis import strategies as st

from stackweave.core import (
    Program,
    Word,
    check,
    choose,
    emit,
    local_irq_restore,
    local_irq_save,
    pause,
    schedule,
)

ACTIONS: Final = st.tuples(st.integers(0, 11), st.integers(0, 2), st.integers(0, 3))


BODIES: Final = st.lists(st.lists(ACTIONS, max_size=6), min_size=1, max_size=3)


async def act(program: Program, words: list[Word], action: tuple[int, int, int]) -> None:
    kind, target, value = action
    word = words[target]
    operations: list[Callable[[], object]] = [
        lambda: word.load(),
        lambda: word.store(value),
        lambda: word.fetch_add(value),
        lambda: word.cmpxchg(value, value + 1),
        lambda: word.wait(1, value & 1),
        lambda: word.acquire(value, 0),
        lambda: choose(value + 1),
        lambda: emit(("event", value)),
        lambda: schedule(),
        lambda: local_irq_save(),
        lambda: local_irq_restore(value & 1),
        lambda: pause(),
    ]
    result = await operations[kind]()  # type: ignore[misc]  # all are awaitable
    await emit((action, result))
    await check(result != 7, f"seven in word {target}")


def random_program(bodies: list[list[tuple[int, int, int]]], points: bool) -> Program:
    program = Program("random", 2, bound=60, choices_are_points=points)
    words = [program.layout.word(f"word{i}", i) for i in range(3)]
    cpu = program.cpu(0)

    async def task(actions: list[tuple[int, int, int]]) -> None:
        for action in actions:
            await act(program, words, action)

    async def nmi() -> None:
        async with cpu.nmi():
            await words[0].fetch_add(1)
            await words[1].fetch_or(2)

    for number, actions in enumerate(bodies):
        program.task(f"task{number}", task, [(0, 0, 0), *actions], cpus=[0, 1])
    program.nmi("nmi", nmi, cpu=0)
    return program
