"""Cancelled at random points a live run leaves no task, no lock held, no accepted message unread."""

import asyncio

import anyio
import pytest
import sniffio
import trio

from stackweave.actors import Emulator
from stackweave.core import Verdict
from stackweave.core.prng import stream, stream_seed

from .running import cancels, check_at_rest, soak

POINTS = 200

pytestmark = pytest.mark.anyio


def tasks_alive() -> int:
    if sniffio.current_async_library() == "trio":
        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks())


async def test_cancelled_at_random_points() -> None:
    draw = stream(stream_seed(2026, 0))
    emulator = Emulator("soak", tasks=2, tracers=2)
    alive = tasks_alive()
    held = 0
    for number in range(POINTS):
        point = draw(range(1, 1500))
        with anyio.CancelScope() as scope:
            live = soak(emulator, seed=number)
            live.watch = cancels(scope, point)
            await live.run()
        assert scope.cancelled_caught
        assert live.operations >= point
        assert live.interpreter.finished
        assert live.outcome.verdict is not Verdict.INCOMPLETE
        check_at_rest(live)
        assert tasks_alive() == alive
        held += live.operations > point + 1
    assert held == POINTS  # it was in the middle of something each time
