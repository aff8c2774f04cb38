"""How fast live actors exchange messages, beside a bare channel of the same library: messages a second.

One actor sends, one receives, through a mailbox of the channel's capacity. Per message the actors perform two
operations, each a turn of the event loop's, and the message travels as bytes; a bare channel passes the object on.
The bare channels are trio's own and anyio's on asyncio; asyncio's queue, which does not yield to the loop while
there is room, stands beside them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Final, Protocol

import anyio
import trio
from measure import Row, round_seconds

from stackweave.actors.carrier import Carrier
from stackweave.actors.live import Live
from stackweave.core import Mailbox, Program, Verdict
from stackweave.wire import codec_named
from stackweave.wire.messages import SystemCall

COUNT: Final = 5000
"""One measured unit: so many messages."""

CAPACITY: Final = 16

OPERATIONS: Final = 2 * COUNT
"""Of the measured unit."""

MESSAGE: Final = SystemCall(1)


class Sends(Protocol):
    """A channel's one end."""

    async def send(self, item: SystemCall) -> None: ...


class Receives(Protocol):
    """A channel's other end."""

    async def receive(self) -> SystemCall: ...


def run() -> list[Row]:
    """One row a back end and codec."""
    return [_measure(back_end, codec) for back_end in BARE for codec in ("msgpack", "msgspec")]


def _measure(back_end: str, codec: str) -> Row:
    live = _rounds(back_end, lambda: _actors(codec))
    bare = _rounds(back_end, BARE[back_end])
    queue = _rounds("asyncio", _queue)
    return {
        "back_end": back_end,
        "codec": codec,
        "messages_per_second": round(median(live)),
        "slowest_round": round(min(live)),
        "fastest_round": round(max(live)),
        "operations_per_second": round(median(live) * OPERATIONS / COUNT),
        "bare_channel": round(median(bare)),
        "ratio": round(median(live) / median(bare), 3),
        "asyncio_queue": round(median(queue)),
    }


def _rounds(back_end: str, unit: Callable[[], Awaitable[None]]) -> list[float]:
    """Messages a second in each round."""
    return [COUNT / each for each in round_seconds(lambda: anyio.run(unit, backend=back_end))]


# actors


def _pair() -> Program:
    program = Program("pair")
    box = program.layout.mailbox("box", CAPACITY, SystemCall)
    program.thread("sender", _sender, box)
    program.thread("receiver", _receiver, box)
    return program


async def _sender(box: Mailbox[SystemCall]) -> None:
    for _ in range(COUNT):
        await box.send(MESSAGE)


async def _receiver(box: Mailbox[SystemCall]) -> None:
    for _ in range(COUNT):
        await box.receive()


async def _actors(codec: str) -> None:
    live = Live(_pair(), carrier=Carrier(codec_named(codec)))
    outcome = await live.run()
    done = (outcome.verdict, outcome.operations, live.carrier.messages)
    if done != (Verdict.CLEAN, OPERATIONS, COUNT):
        raise SystemExit(f"{done}, not {OPERATIONS} operations: not the same work")


# bare channels


async def _trio_channel() -> None:
    sending, receiving = trio.open_memory_channel[SystemCall](CAPACITY)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_send, sending)
        nursery.start_soon(_receive, receiving)


async def _anyio_stream() -> None:
    sending, receiving = anyio.create_memory_object_stream[SystemCall](CAPACITY)
    with sending, receiving:
        async with anyio.create_task_group() as group:
            group.start_soon(_send, sending)
            group.start_soon(_receive, receiving)


async def _queue() -> None:
    queue: asyncio.Queue[SystemCall] = asyncio.Queue(CAPACITY)

    async def put() -> None:
        for _ in range(COUNT):
            await queue.put(MESSAGE)

    async def get() -> None:
        for _ in range(COUNT):
            await queue.get()

    async with asyncio.TaskGroup() as group:
        group.create_task(put())
        group.create_task(get())


async def _send(channel: Sends) -> None:
    for _ in range(COUNT):
        await channel.send(MESSAGE)


async def _receive(channel: Receives) -> None:
    for _ in range(COUNT):
        await channel.receive()


BARE: Final = {"trio": _trio_channel, "asyncio": _anyio_stream}
