"""What ends an execution as a violation, and programs that are none."""

from collections.abc import Callable

import pytest

from stackweave.core import (
    Interpreter,
    ModelError,
    Program,
    RandomWalk,
    UsageError,
    Verdict,
    check,
    choose,
    fence,
    schedule,
    sleep_until,
)
from stackweave.core.context import Body

from .running import drive, outcome_of


def test_a_violation_is_one_even_at_the_bound() -> None:
    program = Program("bound", bound=10)
    word = program.layout.word("word")

    async def thread() -> None:
        await check(await word.load() == 1, "planted")

    async def spins() -> None:
        while True:
            await word.load()

    program.thread("spins", spins)
    assert outcome_of(program).verdict is Verdict.INCOMPLETE
    program = Program("bound", bound=10)
    word = program.layout.word("word")
    program.thread("thread", thread)
    assert outcome_of(program).verdict is Verdict.VIOLATION


async def checks_a_wrong_thing() -> None:
    await fence()
    await check(True, "right")
    await check(False, "wrong:really")


async def raises() -> None:
    await fence()
    raise KeyError("planted")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (checks_a_wrong_thing, ("check", "wrong:really", "thread: wrong:really does not hold")),
        (raises, ("crash", "crash:KeyError", "KeyError: 'planted'")),
    ],
)
def test_violations_of_a_protocol(body: Body, found: tuple[str, str, str]) -> None:
    program = Program("violation", 1)
    program.thread("thread", body)
    program.thread("other", raises)
    interpreter = Interpreter(program)
    drive(interpreter, "thread")
    violation = interpreter.violations[0]
    assert (violation.property, violation.signature, violation.explanation) == found
    assert (violation.context, violation.step) == ("thread", 1)
    # it stops the execution
    with pytest.raises(UsageError, match="other is not enabled"):
        drive(interpreter, "other")
    interpreter.discard()


def nested(program: Program) -> None:
    async def interrupt() -> None:
        async with program.cpu(0).interrupt():
            await schedule()

    program.interrupt("irq", interrupt, cpu=0)


def ends_inside(program: Program) -> None:
    async def interrupt() -> None:
        scope = program.cpu(0).interrupt()
        await scope.__aenter__()

    program.interrupt("irq", interrupt, cpu=0)


def enters_as_task(program: Program) -> None:
    async def task() -> None:
        async with program.cpu(0).interrupt():
            pass

    program.task("entering", task, cpus=[0])


def loads_before_it_enters(program: Program) -> None:
    async def interrupt() -> None:
        await program.cpu(0).current.load()

    program.interrupt("irq", interrupt, cpu=0)


def sleeps_in_an_nmi(program: Program) -> None:
    word = program.layout.word("word")

    async def nmi() -> None:
        async with program.cpu(0).nmi():
            await sleep_until(word.address, 1, 1)

    program.nmi("nmi", nmi, cpu=0)


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (nested, r"irq \(INTERRUPT, RUNNING\) cannot schedule"),
        (ends_inside, r"irq \(INTERRUPT, RUNNING\) cannot exit"),
        (enters_as_task, "entering cannot enter here"),
        (loads_before_it_enters, "irq is AWAY and awaits load"),
        (sleeps_in_an_nmi, r"nmi \(NMI, RUNNING\) cannot sleep"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_the_machine_does_not_know(declare: Callable[[Program], None], message: str) -> None:
    program = Program("wrong", 1)
    program.cpu(0)

    async def task() -> None:
        for _ in range(20):
            await fence()

    program.task("task", task, cpus=[0])
    declare(program)
    with pytest.raises(ModelError, match=message):
        run_often(program)


def run_often(program: Program) -> None:
    for execution in range(20):
        outcome = Interpreter(program).run(RandomWalk(1), execution)
        assert outcome.violations == ()


def test_declarations_that_cannot_be() -> None:
    program = Program("wrong", 1)
    program.task("task", raises, cpus=[0])
    with pytest.raises(ModelError, match="two contexts named task"):
        program.task("task", raises, cpus=[0])
    with pytest.raises(ModelError, match="no such CPU"):
        program.task("other", raises, cpus=[1])
    with pytest.raises(ModelError, match="no such CPU"):
        program.task("other", raises, cpus=[])
    with pytest.raises(ModelError, match="from 1 to 32768"):
        program.task("other", raises, cpus=[0], weight=0)
    with pytest.raises(ModelError, match="has no CPU 1"):
        program.cpu(1)


@pytest.mark.parametrize("n", [-1, 0, (1 << 15) + 1, 1 << 40])
def test_a_choice_among_none_or_too_many(n: int) -> None:
    program = Program("choice")

    async def thread() -> None:
        await choose(n)

    program.thread("thread", thread)
    with pytest.raises(ModelError, match=f"a choice among {n}"):
        Interpreter(program)
