"""A plain trio program that hosts two emulators: each has its nursery, its users and its samples.

Nothing in an emulator or a run is global, so the two do not meet: trio may take turns between their actors as it
likes, and each has the events that its own decisions alone lead to. One is stopped; the other one is cancelled
with its nursery, and comes to rest before the nursery ends.
"""

import math
from collections.abc import Callable

import trio

from stackweave.actors import Emulator
from stackweave.actors.events import Delivered, RecordsLost
from stackweave.actors.listener import Listener
from stackweave.actors.live import Live
from stackweave.actors.soak import farewell
from stackweave.core import Interpreter
from stackweave.wire.messages import Nmi, SystemCall

CALLS = 30


class Hosted:
    """An emulator, a run of it that waits for what we send, and the samples that came of it."""

    def __init__(self, name: str, generation: str) -> None:
        self.emulator = Emulator(name, generation=generation, tasks=2, tracers=2)
        self.samples: list[Delivered] = []
        self.lost = 0
        self._events, self._incoming = trio.open_memory_channel[object](math.inf)
        self.live = Live(
            self.emulator.program,
            farewell=farewell(self.emulator),
            watch=Listener(self._events.send_nowait),
            hosted=True,
        )

    async def host(self, end: Callable[["Hosted", trio.CancelScope], None]) -> None:
        """Run it until its users have said everything, and end it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._run)
            nursery.start_soon(self._read)
            for number in range(CALLS):
                for task in self.emulator.tasks:
                    await self.live.send(task.inbox, SystemCall(number % 2))
                await self.live.send(self.emulator.cpus[0].nmis, Nmi(1))
            end(self, nursery.cancel_scope)

    async def _run(self) -> None:
        with self._events:
            await self.live.run()

    async def _read(self) -> None:
        with trio.CancelScope(shield=True):  # cancelled, we read what is still coming
            async for event in self._incoming:
                if isinstance(event, Delivered):
                    self.samples.append(event)
                elif isinstance(event, RecordsLost):
                    self.lost += event.count


def check(hosted: Hosted) -> None:
    """The run came to rest, and an interpreter comes to the same events alone."""
    replay = Interpreter(hosted.emulator.program)
    replay.restore(hosted.live.interpreter.snapshot())
    assert replay.events == list(hosted.live.outcome.events)
    assert hosted.live.undelivered == []
    stitched = sum(each.merged for each in hosted.samples)
    assert len(hosted.samples) + hosted.lost >= 2 * CALLS  # lost: a tracer's buffer was full
    print(f"{hosted.emulator.program.name}: {len(hosted.samples)} samples, {stitched} stitched")


async def main() -> None:
    """Two at once, and two ways to end."""
    one, two = Hosted("stopped", "upstream"), Hosted("cancelled", "mutex_list")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.host, lambda hosted, scope: hosted.live.stop())
        nursery.start_soon(two.host, lambda hosted, scope: scope.cancel())
    check(one)
    check(two)


if __name__ == "__main__":
    trio.run(main)
