"""Executions that follow moves as far as they fit, and how large an execution is."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackweave.core import (
    FixedSchedule,
    Interpreter,
    Program,
    RandomWalk,
    Violation,
    choose,
    pause,
)
from stackweave.core.explore.guided import BEFORE, Guided, Move, moves_of, stretches
from stackweave.core.explore.sparing import Sparing
from stackweave.core.explore.trace import Size, trace

from ..core.listing import executions
from ..core.programs import mixed_program, with_nmi


def anything(violations: Sequence[Violation]) -> bool:
    return True


def schedule_of(program: Program, moves: Sequence[Move]) -> tuple[int, ...]:
    """What a guided execution does."""
    return Interpreter(program).run(Guided(moves)).schedule


def size_of(program: Program, schedule: Sequence[int]) -> Size:
    found = trace(Interpreter(program), FixedSchedule(schedule), anything, len(schedule))
    assert found is not None
    return found.size


@given(st.integers(0, 2**32))
def test_moves_that_fit_are_followed_to_the_letter(seed: int) -> None:
    program = mixed_program()
    found = Interpreter(program).run(RandomWalk(seed)).schedule
    assert schedule_of(program, moves_of(found)) == found


@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=3).map(tuple), max_size=40))
def test_whatever_does_not_fit_is_repaired(moves: list[Move]) -> None:
    program = mixed_program()
    found = schedule_of(program, [(BEFORE,), *moves])
    assert Interpreter(program).run(FixedSchedule(found)).schedule == found
    assert schedule_of(program, [(BEFORE,), *moves]) == found


def test_no_interrupt_comes_of_itself() -> None:
    assert schedule_of(with_nmi(2), [(BEFORE,)]) == (0, 0, 0, 1, 1, 1)


def test_one_that_has_begun_goes_on_and_then_whom_it_interrupted() -> None:
    moves: list[Move] = [(BEFORE,), (1,), (0,), (2,)]
    assert schedule_of(with_nmi(2), moves) == (1, 0, 2, 2, 2, 0, 0, 1, 1)


def test_entries_of_others_than_may_move_are_skipped() -> None:
    moves: list[Move] = [(BEFORE,), (2,), (0,), (9,), (2,), (1,)]  # the NMI stands on 0
    assert schedule_of(with_nmi(2), moves) == (2, 2, 1, 1, 1, 2, 0, 0, 0)


def test_who_pauses_lets_the_next_one_go_on() -> None:
    program = Program("spin")
    word = program.layout.word("word")

    async def spin() -> None:
        while not await word.load():
            await pause()

    async def release() -> None:
        await word.store(1)

    program.thread("spin", spin)
    program.thread("release", release)
    assert schedule_of(program, [(BEFORE,)]) == (0, 1, 0, 0)


def test_answers_that_are_none_are_0() -> None:
    program = Program("choices")
    word = program.layout.word("word")

    async def thread() -> None:
        await word.store(await choose(2))
        await word.store(await choose(3))

    program.thread("thread", thread)
    assert schedule_of(program, [(BEFORE, 1), (0, 2, 7)]) == (~1, 0, ~2, 0)
    assert schedule_of(program, [(BEFORE, 2), (0,)]) == (~0, 0, ~0, 0)


def test_stretches() -> None:
    assert stretches([(BEFORE,)]) == []
    assert stretches([(BEFORE,), (1,), (1, 5), (0,), (1,)]) == [(1, 3), (3, 4), (4, 5)]


@pytest.mark.parametrize(
    ("schedule", "switches"),
    [
        ((0, 0, 0, 1, 1, 1), 1),
        ((0, 1, 0, 1, 0, 1), 5),
        ((0, 2, 2, 2, 0, 0, 1, 1, 1), 2),  # to go on after an NMI is no switch …
        ((0, 2, 2, 2, 1, 0, 0, 1, 1), 4),  # … unless another one has moved in between
        ((0, 2, 1, 2, 2, 0, 0, 1, 1), 4),
        ((2, 2, 2, 0, 0, 0, 1, 1, 1), 1),
    ],
)
def test_switches(schedule: tuple[int, ...], switches: int) -> None:
    assert size_of(with_nmi(2), schedule).switches == switches


@pytest.mark.parametrize("switches", range(6))
def test_sparing_executions_are_all_those_with_so_few_switches(switches: int) -> None:
    program = with_nmi(2)
    wanted = {
        run.schedule
        for run in executions(program)
        if size_of(program, run.schedule).switches <= switches
    }
    interpreter = Interpreter(program)
    found: list[tuple[int, ...]] = []
    waiting: list[tuple[int, ...]] = [()]
    while waiting:
        strategy = Sparing(waiting.pop(), switches)
        found.append(interpreter.run(strategy).schedule)
        waiting += strategy.others
    few = [each for each in found if size_of(program, each).switches <= switches]
    assert len(few) == len(set(few))
    assert set(few) == wanted
