"""Programs that several tests run; their texts are fixed, since tests count what they do."""

from stackweave.core import (
    Program,
    Word,
    choose,
    emit,
    local_irq_restore,
    local_irq_save,
    schedule,
    sleep_until,
    smp_processor_id,
)


async def increments(word: Word, times: int) -> None:
    for _ in range(times):
        while True:
            old = await word.load()
            if await word.cmpxchg(old, old + 1) == old:
                break


def cas_program(threads: int, times: int) -> Program:
    """Threads that increment one word with compare and swap."""
    program = Program("cas", parameters={"threads": threads, "times": times})
    word = program.layout.word("word")
    for number in range(threads):
        program.thread(f"thread{number}", increments, word, times)
    return program


def lost_update_program(times: int) -> Program:
    """Two threads that increment one word with a load and a store, which loses updates."""
    program = Program("lost update", parameters={"times": times})
    word = program.layout.word("word")

    async def thread() -> None:
        for _ in range(times):
            await word.store(await word.load() + 1)

    program.thread("one", thread)
    program.thread("two", thread)
    return program


def mixed_program() -> Program:
    """A little of everything that a strategy decides: tasks, an interrupt, an NMI, choices, mailboxes, events."""
    program = Program("mixed", 2)
    cpu = program.cpu(0)
    word = program.layout.word("word")
    box = program.layout.mailbox("box", 2, str)

    async def sender() -> None:
        for number in range(3):
            flags = await local_irq_save()
            await box.send(f"message {number} from CPU {await smp_processor_id()}")
            await local_irq_restore(flags)
            await schedule()
        await sleep_until(word.address, 1, 1)

    async def receiver() -> None:
        for _ in range(3):
            message = await box.receive()
            await emit(message)
            await word.fetch_or(await choose(2) << 1 | 1)

    async def interrupt() -> None:
        async with cpu.interrupt():
            await word.fetch_add(4)

    async def nmi() -> None:
        for _ in range(2):
            async with cpu.nmi():
                await emit(("NMI over", await cpu.current.load()))

    program.task("sender", sender, cpus=[0, 1], weight=2)
    program.task("receiver", receiver, cpus=[0, 1])
    program.interrupt("interrupt", interrupt, cpu=0)
    program.nmi("nmi", nmi, cpu=0)
    return program


def straight(threads: int, operations: int) -> Program:
    """Threads that do nothing but load."""
    program = Program("straight")
    word = program.layout.word("word")

    async def thread() -> None:
        for _ in range(operations):
            await word.load()

    for number in range(threads):
        program.thread(f"thread{number}", thread)
    return program


def with_nmi(threads: int) -> Program:
    """Threads of three loads, and an NMI on the first one's CPU."""
    program = straight(threads, 3)
    cpu = program.cpu(0)

    async def nmi() -> None:
        async with cpu.nmi():
            await cpu.current.load()

    program.nmi("nmi", nmi, cpu=0)
    return program


def remembering_program() -> Program:
    """A protocol that is no function of what it is told: it keeps a list that outlives it."""
    program = Program("remembers")
    word = program.layout.word("word")
    seen: list[int] = []

    async def remembers() -> None:
        seen.append(await word.load())

    program.thread("remembers", remembers)
    return program
