"""Random walks over everything that the machine can do: what must hold after every step."""

from collections import Counter
from itertools import pairwise
from typing import Final

import pytest

from stackweave.core import (
    Context,
    Interpreter,
    Level,
    Program,
    RandomWalk,
    State,
    local_irq_restore,
    local_irq_save,
    schedule,
    set_cpus_allowed,
    sleep_until,
    smp_processor_id,
    wake_up_new_task,
)
from stackweave.core.machine import TRANSITIONS
from stackweave.core.processors import Processors

WALKS: Final = 300


def busy_program() -> Program:
    """Three tasks and one to be forked on two CPUs, with interrupts, irq_work and NMIs on both."""
    program = Program("busy", 2)
    cpus = [program.cpu(number) for number in range(2)]
    turn, count = program.layout.word("turn"), program.layout.word("count")
    lines = [program.layout.mailbox(f"line{cpu}", 1, str, ["message"]) for cpu in range(2)]

    async def wanders() -> None:
        await schedule()
        await set_cpus_allowed(0, 1)
        flags = await local_irq_save()
        await turn.fetch_or(1)
        await local_irq_restore(flags)
        assert await schedule() == 0
        assert await smp_processor_id() == 0
        await set_cpus_allowed(0, 3)

    async def sleeps() -> None:
        await sleep_until(turn.address, 1, 1)
        await count.fetch_add(1)
        await cpus[await smp_processor_id()].irq_work.store(1)
        await turn.load()

    async def forks() -> None:
        await wake_up_new_task(forked)
        await turn.fetch_or(1)
        await sleep_until(turn.address, 4, 4)

    async def child() -> None:
        await schedule()
        await turn.fetch_or(5)

    async def interrupt(cpu: int) -> None:
        for _ in range(2):
            async with cpus[cpu].interrupt():
                await turn.load()
                await turn.load()

    async def irq_work(cpu: int) -> None:
        async with cpus[cpu].irq_work_interrupt():
            await turn.load()

    async def nmi(cpu: int) -> None:
        for _ in range(2):
            async with cpus[cpu].nmi():
                await turn.load()

    async def called(cpu: int) -> None:
        async with cpus[cpu].interrupt(lines[cpu].ready):
            await lines[cpu].receive()

    async def struck(cpu: int) -> None:
        async with cpus[cpu].nmi(lines[cpu].ready):
            await turn.load()

    program.task("wanders", wanders, cpus=[0, 1])
    program.task("sleeps", sleeps, cpus=[0, 1])
    program.task("forks", forks, cpus=[1])
    forked = program.task("child", child, cpus=[0, 1], live=False)
    for cpu in range(2):
        program.interrupt(f"irq{cpu}", interrupt, cpu, cpu=cpu)
        program.interrupt(f"work{cpu}", irq_work, cpu, cpu=cpu)
        program.nmi(f"nmi{cpu}", nmi, cpu, cpu=cpu)
        program.interrupt(f"called{cpu}", called, cpu, cpu=cpu)
        program.nmi(f"struck{cpu}", struck, cpu, cpu=cpu)
    return program


def check_stacks(interpreter: Interpreter) -> None:
    stacks = interpreter._processors.stacks
    for stack in stacks:
        assert all(below.level < above.level for below, above in pairwise(stack))
    on_stacks = Counter(context.name for stack in stacks for context in stack)
    running = [context.name for context in interpreter.contexts if context.state is State.RUNNING]
    assert on_stacks == Counter(running)
    for cpu, stack in enumerate(stacks):
        task = stack[0].index + 1 if stack and stack[0].level is Level.TASK else 0
        assert interpreter.store.words[interpreter.program.cpu(cpu).current.address] == task
        assert all(context.cpu == cpu for context in stack)


class Walk:
    """Steps through one execution and compares each step with what was before."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        self.found: dict[str, int] = {}
        """The interrupt flag that each visitor found."""

    def irqs(self, cpu: int) -> int:
        return self.interpreter._processors.irqs_on[cpu]

    def step(self, context: Context) -> None:
        others = [(c, c.pending) for c in self.interpreter.contexts if c is not context]
        was, flags = context.state, [self.irqs(0), self.irqs(1)]
        if was is State.RUNNING:
            assert context.stack[-1] is context
        self.interpreter.step(context)
        check_stacks(self.interpreter)
        assert all(c.pending is pending for c, pending in others if c.name != "child")
        if context.level is Level.TASK:
            if was is not State.RUNNING:
                assert context.allowed >> context.cpu & 1
        elif was is State.AWAY:
            assert flags[context.cpu] == 1 or context.level is Level.NMI
            assert self.irqs(context.cpu) == 0
            self.found[context.name] = flags[context.cpu]
        elif context.state is not State.RUNNING:
            assert self.irqs(context.cpu) == self.found.pop(context.name)


def test_what_must_hold_after_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: Counter[str] = Counter()
    run = Processors.run

    def counted(self: Processors, name: str, context: Context, *operands: int) -> None:
        rows[name] += 1
        run(self, name, context, *operands)

    monkeypatch.setattr(Processors, "run", counted)
    interpreter = Interpreter(busy_program())
    strategy = RandomWalk(3)
    interrupted_off = 0
    for execution in range(WALKS):
        strategy.begin(execution, interpreter.contexts)
        interpreter.reset(strategy)
        walk = Walk(interpreter)
        while not interpreter.finished:
            walk.step(strategy.pick(interpreter.enabled()))
            interrupted_off += any(flag == 0 for flag in walk.found.values())
        assert interpreter.violations == []
    # every row of the table was walked, and NMIs came with interrupts off, too
    assert set(rows) == set(TRANSITIONS)
    assert interrupted_off > 100


def test_an_nmi_restores_interrupts_that_were_off() -> None:
    program = Program("nmi", 1)
    cpu = program.cpu(0)
    seen: list[int] = []

    async def task() -> None:
        await local_irq_save()
        for _ in range(3):
            seen.append(await local_irq_save())

    async def nmi() -> None:
        async with cpu.nmi():
            await cpu.irq_work.load()

    program.task("task", task, cpus=[0])
    program.nmi("nmi", nmi, cpu=0)
    interpreter = Interpreter(program)
    walk = RandomWalk(1)
    for execution in range(50):
        interpreter.run(walk, execution)
    assert set(seen) == {0}
