"""Runs that wait for their host: what may still wake somebody is no deadlock."""

import anyio
import pytest
from anyio.lowlevel import checkpoint

from stackweave.actors.live import Live
from stackweave.core import Program, Verdict
from stackweave.wire.messages import Nmi

pytestmark = pytest.mark.anyio


def told_by_interrupt() -> Program:
    """A task that waits for a word which an interrupt writes when its mailbox holds a message."""
    program = Program("told", 1)
    word = program.layout.word("word")
    box = program.layout.mailbox("box", 1, Nmi)
    cpu = program.cpu(0)

    async def task() -> None:
        await word.wait(1, 1)

    async def interrupt() -> None:
        async with cpu.interrupt(box.ready):
            await box.receive()
            await word.store(1)

    program.task("task", task, cpus=[0])
    program.interrupt("irq", interrupt, cpu=0)
    return program


async def test_an_interrupt_that_may_come_is_waited_for() -> None:
    program = told_by_interrupt()
    live = Live(program, hosted=True)
    async with anyio.create_task_group() as group:
        group.start_soon(live.run)
        for _ in range(50):
            await checkpoint()
        await live.send(program.layout.mailboxes[0], Nmi(0))
    assert live.outcome.verdict is Verdict.CLEAN


async def test_nobody_waits_for_an_interrupt_that_cannot_come() -> None:
    live = Live(told_by_interrupt())
    outcome = await live.run()
    assert [violation.signature for violation in outcome.violations] == ["deadlock"]
