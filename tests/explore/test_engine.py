"""The engine runs the interpreter's executions: equal schedules, events, memory and violations."""

import pytest

import stackweave.core.explore.engine as engine_module
from stackweave.core import Interpreter, ModelError, Program, RandomWalk, choose
from stackweave.core.explore.engine import Engine
from stackweave.programs import BUILTIN, Parameters

from ..core.programs import cas_program, lost_update_program, mixed_program, remembering_program

EXECUTIONS = 25


def check_equal(make: Program, again: Program, seed: int, executions: int = EXECUTIONS) -> None:
    engine, interpreter, walk = Engine(make), Interpreter(again), RandomWalk(seed)
    broken = 0
    for execution in range(executions):
        outcome = interpreter.run(walk, execution)
        trace = engine.trace(seed, execution)
        assert trace.schedule == outcome.schedule
        assert trace.events == outcome.events
        assert trace.words == outcome.words
        assert trace.violations == tuple(
            (each.property, each.signature, each.context, each.step) for each in outcome.violations
        )
        broken += bool(outcome.violations)
    tally = engine.run(seed, 0, executions)
    assert sum(breach.executions for breach in tally.breaches) == broken
    engine.discard()


@pytest.mark.parametrize("name", BUILTIN)
def test_built_in_programs(name: str) -> None:
    make = BUILTIN[name]
    check_equal(make(Parameters()), make(Parameters()), seed=7)


@pytest.mark.parametrize("generation", ["per_work", "mutex_list_nmi", "bitmask_v12", "completed"])
def test_generations(generation: str) -> None:
    parameters = Parameters(generation=generation)
    make = BUILTIN["default"]
    check_equal(make(parameters), make(parameters), seed=3, executions=6)


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_seeds(seed: int) -> None:
    check_equal(cas_program(2, 3), cas_program(2, 3), seed)
    check_equal(lost_update_program(3), lost_update_program(3), seed)
    check_equal(mixed_program(), mixed_program(), seed)


def test_memory_is_bounded_by_beginning_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    make = BUILTIN["spurious-callback"]
    plain = Engine(make(Parameters()))
    expected = plain.run(1, 0, 400)
    monkeypatch.setattr(engine_module, "MOST_NODES", 150)
    bounded = Engine(make(Parameters()))
    assert bounded.run(1, 0, 400) == expected
    assert bounded.nodes < 250 < plain.nodes
    assert bounded.trace(1, 3) == plain.trace(1, 3)


def test_a_protocol_that_remembers_is_refused() -> None:
    engine = Engine(remembering_program())
    with pytest.raises(ModelError, match="a protocol changes"):
        engine.run(0, 0, 10)


def test_a_choice_that_is_a_point_is_no_operation_on_a_word() -> None:
    # its number of alternatives lies where operations have their address
    def program() -> Program:
        made = Program("many", choices_are_points=True)
        words = [made.layout.word(f"word{number}") for number in range(40)]

        async def thread() -> None:
            await words[0].fetch_add(await choose(30))

        for number in range(2):
            made.thread(f"thread{number}", thread)
        return made

    check_equal(program(), program(), seed=3)


def test_a_trace_may_be_longer_than_there_is_room_for_at_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_module, "_TRACE", 2)
    make = BUILTIN["default"]
    check_equal(make(Parameters()), make(Parameters()), seed=4, executions=3)
