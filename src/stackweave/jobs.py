"""A campaign's executions in several processes: each takes the next range of a seed until there are no more.

What a range comes to does not depend on who ran it, and sums do not depend on their order, so the result is that
of one process. A range grows until it takes about a second.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from time import monotonic
from typing import Final

import anyio
import anyio.to_process

from stackweave.core.explore.tally import Tally
from stackweave.core.strategies import Tactic

from .drivers import DRIVERS, Driver
from .programs import Parameters
from .registry import load

_FIRST: Final = 256
_LONG: Final = 1.0
"""Seconds that a range should take."""


class Jobs:
    """Runs ranges of executions in `jobs` processes."""

    def __init__(
        self,
        program: str,
        parameters: Parameters,
        tactic: Tactic,
        driver: str,
        covering: bool,
        jobs: int,
    ) -> None:
        self._task = (program, parameters, tactic, driver, covering)
        self._jobs = jobs

    def run(
        self,
        seed: int,
        executions: int,
        count: Callable[[Tally], None],
        is_enough: Callable[[], bool],
    ) -> None:
        """All executions from 0 on, or those of the ranges that had begun when it was enough."""
        try:
            anyio.run(self._run, seed, executions, count, is_enough)
        except BaseExceptionGroup as failures:  # of the jobs that failed, the first that is known
            raise failures.exceptions[0] from None

    async def _run(
        self,
        seed: int,
        executions: int,
        count: Callable[[Tally], None],
        is_enough: Callable[[], bool],
    ) -> None:
        following = 0
        size = _FIRST

        async def work() -> None:
            nonlocal following, size
            while following < executions and not is_enough():
                first, following = following, min(following + size, executions)
                begun = monotonic()
                tally = await anyio.to_process.run_sync(
                    partial(run_range, *self._task, seed, first, following),
                    cancellable=True,
                    limiter=limiter,
                )
                if monotonic() - begun < _LONG:
                    size = max(size, min(2 * (tally.executions), executions))
                count(tally)

        limiter = anyio.CapacityLimiter(self._jobs)
        async with anyio.create_task_group() as group:
            for _ in range(self._jobs):
                group.start_soon(work)


def run_range(
    program: str,
    parameters: Parameters,
    tactic: Tactic,
    driver: str,
    covering: bool,
    seed: int,
    first: int,
    end: int,
) -> Tally:
    """In a process of its own: some executions of a program that is found by name."""
    return _driver(program, parameters, tactic, driver, covering).run(seed, first, end)


@lru_cache(maxsize=1)
def _driver(
    program: str, parameters: Parameters, tactic: Tactic, driver: str, covering: bool
) -> Driver:
    return DRIVERS[driver](load(program, parameters), tactic, covering)
