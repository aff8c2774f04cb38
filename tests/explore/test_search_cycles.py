"""Fair cycles without progress are found, and only those."""

from dataclasses import dataclass

import pytest

from stackweave.core import ModelError, Program, UsageError, emit, pause, schedule
from stackweave.core.explore.search_cycles import fair_cycle


@dataclass(frozen=True, slots=True)
class Served:
    """Something has been done."""


def is_served(event: object) -> bool:
    return isinstance(event, Served)


def test_a_spin_that_another_context_ends_is_none() -> None:
    program = Program("spin")
    word = program.layout.word("word")

    async def waits() -> None:
        while not await word.load():
            pass

    async def stores() -> None:
        await word.store(1)

    program.thread("waits", waits)
    program.thread("stores", stores)
    assert fair_cycle(program) is None


def polite(*, retries: bool) -> Program:
    """Two that want a word each and give way to the other one, for ever if they retry."""
    program = Program("polite")
    mine = program.layout.word("a"), program.layout.word("b")

    async def thread(me: int) -> None:
        while True:
            await mine[me].store(1)
            if not await mine[1 - me].load():
                break
            if not retries:
                break
            await mine[me].store(0)
        await mine[me].store(0)

    for me in range(2):
        program.thread(f"thread{me}", thread, me)
    return program


def test_two_that_give_way_to_each_other_for_ever() -> None:
    assert fair_cycle(polite(retries=False)) is None
    lasso = fair_cycle(polite(retries=True))
    assert lasso is not None
    assert len(lasso.schedule) == lasso.stem + lasso.cycle
    assert set(lasso.schedule[lasso.stem :]) == {0, 1}


def test_waiting_for_each_other_with_a_pause_is_one_too() -> None:
    program = Program("mutual")
    words = program.layout.word("a"), program.layout.word("b")

    async def thread(me: int) -> None:
        while not await words[1 - me].load():
            await pause()
        await words[me].store(1)

    for me in range(2):
        program.thread(f"thread{me}", thread, me)
    lasso = fair_cycle(program)
    assert lasso is not None
    assert set(lasso.schedule[lasso.stem :]) == {0, 1}


def server(*, serves: bool) -> Program:
    program = Program("server", 1)

    async def task() -> None:
        while True:
            await schedule()
            if serves:
                await emit(Served())

    program.task("task", task, cpus=[0])
    return program


@pytest.mark.parametrize("serves", [True, False])
def test_a_cycle_with_progress_is_none(serves: bool) -> None:
    assert (fair_cycle(server(serves=serves), is_served) is None) == serves
    assert fair_cycle(server(serves=serves)) is not None


def test_nothing_is_said_of_a_part_of_the_states() -> None:
    with pytest.raises(UsageError, match="need all states"):
        fair_cycle(polite(retries=True), most=3)


def talker(events: int) -> Program:
    """Reports so many events in one move."""
    program = Program("talker")
    word = program.layout.word("word")

    async def talks() -> None:
        await word.store(1)
        for _ in range(events):
            await emit(Served())

    program.thread("talks", talks)
    return program


def test_a_move_may_not_report_without_end() -> None:
    assert fair_cycle(talker(100), is_served) is None
    with pytest.raises(ModelError, match="4,096 events"):
        fair_cycle(talker(5000), is_served)
