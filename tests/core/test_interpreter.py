"""Hosts that drive an interpreter themselves, replays, and protocols that are dropped half-way."""

from collections.abc import Callable
from random import Random
from types import TracebackType
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackweave.core import (
    FixedSchedule,
    Interpreter,
    ModelError,
    Outcome,
    Program,
    RandomWalk,
    State,
    UsageError,
    Verdict,
    Word,
    check,
    choose,
    emit,
    local_irq_restore,
    local_irq_save,
    pause,
    schedule,
)
from stackweave.core.context import Protocol, discard, functions_of

from .programs import cas_program, mixed_program
from .running import by_name, drive, enabled

SEEDS: Final = st.integers(0, 2**64 - 1)


def finish_by_hand(interpreter: Interpreter, random: Random, steps: int = 10_000) -> None:
    """Let contexts move until the end, or for some steps."""
    for _ in range(steps):
        if interpreter.finished or not interpreter.enabled():
            return
        interpreter.step(random.choice(interpreter.enabled()))


def state_of(interpreter: Interpreter) -> tuple[object, ...]:
    """All that a host can see."""
    return (
        tuple(interpreter.schedule),
        tuple(interpreter.events),
        tuple(interpreter.violations),
        tuple(interpreter.store.words),
        [list(box) for box in interpreter.store.mailboxes],
        [(context.name, context.state, context.pending) for context in interpreter.contexts],
        enabled(interpreter),
    )


# random programs

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


@given(bodies=BODIES, points=st.booleans(), seed=SEEDS)
@settings(max_examples=150, deadline=None)
def test_a_schedule_replays_to_the_same_execution(
    bodies: list[list[tuple[int, int, int]]], points: bool, seed: int
) -> None:
    first = Interpreter(random_program(bodies, points)).run(RandomWalk(seed))
    again = Interpreter(random_program(bodies, points)).run(FixedSchedule(first.schedule))
    assert again == first


@given(bodies=BODIES, seed=SEEDS, cut=st.integers(0, 30))
@settings(max_examples=100, deadline=None)
def test_a_restored_execution_goes_on_as_the_first_did(
    bodies: list[list[tuple[int, int, int]]], seed: int, cut: int
) -> None:
    interpreter = Interpreter(random_program(bodies, points=False))
    finish_by_hand(interpreter, Random(seed), cut)
    at_cut, snapshot = state_of(interpreter), interpreter.snapshot()
    finish_by_hand(interpreter, Random(seed + 1), 60)
    at_end = state_of(interpreter)
    interpreter.restore(snapshot)
    assert state_of(interpreter) == at_cut
    finish_by_hand(interpreter, Random(seed + 1), 60)
    assert state_of(interpreter) == at_end
    interpreter.discard()


def test_every_execution_of_one_interpreter_is_a_fresh_one() -> None:
    interpreter = Interpreter(mixed_program())
    walk = RandomWalk(5)
    runs = [interpreter.run(walk, execution) for execution in range(20)]
    fresh = [Interpreter(mixed_program()).run(RandomWalk(5), execution) for execution in range(20)]
    assert runs == fresh
    assert len({run.schedule for run in runs}) > 10


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ([0, 0], "ends where a context is needed"),
        ([0, 7], "entry 2 is 7, enabled are thread0, thread1"),
        ([~0], "entry 1 is -1, enabled are"),
    ],
)
def test_a_schedule_that_does_not_fit(schedule: list[int], message: str) -> None:
    interpreter = Interpreter(cas_program(2, 1))
    with pytest.raises(UsageError, match=message):
        interpreter.run(FixedSchedule(schedule))
    interpreter.discard()


def chooser() -> Program:
    program = Program("chooser")
    word = program.layout.word("word")

    async def thread() -> None:
        await word.store(await choose(3))

    program.thread("thread", thread)
    return program


@pytest.mark.parametrize(
    ("entries", "message"), [([0], "no choice among 3"), ([~3], "no choice"), ([], "ends")]
)
def test_a_choice_that_does_not_fit(entries: list[int], message: str) -> None:
    interpreter = Interpreter(chooser())
    with pytest.raises(UsageError, match=message):
        interpreter.run(FixedSchedule(entries))
    interpreter.discard()


def test_choices_are_recorded_and_may_be_points() -> None:
    outcome = Interpreter(chooser()).run(FixedSchedule([~2, 0]))
    assert (outcome.schedule, outcome.operations, outcome.words[-1]) == ((~2, 0), 1, 2)
    program = Program("points", choices_are_points=True)
    word = program.layout.word("word")

    async def thread() -> None:
        await word.store(await choose(3))

    program.thread("thread", thread)
    outcome = Interpreter(program).run(FixedSchedule([0, ~2, 0]))
    assert (outcome.schedule, outcome.operations, outcome.words[-1]) == ((0, ~2, 0), 2, 2)


# hosts


def test_a_host_steps_through_an_execution() -> None:
    interpreter = Interpreter(cas_program(2, 1))
    one, two = interpreter.contexts
    assert interpreter.enabled() == [one, two]
    assert [interpreter.step(c) for c in (one, two, one)] == [0, 0, 0]
    assert one.state is State.DEAD
    assert interpreter.enabled() == [two]
    with pytest.raises(UsageError, match="thread0 is not enabled"):
        interpreter.step(one)
    # its word has changed: the compare fails, and it begins anew
    assert [interpreter.step(two) for _ in range(3)] == [1, 1, 1]
    assert interpreter.finished
    outcome = interpreter.finish()
    assert (outcome.verdict, outcome.operations, outcome.words[-1]) == (Verdict.CLEAN, 6, 2)


def test_a_host_injects_messages() -> None:
    program = Program("host")
    box = program.layout.mailbox("box", 1, str)
    received: list[str] = []

    async def thread() -> None:
        received.extend([await box.receive() for _ in range(2)])
        await emit(tuple(received))

    program.thread("thread", thread)
    interpreter = Interpreter(program)
    assert interpreter.enabled() == []
    assert interpreter.has_room(box)
    interpreter.inject(box, "one")
    assert not interpreter.has_room(box)
    with pytest.raises(UsageError, match="mailbox box is full"):
        interpreter.inject(box, "two")
    drive(interpreter, "thread")
    interpreter.inject(box, "two")
    before = interpreter.snapshot()
    drive(interpreter, "thread")
    assert interpreter.finished
    # a snapshot holds what was injected, in its place
    interpreter.restore(before)
    assert enabled(interpreter) == ["thread"]
    received.clear()
    interpreter.restore(before)
    drive(interpreter, "thread")
    assert interpreter.events[-1].event == ("one", "two")
    assert interpreter.snapshot().injected == ((0, 0, "one"), (1, 0, "two"))


def test_a_host_is_told_on_which_cpu_a_context_will_move() -> None:
    program = Program("cpus", 3)
    word = program.layout.word("word")
    last = program.cpu(2)

    async def task() -> None:
        await word.load()
        await schedule()

    async def interrupt() -> None:
        async with last.interrupt():
            await word.load()

    program.task("anywhere", task, cpus=[0, 1, 2])
    program.task("elsewhere", task, cpus=[1, 2])
    program.interrupt("irq", interrupt, cpu=2)
    interpreter = Interpreter(program)

    def said() -> dict[str, list[int]]:
        return {context.name: interpreter.cpus_of(context) for context in interpreter.enabled()}

    assert said() == {"anywhere": [0, 1, 2], "elsewhere": [1, 2], "irq": [2]}
    drive(interpreter, "anywhere")
    assert said() == {"anywhere": [0], "elsewhere": [1, 2], "irq": [2]}
    drive(interpreter, "irq")
    assert said() == {"anywhere": [0], "elsewhere": [1], "irq": [2]}
    drive(interpreter, "elsewhere")
    assert said() == {"anywhere": [0], "elsewhere": [1], "irq": [2]}
    drive(interpreter, "anywhere", "anywhere")
    assert said() == {"anywhere": [0], "elsewhere": [1], "irq": [2]}
    while enabled(interpreter):
        context = interpreter.enabled()[-1]
        cpus = interpreter.cpus_of(context)
        interpreter.step(context)
        assert context.cpu == cpus[0]  # nobody chooses: the first one
    assert interpreter.finished


def test_a_snapshot_of_the_end_and_of_the_start() -> None:
    interpreter = Interpreter(mixed_program())
    start = interpreter.snapshot()
    at_start = state_of(interpreter)
    finish_by_hand(interpreter, Random(1))
    end, at_end = interpreter.snapshot(), state_of(interpreter)
    interpreter.restore(start)
    assert state_of(interpreter) == at_start
    interpreter.restore(end)
    assert state_of(interpreter) == at_end
    assert interpreter.finished


def test_the_end_is_judged_by_a_protocol_of_its_own() -> None:
    def program(wanted: int) -> Program:
        made = cas_program(2, 2)
        word = Word(len(made.layout.initial) - 1, "word")

        async def end() -> None:
            await emit("end")
            await check(await word.load() == wanted, "sum")

        made.finally_(end)
        return made

    outcome = Interpreter(program(4)).run(RandomWalk(1))
    assert (outcome.verdict, outcome.events[-1].event) == (Verdict.CLEAN, "end")
    outcome = Interpreter(program(5)).run(RandomWalk(1))
    (violation,) = outcome.violations
    assert (violation.signature, violation.context, violation.step) == (
        "sum",
        "end",
        outcome.operations,
    )


@pytest.mark.parametrize(("failure", "signature"), [(KeyError("x"), "crash:KeyError"), (None, "")])
def test_a_crash_at_the_end(failure: Exception | None, signature: str) -> None:
    program = cas_program(1, 1)

    async def end() -> None:
        if failure is not None:
            raise failure

    program.finally_(end)
    outcome = Interpreter(program).run(RandomWalk(1))
    assert [violation.signature for violation in outcome.violations] == [signature] * bool(
        signature
    )


def test_the_end_may_not_wait() -> None:
    program = cas_program(1, 1)

    async def end() -> None:
        await pause()

    program.finally_(end)
    with pytest.raises(ModelError, match="the end awaits pause"):
        Interpreter(program).run(RandomWalk(1))


# protocols dropped half-way


class Scope:
    """Cleans up with operations."""

    def __init__(self, word: Word, log: list[str]) -> None:
        self.word = word
        self.log = log

    async def __aenter__(self) -> None:
        await self.word.store(1)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.log.append("cleanup begins")
        await self.word.store(0)
        self.log.append("cleanup ends")


def scoped(log: list[str]) -> Program:
    program = Program("scoped")
    word = program.layout.word("word")

    async def thread() -> None:
        try:
            async with Scope(word, log):
                await word.wait(2, 2)
        finally:
            log.append("finally")
            await word.load()
            log.append("finally ends")

    program.thread("thread", thread)
    return program


def test_a_dropped_protocol_performs_nothing_of_its_cleanup() -> None:
    log: list[str] = []
    interpreter = Interpreter(scoped(log))
    outcome = interpreter.run(RandomWalk(0))
    assert [violation.signature for violation in outcome.violations] == ["deadlock"]
    # each block ran up to its first operation, and none was performed; the first "finally" is of the
    # coroutine that stood at the start, in __aenter__, when the execution began anew
    assert log == ["finally", "cleanup begins", "finally"]
    assert (outcome.operations, outcome.words[-1]) == (1, 1)


def test_a_protocol_that_resists_is_named() -> None:
    resisting = True

    async def resists() -> None:
        while resisting:
            try:
                await pause()
            except BaseException:
                continue

    protocol = resists()
    protocol.send(None)
    with pytest.raises(ModelError, match=r"resists.* goes on after it was discarded"):
        discard(protocol)
    resisting = False
    protocol.close()


async def fails_to_clean_up() -> None:
    try:
        await pause()
    finally:
        raise OSError


async def holds_on_for_a_while() -> None:
    for _ in range(50):
        try:
            await pause()
        except BaseException:
            continue


@pytest.mark.parametrize("body", [fails_to_clean_up, holds_on_for_a_while, pause])
@pytest.mark.parametrize("started", [False, True])
def test_others_end(body: Callable[[], Protocol], started: bool) -> None:
    async def protocol() -> None:
        await body()

    suspended = protocol()
    if started:
        suspended.send(None)
    discard(suspended)
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        suspended.send(None)


def test_the_functions_that_a_protocol_stands_in() -> None:
    program = Program("functions")
    word = program.layout.word("word")

    async def inner() -> None:
        await word.load()
        await word.load()

    async def outer() -> None:
        await word.load()
        await inner()

    program.thread("thread", outer)
    interpreter = Interpreter(program)
    thread = by_name(interpreter, "thread").coroutine
    assert functions_of(thread) == ("outer",)
    drive(interpreter, "thread")
    assert functions_of(thread) == ("outer", "inner")
    drive(interpreter, "thread", "thread")
    assert interpreter.finished


def test_an_outcome_says_where_each_event_happened() -> None:
    program = Program("events")
    word = program.layout.word("word")

    async def thread(name: str) -> None:
        await emit(f"{name} begins")
        await word.load()
        await emit(f"{name} has loaded")

    program.thread("one", thread, "one")
    program.thread("two", thread, "two")
    outcome: Outcome = Interpreter(program).run(FixedSchedule([1, 0]))
    assert [(event.step, event.context, event.event) for event in outcome.events] == [
        (0, "one", "one begins"),
        (0, "two", "two begins"),
        (1, "two", "two has loaded"),
        (2, "one", "one has loaded"),
    ]
