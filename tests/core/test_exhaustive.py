"""Small programs, all their executions: exact numbers of interleavings, operations and final states."""

from collections import Counter
from itertools import combinations
from math import comb, factorial
from typing import Final

import pytest

from stackweave.core import Interpreter, Program, RandomWalk, Verdict, choose

from .listing import executions
from .programs import cas_program, lost_update_program, straight


@pytest.mark.parametrize(("threads", "operations"), [(1, 5), (2, 1), (2, 4), (3, 2), (4, 1)])
def test_as_many_interleavings_as_combinatorics_has(threads: int, operations: int) -> None:
    runs = list(executions(straight(threads, operations)))
    wanted = factorial(threads * operations) // factorial(operations) ** threads
    assert len(runs) == len({run.schedule for run in runs}) == wanted
    assert {run.operations for run in runs} == {threads * operations}


def test_all_executions_of_a_lost_update() -> None:
    # two threads, two increments each: the last store decides; the sum may be as low as 2
    runs = list(executions(lost_update_program(2)))
    assert len(runs) == comb(8, 4)
    assert Counter(run.words[-1] for run in runs) == LOST_UPDATES


def brute_force_lost_updates() -> Counter[int]:
    """The same program as plain Python: every order of four steps of each thread."""
    sums: Counter[int] = Counter()
    for first in combinations(range(8), 4):
        word, registers, done = 0, [0, 0], [0, 0]
        for step in range(8):
            thread = 0 if step in first else 1
            if done[thread] % 2 == 0:
                registers[thread] = word
            else:
                word = registers[thread] + 1
            done[thread] += 1
        sums[word] += 1
    return sums


LOST_UPDATES = brute_force_lost_updates()


def count_increments(word: int, threads: tuple[tuple[int, int | None], ...]) -> Counter[int]:
    """Executions by their number of operations: each thread has increments left and perhaps a loaded value."""
    counts: Counter[int] = Counter()
    for number, (left, loaded) in enumerate(threads):
        if left == 0:
            continue
        moved: tuple[int, int | None]
        if loaded is None:
            moved, after = (left, word), word
        elif loaded == word:
            moved, after = (left - 1, None), word + 1
        else:
            moved, after = (left, None), word
        rest = (*threads[:number], moved, *threads[number + 1 :])
        counts.update({n + 1: count for n, count in count_increments(after, rest).items()})
    return counts or Counter({0: 1})


@pytest.mark.parametrize(("threads", "times"), [(2, 1), (2, 2), (2, 3), (3, 1)])
def test_compare_and_swap_loses_nothing(threads: int, times: int) -> None:
    runs = list(executions(cas_program(threads, times)))
    assert {(run.verdict, run.words[-1]) for run in runs} == {(Verdict.CLEAN, threads * times)}
    wanted = count_increments(0, ((times, None),) * threads)
    assert Counter(run.operations for run in runs) == wanted
    if (threads, times) == (2, 2):
        assert wanted == {8: 6, 10: 48, 12: 100, 14: 72}


def test_choices_multiply() -> None:
    program = Program("choices")
    word = program.layout.word("word")

    async def thread() -> None:
        await word.fetch_add(await choose(3))
        await word.fetch_add(3 * await choose(2))

    program.thread("thread", thread)
    runs = list(executions(program))
    assert [run.words[-1] for run in runs] == [0, 3, 1, 4, 2, 5]


def test_an_nmi_lands_between_any_two_operations() -> None:
    program = straight(1, 3)
    cpu = program.cpu(0)

    async def nmi() -> None:
        async with cpu.nmi():
            await cpu.current.load()

    program.nmi("nmi", nmi, cpu=0)
    runs = list(executions(program))
    # before the first, the second or the third operation, or not at all; never split by the task
    assert sorted(run.schedule for run in runs) == [
        (0, 0, 0),
        (0, 0, 1, 1, 1, 0),
        (0, 1, 1, 1, 0, 0),
        (1, 1, 1, 0, 0, 0),
    ]


def test_two_tasks_share_a_cpu_in_two_orders() -> None:
    program = Program("one CPU", 1)
    word = program.layout.word("word")

    async def task() -> None:
        for _ in range(3):
            await word.load()

    program.task("a", task, cpus=[0])
    program.task("b", task, cpus=[0])
    # without a schedule() nobody is preempted
    assert sorted(run.schedule for run in executions(program)) == [
        (0, 0, 0, 0, 1, 1, 1, 1),
        (1, 1, 1, 1, 0, 0, 0, 0),
    ]


GOLDEN_OPERATIONS: Final = {
    0: [28, 26, 26, 32, 24, 30, 22, 24, 28, 28],
    1: [32, 22, 28, 26, 30, 28, 24, 22, 28, 26],
    12345: [28, 26, 26, 26, 26, 28, 28, 32, 34, 26],
}


@pytest.mark.parametrize("seed", GOLDEN_OPERATIONS)
def test_operations_of_five_increments_by_two_threads(seed: int) -> None:
    # the benchmark's program: whoever counts fewer does less work
    interpreter, walk = Interpreter(cas_program(2, 5)), RandomWalk(seed)
    runs = [interpreter.run(walk, execution) for execution in range(10)]
    assert [run.operations for run in runs] == GOLDEN_OPERATIONS[seed]
    assert {run.words[-1] for run in runs} == {10}


def test_operations_of_a_thousand_executions() -> None:
    interpreter, walk = Interpreter(cas_program(2, 5)), RandomWalk(0)
    assert sum(interpreter.run(walk, execution).operations for execution in range(1000)) == 26162
