"""What each strategy promises: bounds, coverage, distributions, all with fixed seeds; and twins that break it."""

from collections import Counter
from collections.abc import Callable, Sequence
from math import comb, factorial, sqrt
from typing import Final

import pytest

from stackweave.core import (
    Context,
    Interpreter,
    Program,
    State,
    Strategy,
    UsageError,
    Word,
    check,
    pause,
)
from stackweave.core.prng import LARGEST
from stackweave.core.strategies import RANDOM_WALK, Tactic, strategy_of
from stackweave.core.strategies.footprint import Footprints
from stackweave.core.strategies.pilot import profile_of
from stackweave.core.strategies.pos import Pos

from .programs import cas_program, lost_update_program, mixed_program

SOME: Final = ("random-walk", "pct:1", "pct:3", "pos", "surw", "preemption-bound:2")


async def store(word: Word, times: int) -> None:
    for _ in range(times):
        await word.store(1)


def stores(threads: Sequence[int], *, shared: bool, private: int = 0) -> Program:
    """Threads that store to one word, or each to its own, so many times, after as many stores elsewhere."""
    program = Program("stores")
    word = program.layout.word("word")

    async def both(own: Word, times: int) -> None:
        for _ in range(times):
            await store(own, private)
            await word.store(1)

    for number, times in enumerate(threads):
        own = program.layout.word(f"own{number}")
        if shared:
            program.thread(f"thread{number}", both, own, times)
        else:
            program.thread(f"thread{number}", store, own, times)
    return program


def schedules(program: Program, strategy: Strategy, executions: int) -> Counter[tuple[int, ...]]:
    interpreter = Interpreter(program)
    return Counter(interpreter.run(strategy, number).schedule for number in range(executions))


def failures(program: Program, tactic: str, executions: int, seed: int = 1) -> int:
    interpreter = Interpreter(program)
    strategy = strategy_of(Tactic.parse(tactic), seed, program)
    return sum(bool(interpreter.run(strategy, number).violations) for number in range(executions))


def square(seen: Counter[tuple[int, ...]], cells: int) -> float:
    """How many standard deviations chi-square lies above its mean, all cells being equally likely."""
    expected = seen.total() / cells
    value = sum((count - expected) ** 2 / expected for count in seen.values())
    value += (cells - len(seen)) * expected
    return (value - (cells - 1)) / sqrt(2 * (cells - 1))


# names


@pytest.mark.parametrize("name", SOME)
def test_names(name: str) -> None:
    assert str(Tactic.parse(name)) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "no strategy is named ''"),
        ("PCT:3", "there are random-walk, pct:N, pos, surw, preemption-bound:N"),
        ("pos:2", "pos takes no number"),
        ("pct", "pct takes a number from 1 to 32768"),
        ("pct:0", "from 1 to 32768, not 0"),
        ("pct:-1", "pct takes a number"),
        ("pct:99999", "not 99999"),
        ("preemption-bound:" + "9" * 5000, "takes a number"),
        ("pct:²", "takes a number"),
    ],
)
def test_what_is_no_strategy(name: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        Tactic.parse(name)
    assert Tactic.parse(f"pct:{LARGEST}").bound == LARGEST


# all of them


@pytest.mark.parametrize("name", SOME)
def test_an_execution_is_a_function_of_its_number(name: str) -> None:
    tactic = Tactic.parse(name)
    for make in (mixed_program, lambda: cas_program(3, 2)):
        program = make()
        strategy = strategy_of(tactic, 5, program)
        interpreter = Interpreter(program)
        forwards = [interpreter.run(strategy, number) for number in range(8)]
        for number in reversed(range(8)):
            other = make()
            assert Interpreter(other).run(strategy_of(tactic, 5, other), number) == forwards[number]
        assert len({outcome.schedule for outcome in forwards}) > 1


@pytest.mark.parametrize("name", SOME)
def test_who_pauses_gives_way(name: str) -> None:
    """Two contexts wait in loops for a third, which waits for the first to have begun."""
    program = Program("loops", bound=2000)
    begun, done = program.layout.word("begun"), program.layout.word("done")

    async def waits(mine: bool) -> None:
        if mine:
            await begun.store(1)
        while not await done.load():
            await pause()

    async def ends() -> None:
        while not await begun.load():
            await pause()
        await done.store(1)

    program.thread("first", waits, True)
    program.thread("second", waits, False)
    program.thread("third", ends)
    interpreter, strategy = Interpreter(program), strategy_of(Tactic.parse(name), 0, program)
    assert all(interpreter.run(strategy, number).operations < 2000 for number in range(200))


# PCT


def alternating(turns: int) -> Program:
    """A bug that takes this order and no other: a store, a load that sees it, the next store, and so on."""
    program = Program("alternating")
    word = program.layout.word("word")

    async def stores_all() -> None:
        for number in range(turns):
            await word.store(number + 1)

    async def loads_all() -> None:
        seen = [await word.load() for _ in range(turns)]
        await check(seen != list(range(turns)), "alternated")

    program.thread("stores", stores_all)
    program.thread("loads", loads_all)
    return program


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_pct_keeps_its_guarantee(turns: int) -> None:
    """An order with 2 * turns - 1 switches, the last one to the only context that is left: a bug as deep."""
    program = alternating(turns)
    length = 2 * turns
    assert profile_of(program).length == length
    depth, executions = 2 * turns - 1, 4000
    shown = failures(program, f"pct:{depth}", executions)
    least = executions / (2 * length ** (depth - 1))
    assert shown >= least - 3 * sqrt(least)  # the bound is sharp here
    if depth > 1:
        assert failures(program, f"pct:{depth - 1}", executions) == 0


def test_pct_changes_priorities_at_its_points_only() -> None:
    """Threads that never wait: a context that could go on is left at a change point, or because it has ended."""
    program = stores([5, 5, 5], shared=True)
    for depth in (1, 2, 4):
        most = max(_preempted(program, f"pct:{depth}", number) for number in range(300))
        assert most == depth - 1
    assert max(_preempted(program, "random-walk", number) for number in range(300)) > 3


def test_pct_ranks_contexts_alike() -> None:
    seen = schedules(stores([1] * 4, shared=True), _of(stores([1] * 4, shared=True), "pct:1"), 4800)
    assert len(seen) == factorial(4)
    assert abs(square(seen, factorial(4))) < 5


def _of(program: Program, name: str, seed: int = 0) -> Strategy:
    return strategy_of(Tactic.parse(name), seed, program)


# POS


def test_pos_covers_all_orders() -> None:
    program = stores([2, 2, 2], shared=False)
    assert len(schedules(program, _of(program, "pos"), 4000)) == factorial(6) // 8


class _NeverRedrawn(Footprints):
    """Nothing races."""

    def location(self, context: Context) -> int:
        return 0


def test_pos_draws_anew_what_has_lost_a_race() -> None:
    """One store against four: it is last in 1 of 2**4 if they race, and in 1 of 5 if they do not."""
    executions = 4000

    def last(program: Program, strategy: Strategy) -> float:
        seen = schedules(program, strategy, executions)
        return seen[0, 0, 0, 0, 1] / executions

    racing, apart = stores([4, 1], shared=True), stores([4, 1], shared=False)
    assert abs(last(racing, _of(racing, "pos")) - 1 / 16) < 0.016
    assert abs(last(apart, _of(apart, "pos")) - 1 / 5) < 0.026
    assert abs(last(racing, Pos(0, _NeverRedrawn(racing))) - 1 / 5) < 0.026


# SURW


@pytest.mark.parametrize("times", [2, 3, 4])
def test_surw_is_uniform_and_a_random_walk_is_not(times: int) -> None:
    program = stores([times, times], shared=True)
    assert profile_of(program).counts == ((times, times),)
    cells = comb(2 * times, times)
    executions = 80 * cells
    assert abs(square(schedules(program, _of(program, "surw"), executions), cells)) < 5
    assert square(schedules(program, _of(program, "random-walk"), executions), cells) > 20


def test_surw_is_uniform_over_what_is_interesting() -> None:
    """Among four threads' stores to words of their own, too."""
    program = stores([1, 2, 1, 1], shared=True, private=3)
    profile = profile_of(program)
    assert profile.shared == (16,)
    assert profile.counts == ((1, 2, 1, 1),)
    cells = factorial(5) // 2
    surw = _interesting_orders(program, "surw", 60 * cells)
    assert len(surw) == cells
    assert abs(square(surw, cells)) < 5
    assert square(_interesting_orders(program, "random-walk", 60 * cells), cells) > 20


def _interesting_orders(program: Program, name: str, executions: int) -> Counter[tuple[int, ...]]:
    """The orders in which threads come to the shared word: every fourth move of each."""
    orders: Counter[tuple[int, ...]] = Counter()
    for schedule, count in schedules(program, _of(program, name), executions).items():
        moves: Counter[int] = Counter()
        order = []
        for context in schedule:
            moves[context] += 1
            if moves[context] % 4 == 0:
                order.append(context)
        orders[tuple(order)] += count
    return orders


# preemption bound


def _preempted(program: Program, name: str, execution: int) -> int:
    """How often a context was left that could go on."""
    interpreter, strategy = Interpreter(program), _of(program, name)
    strategy.begin(execution, interpreter.contexts)
    interpreter.reset(strategy)
    count = 0
    last: Context | None = None
    while not interpreter.finished:
        enabled = interpreter.enabled()
        context = strategy.pick(enabled)
        could_go_on = last in enabled and last is not None and last.state is State.RUNNING
        count += could_go_on and context is not last
        interpreter.step(context)
        last = context
    interpreter.discard()
    return count


PROGRAMS: Final[list[Callable[[], Program]]] = [
    mixed_program,
    lambda: cas_program(3, 3),
    lambda: lost_update_program(3),
]


@pytest.mark.parametrize("bound", [0, 1, 3])
@pytest.mark.parametrize("make", PROGRAMS)
def test_the_preemption_bound_holds(make: Callable[[], Program], bound: int) -> None:
    program = make()
    counts = [_preempted(program, f"preemption-bound:{bound}", number) for number in range(150)]
    assert max(counts) == bound
    assert max(_preempted(program, "random-walk", number) for number in range(150)) > 3


def test_preemptions_are_what_it_takes() -> None:
    program = lost_update_program(1)
    program.finally_(_both_counted, program)
    assert failures(program, "preemption-bound:0", 500) == 0
    assert failures(program, "preemption-bound:1", 500) > 50


async def _both_counted(program: Program) -> None:
    await check(await Word(16, "word").load() == 2, "lost-update")


def test_the_default_is_the_random_walk() -> None:
    program = mixed_program()
    assert Tactic.parse("random-walk") == RANDOM_WALK
    assert type(strategy_of(RANDOM_WALK, 0, program)).__name__ == "RandomWalk"
