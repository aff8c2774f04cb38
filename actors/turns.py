"""Ending an actor's turn, after each operation: the back end lets others run.

The running back end's own way, which each actor finds once: anyio's would look at each call for the back end that
runs, which takes as long again. Actors are shielded, so none of these has to look for a cancellation.
"""

from collections.abc import Awaitable, Callable, Generator
from types import coroutine

import sniffio
from trio.lowlevel import cancel_shielded_checkpoint


def end_of_turn() -> Callable[[], Awaitable[None]]:
    """What an actor awaits when it has performed its operation."""
    if sniffio.current_async_library() == "trio":
        return cancel_shielded_checkpoint
    return _sleep


@coroutine
def _sleep() -> Generator[None, None, None]:
    """asyncio.sleep(0), without its coroutine: a task that yields None goes to the end of the queue."""
    yield
