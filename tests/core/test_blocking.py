"""What waits and for what: words, locks, pause, mailboxes; deadlocks, bounds, and programs that are none."""

from collections.abc import Callable

import pytest

from stackweave.core import (
    Interpreter,
    ModelError,
    Program,
    RandomWalk,
    UsageError,
    Verdict,
    Word,
    check,
    choose,
    emit,
    fence,
    pause,
    schedule,
    sleep_until,
    wake_up_new_task,
)
from stackweave.core.context import Body

from .running import drive, enabled, outcome_of, violation_of


def test_wait_is_enabled_while_its_condition_holds() -> None:
    program = Program("wait")
    word = program.layout.word("word")
    seen: list[int] = []

    async def waits() -> None:
        seen.append(await word.wait(0xF0, 0x20))

    async def stores() -> None:
        for value in (0x20, 0x31, 0x2F):
            await word.store(value)

    program.thread("waits", waits)
    program.thread("stores", stores)
    interpreter = Interpreter(program)
    assert enabled(interpreter) == ["stores"]
    drive(interpreter, "stores")
    assert enabled(interpreter) == ["waits", "stores"]
    drive(interpreter, "stores")
    assert enabled(interpreter) == ["stores"]
    drive(interpreter, "stores", "waits")
    assert seen == [0x2F]
    assert interpreter.finished


def test_acquire_waits_and_swaps_in_one_step() -> None:
    program = Program("lock")
    lock = program.layout.word("lock", -1)
    inside = program.layout.word("inside")

    async def worker() -> None:
        for _ in range(3):
            await lock.acquire(-1, 1)
            await check(await inside.fetch_add(1) == 0, "mutual-exclusion")
            await inside.fetch_add(-1)
            await lock.store(-1)

    program.thread("one", worker)
    program.thread("two", worker)
    interpreter = Interpreter(program)
    drive(interpreter, "one")
    assert enabled(interpreter) == ["one"]
    walk = RandomWalk(1)
    assert {interpreter.run(walk, i).verdict for i in range(100)} == {Verdict.CLEAN}


@pytest.mark.parametrize(
    ("value", "wanted"), [(-1, -1), ((1 << 64) - 1, -1), (1 << 63, -(1 << 63))]
)
def test_what_is_waited_for_is_taken_modulo_2_64(value: int, wanted: int) -> None:
    program = Program("negative")
    word = program.layout.word("word", value)

    async def thread() -> None:
        await word.wait(-1, wanted)
        await sleep_until(word.address, -1, wanted)
        await word.acquire(wanted, 0)

    program.thread("thread", thread)
    assert outcome_of(program).verdict is Verdict.CLEAN


def test_pause_is_enabled_again_when_another_context_has_moved() -> None:
    program = Program("pause")
    word = program.layout.word("word")

    async def spins() -> None:
        while not await word.load():
            await pause()

    async def stores() -> None:
        await word.load()
        await word.store(1)

    program.thread("spins", spins)
    program.thread("stores", stores)
    interpreter = Interpreter(program)
    drive(interpreter, "spins")
    assert enabled(interpreter) == ["stores"]
    drive(interpreter, "stores")
    assert enabled(interpreter) == ["spins", "stores"]
    drive(interpreter, "spins", "spins")
    assert enabled(interpreter) == ["stores"]


def test_a_context_that_pauses_alone_is_a_deadlock_and_two_go_on_to_the_bound() -> None:
    async def spins(word: Word) -> None:
        while not await word.load():
            await pause()

    alone = Program("alone", bound=50)
    alone.thread("one", spins, alone.layout.word("word"))
    assert violation_of(alone).signature == "deadlock"
    both = Program("both", bound=50)
    word = both.layout.word("word")
    both.thread("one", spins, word)
    both.thread("two", spins, word)
    outcome = outcome_of(both)
    assert (outcome.verdict, outcome.operations, outcome.violations) == (Verdict.INCOMPLETE, 50, ())


def test_a_deadlock_says_who_waits_where() -> None:
    program = Program("deadlock")
    locks = [program.layout.word(f"lock{i}") for i in range(2)]

    async def take_both(first: int) -> None:
        await locks[first].acquire(0, 1)
        await locks[1 - first].acquire(0, 1)

    async def worker(first: int) -> None:
        await take_both(first)
        await locks[0].store(0)
        await locks[1].store(0)

    for i in range(2):
        program.thread(f"worker{i}", worker, i)
    interpreter = Interpreter(program)
    walk = RandomWalk(1)
    outcomes = [interpreter.run(walk, i) for i in range(50)]
    assert {outcome.verdict for outcome in outcomes} == {Verdict.CLEAN, Verdict.VIOLATION}
    found = {violation for outcome in outcomes for violation in outcome.violations}
    assert {(v.property, v.signature, v.context, v.step) for v in found} == {
        ("deadlock", "deadlock", "", 2)
    }
    explanation = "worker0 at acquire in take_both; worker1 at acquire in take_both"
    assert {v.explanation for v in found} == {explanation}


def test_a_task_that_waits_for_a_cpu_is_no_deadlock_and_one_that_sleeps_for_ever_is() -> None:
    program = Program("sleep", 1)
    word = program.layout.word("word")

    async def sleeps() -> None:
        await sleep_until(word.address, 1, 1)

    async def works() -> None:
        await word.store(2)

    program.task("sleeps", sleeps, cpus=[0])
    program.task("works", works, cpus=[0])
    violation = violation_of(program)
    assert (violation.signature, violation.explanation) == (
        "deadlock",
        "sleeps at sleep in sleeps",
    )


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


def boxes(capacity: int) -> tuple[Interpreter, list[str], list[int]]:
    program = Program("mailbox")
    box = program.layout.mailbox("box", capacity, str)
    received: list[str] = []
    taken: list[int] = []

    async def sender() -> None:
        for message in "abc":
            await box.send(message)

    async def trier() -> None:
        for message in "xyz":
            taken.append(await box.try_send(message))

    async def receiver() -> None:
        for _ in range(3):
            received.append(await box.receive())

    program.thread("sender", sender)
    program.thread("trier", trier)
    program.thread("receiver", receiver)
    return Interpreter(program), received, taken


def test_a_full_mailbox_blocks_send_and_an_empty_one_receive() -> None:
    interpreter, received, _ = boxes(2)
    assert enabled(interpreter) == ["sender", "trier"]
    drive(interpreter, "sender", "sender")
    assert enabled(interpreter) == ["trier", "receiver"]
    drive(interpreter, "receiver")
    assert enabled(interpreter) == ["sender", "trier", "receiver"]
    drive(interpreter, "sender", "receiver", "receiver")
    assert received == ["a", "b", "c"]
    interpreter.discard()


def test_try_send_counts_what_it_had_to_drop() -> None:
    interpreter, received, taken = boxes(2)
    drive(interpreter, "trier", "sender", "trier", "trier", "receiver", "receiver")
    assert (taken, interpreter.store.dropped) == ([1, 0, 0], [2])
    assert received == ["x", "a"]
    interpreter.reset()
    assert interpreter.store.dropped == [0]
    interpreter.discard()


def test_a_mailbox_carries_objects_as_they_are() -> None:
    program = Program("objects")
    message = {"not": ["hashable"]}
    box: object = None
    mailbox = program.layout.mailbox("box", 1, dict)

    async def both() -> None:
        nonlocal box
        await mailbox.send(message)
        box = await mailbox.receive()

    program.thread("both", both)
    outcome_of(program)
    assert box is message


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
    async def nmi() -> None:
        async with program.cpu(0).nmi():
            await sleep_until(20, 1, 1)

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


def test_a_thread_may_leave_its_cpu_and_comes_back_to_it() -> None:
    program = Program("thread")
    came: list[int] = []

    async def thread() -> None:
        came.append(await schedule())
        came.append(await schedule())

    program.thread("zero", thread)
    program.thread("one", thread)
    assert outcome_of(program).verdict is Verdict.CLEAN
    assert sorted(came) == [0, 0, 1, 1]


def test_what_comes_before_the_first_operation_belongs_to_the_spawning() -> None:
    program = Program("fork", 2)
    word = program.layout.word("word")

    async def child() -> None:
        await emit("child begins")
        await word.load()

    async def parent() -> None:
        await emit("parent begins")
        await word.load()
        assert await wake_up_new_task(slot) == 1
        await emit("forked")
        assert await wake_up_new_task(slot) == 0

    slot = program.task("child", child, cpus=[1], live=False)
    program.task("parent", parent, cpus=[0])
    events = [(event.step, event.event) for event in outcome_of(program).events]
    assert events == [(0, "parent begins"), (3, "child begins"), (3, "forked")]


def test_a_slot_that_nobody_forks_does_nothing() -> None:
    program = Program("no fork", 1)

    async def child() -> None:
        raise AssertionError

    program.task("child", child, cpus=[0], live=False)

    async def parent() -> None:
        await fence()

    program.task("parent", parent, cpus=[0])
    assert outcome_of(program).verdict is Verdict.CLEAN


def test_a_forked_task_may_outlive_its_parent() -> None:
    program = Program("orphan", 2)
    word = program.layout.word("word")

    async def child() -> None:
        for _ in range(5):
            await word.fetch_add(1)

    async def parent() -> None:
        await wake_up_new_task(slot)

    slot = program.task("child", child, cpus=[1], live=False)
    program.task("parent", parent, cpus=[0])
    assert {outcome_of(program, seed).words[word.address] for seed in range(20)} == {5}


@pytest.mark.parametrize("n", [-1, 0, (1 << 15) + 1, 1 << 40])
def test_a_choice_among_none_or_too_many(n: int) -> None:
    program = Program("choice")

    async def thread() -> None:
        await choose(n)

    program.thread("thread", thread)
    with pytest.raises(ModelError, match=f"a choice among {n}"):
        Interpreter(program)


def test_a_mailbox_says_whether_it_holds_a_message() -> None:
    program = Program("ready")
    box = program.layout.mailbox("box", 2, str, ["first"])
    seen: list[object] = []

    async def reader() -> None:
        for _ in range(2):
            seen.append(await box.ready.load())
            seen.append(await box.receive())
        seen.append(await box.ready.load())
        await sleep_until(box.ready.address, 1, 1)
        seen.append(await box.receive())

    program.thread("reader", reader)
    interpreter = Interpreter(program)
    interpreter.inject(box, "second")
    (reader_context,) = interpreter.enabled()
    while interpreter.enabled():
        interpreter.step(reader_context)
    assert seen == [1, "first", 1, "second", 0]
    interpreter.inject(box, "third")
    assert interpreter.enabled() == [reader_context]
    while not interpreter.finished:
        interpreter.step(reader_context)
    assert seen[5:] == ["third"]
    assert interpreter.store.words[box.ready.address] == 0


def test_an_interrupt_comes_while_its_mailbox_holds_a_message() -> None:
    program = Program("line", 1)
    cpu = program.cpu(0)
    box = program.layout.mailbox("line", 2, str, ["one"])
    seen: list[str] = []

    async def interrupt() -> None:
        while True:
            async with cpu.interrupt(box.ready):
                seen.append(await box.receive())

    async def task() -> None:
        await cpu.current.load()

    program.task("task", task, cpus=[0])
    number = program.interrupt("irq", interrupt, cpu=0)
    interpreter = Interpreter(program)
    irq = interpreter.contexts[number]
    for message in ("one", "two"):
        for _ in range(3):
            interpreter.step(irq)
        assert seen[-1] == message
        assert irq not in interpreter.enabled()
        interpreter.inject(box, "two")
    assert irq in interpreter.enabled()
    interpreter.discard()


def test_a_mailbox_has_room_for_what_is_in_it_from_the_start() -> None:
    with pytest.raises(ModelError, match="box has room for 1 messages, not 2"):
        Program("full").layout.mailbox("box", 1, str, ["a", "b"])
