"""A plain asyncio program that hosts an emulator: users give orders, a device interrupts, a reader gets samples.

The run is a task of the host's like any other. Asked to stop, or cancelled, it ends where its actors read their
messages, and not before they have read what was accepted: no lock is left held, and no sample on the way.
Which actor moves next is asyncio's to say. It is recorded, so the interpreter can go through the same run again.
"""

import asyncio

from stackweave.actors import Emulator
from stackweave.actors.cpu import Cpu
from stackweave.actors.events import Delivered, RecordsLost, SessionEnd
from stackweave.actors.listener import Listener
from stackweave.actors.live import Live
from stackweave.actors.soak import farewell
from stackweave.actors.task import Task
from stackweave.core import Interpreter
from stackweave.wire.messages import Interrupt, Nmi, SystemCall

CALLS = 30


def host(name: str, events: "asyncio.Queue[object]") -> tuple[Emulator, Live]:
    """An emulator, and a run of it that waits for what we send and puts its events into a queue."""
    emulator = Emulator(name, tasks=2, tracers=2)
    watch = Listener(events.put_nowait)
    live = Live(emulator.program, farewell=farewell(emulator), watch=watch, hosted=True)
    return emulator, live


async def user(live: Live, task: Task) -> None:
    """Orders: system calls that hit either tracer."""
    for number in range(CALLS):
        await live.send(task.inbox, SystemCall(number % 2))


async def device(live: Live, cpu: Cpu) -> None:
    """Interrupts that ask for another task, and NMIs."""
    for _ in range(CALLS):
        await live.send(cpu.interrupts, Interrupt(0, resched=True))
        await live.send(cpu.nmis, Nmi(1))
        await asyncio.sleep(0)


async def read(events: "asyncio.Queue[object]", sessions: int) -> tuple[list[Delivered], int]:
    """The samples that tracers deliver until all sessions have ended, and how many records found no room."""
    samples = []
    lost = 0
    while sessions:
        event = await events.get()
        if isinstance(event, Delivered):
            samples.append(event)
        elif isinstance(event, RecordsLost):
            lost += event.count
        elif isinstance(event, SessionEnd):
            sessions -= 1
    return samples, lost


async def stopped() -> None:
    """A run that its host stops when the users have no more to say."""
    events: asyncio.Queue[object] = asyncio.Queue()
    emulator, live = host("stopped", events)
    async with asyncio.TaskGroup() as group:
        run = group.create_task(live.run())
        reader = group.create_task(read(events, len(emulator.tracers)))
        async with asyncio.TaskGroup() as senders:
            for task in emulator.tasks:
                senders.create_task(user(live, task))
            for cpu in emulator.cpus:
                senders.create_task(device(live, cpu))
        live.stop()
    samples, lost = reader.result()
    print(f"stopped: {len(samples)} samples, {sum(each.merged for each in samples)} stitched")
    assert len(samples) + lost >= 2 * CALLS
    assert live.undelivered == []

    replay = Interpreter(emulator.program)
    replay.restore(live.interpreter.snapshot())
    assert replay.events == list(run.result().events)
    print("replayed: the same events")


async def cancelled() -> None:
    """A run that is cancelled when it has just been given work."""
    events: asyncio.Queue[object] = asyncio.Queue()
    emulator, live = host("cancelled", events)
    run = asyncio.create_task(live.run())
    await events.get()  # it runs
    for task in emulator.tasks:
        await live.send(task.inbox, SystemCall(0))
    run.cancel()
    samples, _ = await read(events, len(emulator.tracers))
    try:
        await run
    except asyncio.CancelledError:
        print(f"cancelled: at rest, after {len(samples)} samples")
    assert run.cancelled()
    assert len(samples) == len(emulator.tasks)
    assert live.undelivered == []


async def main() -> None:
    """Both ways to end."""
    await stopped()
    await cancelled()


if __name__ == "__main__":
    asyncio.run(main())
