"""Shrinking: the same failure, never larger, a fixed point, and close to the smallest where that is known."""

from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackweave.core import (
    ModelError,
    Monitor,
    Program,
    UsageError,
    Violation,
    check,
    choose,
    emit,
    next_event,
    violate,
)
from stackweave.core.events import KernelEntry
from stackweave.core.explore.guided import BEFORE, Move
from stackweave.core.explore.passes import PASSES
from stackweave.core.explore.shrink import (
    Only,
    Pass,
    Shrinker,
    Shrunk,
    Version,
    find_integer,
    shrink,
)
from stackweave.core.explore.trace import Size

from ..core.programs import straight, with_nmi
from .toys import everything, is_reached

KINDS = ((2, 4, False), (3, 2, False), (2, 3, True))
"""(threads, operations of each, whether there is an NMI)."""


@given(st.integers(0, 10_000))
def test_find_integer(wanted: int) -> None:
    asked = []

    def holds(number: int) -> bool:
        asked.append(number)
        return number <= wanted

    assert find_integer(holds) == wanted
    assert len(asked) <= 2 * wanted.bit_length() + 1


# the smallest


def shrunk_toys(seeds: Iterable[int], passes: Sequence[Pass]) -> Counter[str]:
    """How what random failures of all toys shrink to compares with the smallest execution that fails alike."""
    counts: Counter[str] = Counter()
    for seed in seeds:
        for threads, operations, nmi in KINDS:
            for program, traces in everything(seed, threads, operations, nmi):
                start = Random(seed).choice(traces)
                result = shrink(Only(program), start.schedule, is_reached, passes)
                assert result.done
                # it must not become longer, so longer ones do not count
                others = [each for each in traces if each.size.steps <= start.size.steps]
                fewest = min(each.size.switches for each in others)
                least = min(each.order for each in others)
                assert least <= result.after.order <= start.order
                counts["exact"] += result.after.order == least
                counts["within one switch"] += result.after.size.switches <= fewest + 1
                counts["all"] += 1
    return counts


def test_within_one_switch_of_the_fewest() -> None:
    counts = shrunk_toys(range(8), PASSES)
    assert counts == {"all": 182, "within one switch": 182, "exact": 171}


def test_fewer_passes_do_not_come_as_near() -> None:
    counts = shrunk_toys(range(8), PASSES[:1])
    assert counts["within one switch"] < counts["all"]


@pytest.mark.parametrize("seed", range(4))
def test_a_fixed_point_and_the_same_on_every_run(seed: int) -> None:
    for threads, operations, nmi in KINDS:
        for program, traces in everything(seed, threads, operations, nmi):
            first = shrink(Only(program), traces[-1].schedule, is_reached, PASSES)
            again = shrink(Only(program), traces[-1].schedule, is_reached, PASSES)
            assert again == first
            assert (
                shrink(Only(program), first.after.schedule, is_reached, PASSES).after == first.after
            )


# what becomes smaller


def two_ways() -> Program:
    """Fails as "mine" after three operations, as "other" after one."""
    program = Program("two ways")
    word = program.layout.word("word")

    async def thread(signature: str, operations: int) -> None:
        for _ in range(operations):
            await word.load()
        await check(False, signature)

    program.thread("left", thread, "other", 1)
    program.thread("right", thread, "mine", 3)
    return program


class Planted:
    """Proposes one list of moves."""

    def __init__(self, *moves: Move) -> None:
        self.moves = [(BEFORE,), *moves]
        self.taken = False

    def run(self, shrinker: Shrinker) -> None:
        self.taken = shrinker.consider(self.moves) or self.taken


def shrink_mine(planted: Pass, *more: Pass, signatures: str = "mine") -> Shrunk:
    def shows(violations: Sequence[Violation]) -> bool:
        return any(each.signature in signatures for each in violations)

    return shrink(Only(two_ways()), (1, 1, 1), shows, (planted, *more))


def test_a_pass_that_loses_the_signature_gets_nowhere() -> None:
    planted = Planted((0,))
    result = shrink_mine(planted)
    assert (result.after.schedule, planted.taken) == ((1, 1, 1), False)
    # and would, if nobody looked at signatures
    result = shrink_mine(planted, signatures="mine or other")
    assert (result.after.schedule, planted.taken) == ((0,), True)


def test_a_pass_that_makes_it_larger_gets_nowhere() -> None:
    program = with_nmi(1)
    program.finally_(fails)
    planted = Planted((2,))
    larger = Planted((0,), (1,), (0,))
    result = shrink(Only(program), (0, 0, 0), is_failed, (planted, larger))
    assert not planted.taken
    assert not larger.taken
    assert result.after.schedule == (0, 0, 0)


async def fails() -> None:
    await check(False, "fails")


def is_failed(violations: Sequence[Violation]) -> bool:
    return bool(violations)


def test_an_interrupt_that_need_not_come_does_not() -> None:
    program = with_nmi(2)
    program.finally_(fails)
    schedule = (1, 0, 2, 2, 1, 2, 0, 0, 1)
    result = shrink(Only(program), schedule, is_failed, PASSES)
    assert result.after.schedule == (0, 0, 0, 1, 1, 1)
    assert result.before.size == Size(3, 0, 0, 5, 9)
    assert result.after.size == Size(2, 0, 0, 1, 6)


async def second_event() -> None:
    await next_event()
    await next_event()
    violate("second", "a second event")


def test_what_comes_after_the_violation_goes() -> None:
    program = Program("early")
    word = program.layout.word("word")

    async def thread() -> None:
        for number in range(4):
            await word.load()
            await emit(number)

    program.thread("thread", thread)
    program.monitors.append(Monitor("second", "all", second_event, lambda event: True))
    result = shrink(Only(program), (0, 0, 0, 0), is_failed, ())
    assert (result.before.schedule, result.after.schedule) == ((0, 0, 0, 0), (0, 0))


def test_fewer_kernel_entries_count_more_than_smaller_choices() -> None:
    program = Program("entries")
    word = program.layout.word("word")

    async def thread() -> None:
        if not await choose(2):
            await emit(KernelEntry(0, 0))
        await word.store(await choose(2))

    program.thread("thread", thread)
    program.finally_(fails)
    result = shrink(Only(program), (~1, ~1, 0), is_failed, PASSES)
    assert result.after.schedule == (~1, ~0, 0)


class Smaller:
    """So many idle threads beside one that fails."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.program = straight(size, 2)
        self.program.finally_(fails)

    def smaller(self) -> Iterable[Version]:
        return map(Smaller, range(1, self.size))


def test_a_smaller_program_where_that_will_do() -> None:
    result = shrink(Smaller(4), (3, 2, 1, 0, 3, 2, 1, 0), is_failed, PASSES)
    assert result.after.size == Size(1, 1, 0, 0, 2)
    assert result.version.size == 1


# budgets and faults


@pytest.mark.parametrize("budget", [1, 2, 5, 20])
def test_a_budget_is_kept(budget: int) -> None:
    program, traces = everything(0, 2, 4, False)[0]
    result = shrink(Only(program), traces[-1].schedule, is_reached, PASSES, budget)
    assert result.executions <= budget
    assert result.after.order <= result.before.order
    again = shrink(Only(program), result.after.schedule, is_reached, ())
    assert again.after == result.after


class Interrupting:
    def run(self, shrinker: Shrinker) -> None:
        raise KeyboardInterrupt


def test_ctrl_c_ends_it_with_what_there_is() -> None:
    result = shrink_mine(Planted((0,)), Interrupting(), signatures="mine or other")
    assert (result.after.schedule, result.done) == ((0,), False)


def test_a_schedule_that_shows_something_else_is_refused() -> None:
    with pytest.raises(UsageError, match="does not show"):
        shrink(Only(two_ways()), (0,), lambda found: found[0].signature == "mine", PASSES)


def test_a_program_that_does_not_do_the_same_again_is_refused() -> None:
    program = Program("hidden")
    word = program.layout.word("word")
    runs: list[int] = []

    async def thread() -> None:
        runs.append(1)
        early = len(runs) > 3 and len(runs) % 2 == 0
        for _ in range(1 if early else 3):
            await word.load()
        await check(False, "fails")

    program.thread("thread", thread)
    with pytest.raises(ModelError, match="a captured list"):
        shrink(Only(program), (0, 0, 0), is_failed, PASSES)
