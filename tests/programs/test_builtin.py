"""Every built-in program, for every generation and in larger sizes: it builds, runs to its end, and repeats."""

from collections.abc import Iterable

import pytest

from stackweave.core import FixedSchedule, Interpreter, Outcome, RandomWalk, UsageError, Verdict
from stackweave.core.kernel.system import GENERATIONS
from stackweave.programs import BUILTIN, Parameters

from .support import SEED, build, outcomes

SIZES = Parameters(cpus=3, tasks=3, tracers=4, syscalls=3)

EVERY = [
    pytest.param(name, generation, id=f"{name}-{generation}")
    for name in BUILTIN
    for generation in GENERATIONS
]
KERNELS = [name for name in BUILTIN if name != "cas-increments"]
STRAIGHT = (
    "double-cancel",
    "high-bit-asks",
    "irq-on-event-asks",
    "exec-after-request",
    "cookie-repeats",
    "cancelled-work-asks",
    "callback-cancels",
    "first-cookie",
    "cookie-wraps",
    "no-entries",
    "exit-asks",
    "two-unwinds",
    "everybody-is-called",
    "exit-event-asks",
    "exit-window",
    "alternation",
    "sigreturn-after-request",
    "user-worker-asks",
    "perf-everybody",
)
"""Tasks of one CPU, and nothing to choose: these have one execution, or as many as tasks."""

ACTORS = ("default", "perf-backward")
"""Emulators: they have as many tasks as they are asked for, and a supervisor with a CPU of its own."""

SEVERAL = ("shared-work", "two-lists", "nmi-falls-back", "contended-mutex")
"""Defects that take more than one task."""


def test_the_names() -> None:
    assert "default" in BUILTIN
    assert all(build(name).name == name for name in BUILTIN)


@pytest.mark.parametrize(("name", "generation"), EVERY)
def test_it_runs_to_its_end(name: str, generation: str) -> None:
    for outcome in outcomes(build(name, generation), 20):
        assert outcome.verdict is not Verdict.INCOMPLETE
        properties = {each.property for each in outcome.violations}
        assert "crash" not in properties
        assert "deadlock" not in properties or name == "callback-cancels"
        assert outcome.operations > 5


@pytest.mark.parametrize(("name", "generation"), EVERY)
def test_it_repeats(name: str, generation: str) -> None:
    """Two programs built apart, on two interpreters, and one that has run something else before."""
    first = Interpreter(build(name, generation))
    second = Interpreter(build(name, generation))
    second.run(RandomWalk(SEED + 1), 99)
    for execution in range(5):
        outcome = first.run(RandomWalk(SEED), execution)
        assert outcome == second.run(RandomWalk(SEED), execution)


@pytest.mark.parametrize(("name", "generation"), EVERY)
def test_it_replays(name: str, generation: str) -> None:
    interpreter, replaying = (
        Interpreter(build(name, generation)),
        Interpreter(build(name, generation)),
    )
    for execution in range(5):
        outcome = interpreter.run(RandomWalk(SEED), execution)
        assert replaying.run(FixedSchedule(outcome.schedule)) == outcome


@pytest.mark.parametrize("name", BUILTIN)
def test_executions_and_seeds_differ(name: str) -> None:
    interpreter = Interpreter(build(name))
    schedules = {
        interpreter.run(RandomWalk(seed), execution).schedule
        for seed in (1, 2)
        for execution in range(10)
    }
    assert (len(schedules) > 3) is (name not in STRAIGHT)


@pytest.mark.parametrize("name", KERNELS)
def test_larger_sizes(name: str) -> None:
    program = BUILTIN[name](SIZES)
    tasks = sum(spec.name.startswith("task") for spec in program.contexts)
    assert program.cpus == 3 + (name in ACTORS)
    assert program.parameters["tracers"] == 4
    assert tasks == (3 if name in (*ACTORS, *SEVERAL) else 1)
    small = _operations(outcomes(build(name), 40))
    assert _operations(outcomes(program, 40)) > small


def _operations(some: Iterable[Outcome]) -> int:
    return sum(outcome.operations for outcome in some)


@pytest.mark.parametrize("name", KERNELS)
def test_what_cannot_be(name: str) -> None:
    for bad in (
        Parameters(generation="none"),
        Parameters(syscalls=0),
        Parameters(cpus=0),
        Parameters(tasks=0),
        Parameters(tracers=0),
    ):
        with pytest.raises(UsageError):
            BUILTIN[name](bad)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_generation_is_part_of_the_program(generation: str) -> None:
    assert build("default", generation).parameters["generation"] == generation
