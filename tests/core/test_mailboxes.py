"""Mailboxes: who waits for them, what they drop, what they hold from the start, the interrupts they raise."""

import pytest

from stackweave.core import (
    Interpreter,
    ModelError,
    Program,
    sleep_until,
)

from .running import drive, enabled, outcome_of


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
