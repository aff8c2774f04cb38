"""Every strategy compiled picks what the interpreter's picks, and finds what it is said to find."""

from collections.abc import Callable
from random import Random
from statistics import median
from typing import Final

import pytest

from stackweave.core import Interpreter, Program, Struct, Word, choose, pause
from stackweave.core.explore.engine import Engine
from stackweave.core.strategies import Tactic, strategy_of
from stackweave.programs import BUILTIN, Parameters
from stackweave.programs.peers import PEERS
from stackweave.programs.peers.workstealing import workstealing

from ..core.programs import cas_program, lost_update_program, mixed_program

STRATEGIES: Final = (
    "pct:1",
    "pct:3",
    "pct:20",
    "pos",
    "surw",
    "preemption-bound:0",
    "preemption-bound:4",
)
MAKERS: Final = BUILTIN | PEERS


def check_equal(make: Callable[[], Program], name: str, executions: int, seed: int = 7) -> None:
    tactic = Tactic.parse(name)
    engine, interpreter = Engine(make(), tactic), Interpreter(make())
    strategy = strategy_of(tactic, seed, make())
    for execution in range(executions):
        outcome = interpreter.run(strategy, execution)
        trace = engine.trace(seed, execution)
        assert trace.schedule == outcome.schedule
        assert trace.events == outcome.events
        assert trace.words == outcome.words
    engine.discard()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_built_in_programs(strategy: str) -> None:
    for make in MAKERS.values():
        check_equal(lambda make=make: make(Parameters()), strategy, 2)  # type: ignore[misc]  # the loop's


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seed", [0, 2**64 - 1])
def test_small_programs(strategy: str, seed: int) -> None:
    check_equal(lambda: cas_program(3, 3), strategy, 25, seed)
    check_equal(lambda: lost_update_program(3), strategy, 25, seed)
    check_equal(mixed_program, strategy, 25, seed)


class _Item(Struct):
    value: Word


def random_program(number: int) -> Program:
    """Threads with a few random operations of every kind that two can race in."""
    random = Random(number)
    program = Program("random")
    words = [program.layout.word(f"word{each}") for each in range(3)]
    lock = program.layout.word("lock")
    box = program.layout.mailbox("box", 2, int)
    pool = program.layout.pool("pool", _Item, 2)

    async def body(plan: tuple[tuple[int, int], ...]) -> None:
        for kind, at in plan:
            word = words[at]
            if kind == 0:
                await word.store(await word.load() + 1)
            elif kind == 1:
                await lock.acquire(0, 1)
                await word.xchg(at)
                await lock.store(0)
            elif kind == 2:
                await box.try_send(at)
            elif kind == 3:
                if await box.ready.load():
                    await box.try_send(await box.receive())
            elif kind == 4:
                item = await pool.alloc()
                if item:
                    await pool.at(item).value.store(await choose(3))
                    await pool.free(item)
            else:
                for _ in range(2):
                    if await word.load() % 2:
                        await word.fetch_add(1)
                        break
                    await word.fetch_or(2)

    for thread in range(random.randrange(2, 5)):
        plan = tuple(
            (random.randrange(6), random.randrange(3)) for _ in range(random.randrange(1, 7))
        )
        program.thread(f"thread{thread}", body, plan, weight=random.randrange(1, 4))
    return program


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_random_programs(strategy: str) -> None:
    for number in range(12):
        check_equal(lambda number=number: random_program(number), strategy, 6)  # type: ignore[misc]  # the loop's


def spinning_program() -> Program:
    """Who pauses is enabled by any move of another."""
    program = Program("spinning", bound=3000)
    flag, other = program.layout.word("flag"), program.layout.word("other")

    async def waits() -> None:
        while not await flag.load():
            await other.fetch_add(1)
            await pause()

    async def sets() -> None:
        while await other.load() < 3:
            await pause()
        await flag.store(1)

    program.thread("one", waits)
    program.thread("two", waits)
    program.thread("three", sets)
    return program


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_programs_that_spin(strategy: str) -> None:
    check_equal(spinning_program, strategy, 30)


def test_strategies_differ() -> None:
    """The twin of the tests above: what one picks is not what another picks."""
    shown = {
        name: tuple(
            Engine(mixed_program(), Tactic.parse(name)).trace(7, number).schedule
            for number in range(20)
        )
        for name in ("random-walk", *STRATEGIES)
    }
    assert len(set(shown.values())) == len(shown)


def firsts(program: str, strategy: str, cap: int) -> list[int]:
    """Of 20 seeds, how many executions it took to show the bug; one more than the cap if that was not enough."""
    engine = Engine(PEERS[program](Parameters()), Tactic.parse(strategy))
    found = []
    for seed in range(20):
        breaches = engine.run(seed, 0, cap).breaches
        found.append(min((each.first + 1 for each in breaches), default=cap + 1))
    return found


def test_surw_finds_what_a_random_walk_does_not() -> None:
    """The figures of the document, as a bound."""
    assert median(firsts("reorder_10", "surw", 100)) < 30
    assert median(firsts("reorder_100", "surw", 1000)) < 300
    assert median(firsts("reorder_10", "random-walk", 100)) > 30
    assert median(firsts("reorder_100", "random-walk", 1000)) > 300


@pytest.mark.parametrize("program", [name for name in PEERS if name != "safestack"])
def test_each_peer_shows_its_bug(program: str) -> None:
    engine = Engine(PEERS[program](Parameters()), Tactic.parse("surw"))
    tally = engine.run(0, 0, 3000)
    assert tally.breaches
    assert tally.incomplete == 0
    assert len({breach.signatures for breach in tally.breaches}) == 1


def test_the_stack_shares_a_place() -> None:
    """Rarely: one execution that does."""
    engine = Engine(PEERS["safestack"](Parameters()), Tactic.parse("pos"))
    (breach,) = engine.run(0, 57_800, 57_820).breaches
    assert (breach.signatures, breach.first) == (("shared-place",), 57_818)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_queue_is_right_if_the_owner_looks_last(strategy: str) -> None:
    assert (
        not Engine(workstealing(look_first=False), Tactic.parse(strategy)).run(0, 0, 5000).breaches
    )
