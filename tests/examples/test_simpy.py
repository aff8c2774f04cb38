"""The SimPy host: simulated time is the operations', and what happens is what the interpreter says."""

from types import ModuleType

import pytest

from stackweave.actors import Emulator
from stackweave.core import Interpreter, Kind

from .support import load


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return load("embed_simpy", monkeypatch)


def test_the_same_seed_is_the_same_simulation(example: ModuleType) -> None:
    one, same, other = (example.simulate(seed) for seed in (4, 4, 5))
    assert one.interpreter.snapshot() == same.interpreter.snapshot()
    assert (one.busy, one.latencies) == (same.busy, same.latencies)
    assert one.interpreter.snapshot() != other.interpreter.snapshot()


def test_a_simulation_replays_without_simpy(example: ModuleType) -> None:
    machine = example.simulate(3)
    emulator = Emulator("simpy", cpus=example.CPUS, tasks=3, tracers=2)
    replay = Interpreter(emulator.program)
    replay.restore(machine.interpreter.snapshot())
    assert replay.events == machine.interpreter.events
    assert replay.violations == machine.interpreter.violations
    assert replay.finished


def test_every_operation_takes_its_time_on_the_cpu_where_it_is(example: ModuleType) -> None:
    machine = example.simulate(3)
    # a CPU has been busy for no longer than there was time, and the last operation's
    assert all(0 < busy <= machine.environment.now + 1000 for busy in machine.busy)
    operations = len(machine.interpreter.schedule)
    assert sum(machine.busy) >= operations / 2  # half of them at most are answers to a choose


def test_slower_operations_take_longer(
    example: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = example.simulate(0)
    monkeypatch.setitem(example.NANOSECONDS, Kind.LOAD, 10)
    after = example.simulate(0)
    assert max(after.latencies) > max(before.latencies)
    assert sum(after.busy) > sum(before.busy)


def test_cpus_work_at_the_same_time(example: ModuleType) -> None:
    machine = example.simulate(0)
    assert sum(machine.busy[: example.CPUS]) > machine.environment.now
