"""Programs that fail in every way there is, for the tests of the face."""

from dataclasses import dataclass

from stackweave.core import (
    Cpu,
    Mailbox,
    Monitor,
    Pool,
    Program,
    Struct,
    Word,
    check,
    choose,
    emit,
    next_event,
    schedule,
    violate,
    wake_up_new_task,
)


@dataclass(frozen=True, slots=True)
class Counted:
    """A thread has counted."""

    thread: int
    to: int


class Item(Struct):
    """Of a pool."""

    value: Word


async def count(counter: Word, thread: int) -> None:
    """A load and a store: an update may be lost in between."""
    value = await counter.load() + 1
    await counter.store(value)
    await emit(Counted(thread, value))


async def counts(counter: Word, total: int) -> None:
    await check(await counter.load() == total, "lost-update")


async def each_value_once() -> None:
    seen = set()
    while True:
        event = await next_event()
        assert isinstance(event, Counted)
        if event.to in seen:
            violate("twice:value", f"two threads count to {event.to}")
        seen.add(event.to)


def lost_update() -> Program:
    """Fails in most executions, at its end."""
    program = Program("lost-update")
    counter = program.layout.word("counter")
    for number in range(2):
        program.thread(f"thread{number}", count, counter, number)
    program.finally_(counts, counter, 2)
    return program


def monitored() -> Program:
    """As `lost_update`, judged by a monitor."""
    program = Program("monitored")
    counter = program.layout.word("counter")
    for number in range(2):
        program.thread(f"thread{number}", count, counter, number)
    program.monitors.append(Monitor("twice", "all", each_value_once, lambda event: True))
    return program


def judged_twice() -> Program:
    """As both."""
    program = monitored()
    program.finally_(counts, program.layout.word("unused"), 2)
    return program


async def transfer(own: Word, other: Word) -> None:
    await own.acquire(0, 1)
    await other.acquire(0, 1)
    await other.store(0)
    await own.store(0)


def deadlock() -> Program:
    """Two locks, taken in both orders."""
    program = Program("deadlock")
    a, b = program.layout.word("a"), program.layout.word("b")
    program.thread("left", transfer, a, b)
    program.thread("right", transfer, b, a)
    return program


async def spin(word: Word) -> None:
    while True:
        await word.load()


def endless() -> Program:
    """Every execution is incomplete."""
    program = Program("endless", bound=50)
    word = program.layout.word("word")
    program.thread("left", spin, word)
    program.thread("right", spin, word)
    return program


async def crashing(word: Word) -> None:
    await word.load()
    raise KeyError("key")


def crash() -> Program:
    """A protocol that raises."""
    program = Program("crash")
    program.thread("only", crashing, program.layout.word("word"))
    return program


async def gambler(word: Word) -> None:
    first = await choose(3)
    await word.store(first)
    second = await choose(2)
    await check(first + second < 3, "unlucky")


def gamble() -> Program:
    """Fails by its choices alone, the first of which comes before any operation."""
    program = Program("gamble")
    program.thread("gambler", gambler, program.layout.word("word"))
    return program


async def user(shared: Word, items: Pool[Item], box: Mailbox[Counted], child: int) -> None:
    await wake_up_new_task(child)
    pointer = await items.alloc()
    await shared.store(pointer)
    await schedule()
    await box.send(Counted(0, 1))
    await shared.store(0)
    await items.free(pointer)


async def forked(box: Mailbox[Counted]) -> None:
    await box.receive()


async def on_nmi(cpu: Cpu, shared: Word, items: Pool[Item]) -> None:
    async with cpu.nmi():
        pointer = await shared.load()
        if pointer:
            await items.at(pointer).value.fetch_or(0x9)


def machine() -> Program:
    """Tasks, a fork, a mailbox, and NMIs that use an object while a task frees it."""
    program = Program("machine", 2)
    layout = program.layout
    shared, items = layout.word("shared"), layout.pool("item", Item, 1)
    box = layout.mailbox("box", 1, Counted)
    child = program.task("child", forked, box, cpus=[0, 1], live=False)
    program.task("parent", user, shared, items, box, child, cpus=[0, 1])
    for number in range(4):
        cpu = program.cpu(number % 2)
        program.nmi(f"nmi{number}.cpu{cpu.number}", on_nmi, cpu, shared, items, cpu=cpu.number)
    return program


def sized(tasks: int, cpus: int = 1) -> Program:
    """Takes two parameters, one of which it needs."""
    program = Program("sized", parameters={"tasks": tasks, "cpus": cpus})
    counter = program.layout.word("counter")
    for number in range(tasks):
        program.thread(f"thread{number}", count, counter, number)
    program.finally_(counts, counter, tasks)
    return program


def nothing() -> int:
    """Makes no program."""
    return 5


not_callable = 5


_KEPT: list[int] = []


def hidden() -> Program:
    """Keeps what outlives an execution."""
    program = Program("hidden")
    word = program.layout.word("word")

    async def protocol() -> None:
        _KEPT.append(await word.fetch_add(1))

    for number in range(2):
        program.thread(f"thread{number}", protocol)
    return program
