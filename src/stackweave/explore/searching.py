"""One search from the command line: the engine made ready, progress, Ctrl-C, and what was not looked at."""

from dataclasses import dataclass, replace
from time import process_time
from typing import Final

import numpy as np

from stackweave.core import Program, UsageError
from stackweave.core.explore.search import Search
from stackweave.core.explore.search_cycles import Lasso, fair_cycle
from stackweave.core.explore.search_layout import SAME, At
from stackweave.core.explore.search_state import rehash

from ..progress import Ticker
from .coverage import Coverage, Explorer

INTERRUPTED: Final = "interrupted"
"""The bound of a search that Ctrl-C ended."""


@dataclass(frozen=True, slots=True)
class Explored:
    """What a search came to."""

    found: Search
    seconds: float
    """Of CPU time for the states, without the compiler's and what cycles took."""
    waiting: int
    """States that were found and not expanded."""
    switches: bool
    """Whether depth counts them, and not moves."""
    coverage: Coverage
    lasso: Lasso | None
    """A fair cycle."""
    without_cycles: str
    """Why fair cycles were not looked for; empty where they were."""

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it, or the search for cycles."""
        return INTERRUPTED in (self.found.bound, self.without_cycles)


def prepare() -> None:
    """Have all compiled that a search calls, so that its time is its own."""
    program = Program("one step")
    word = program.layout.word("word")

    async def step() -> None:
        await word.load()

    program.thread("thread", step)
    fair_cycle(program)
    rehash(np.zeros((2, 1), dtype=np.int64), np.zeros((4, 1), dtype=np.int64))


def explore(
    program: Program,
    *,
    states: int,
    memory: int,
    signature: str | None,
    switches: bool,
    cycles: bool,
    reductions: bool,
) -> Explored:
    """Search, with progress on a terminal; Ctrl-C ends it with what was found so far.

    `memory` is in bytes, `signature` ends the search where it is seen, and `cycles` looks for fair cycles after
    a search that is complete, always among all states. Raises `ModelError` where the program cannot be.
    """
    started = process_time()
    searcher = Explorer(program, states, memory, switches=switches, reductions=reductions)
    try:
        interrupted = _search(searcher, frozenset(() if signature is None else (signature,)))
        found = searcher.result()
        if interrupted:
            found = replace(found, bound=INTERRUPTED)
        waiting = _waiting(searcher) if found.bound else 0
        coverage = searcher.coverage()
    finally:
        searcher.discard()
    seconds = process_time() - started
    without = _why_not(found, cycles)
    lasso = None
    if not without:
        lasso, without = _cycle(program, states, memory)
    return Explored(found, seconds, waiting, switches, coverage, lasso, without)


def _search(searcher: Explorer, until: frozenset[str]) -> bool:
    """Whether it was interrupted."""
    started = process_time()

    def line() -> str:
        space = searcher.space
        states = int(space.at[At.COUNT])
        speed = states / max(process_time() - started, 1e-9)
        expanded = min(int(space.at[At.HEAD]), states - 1)
        depth = max(len(searcher.path_to(expanded)) - 1, 0)
        used = sum(int(array.nbytes) for array in space) >> 20
        return f"{states:,} states, {speed:,.0f} states/s, {depth:,} moves deep, {used:,} MB"

    try:
        with Ticker(line):
            searcher.explore(until)
    except KeyboardInterrupt:
        return True
    return False


def _waiting(searcher: Explorer) -> int:
    """By switches, a state waits until it was expanded by who moved last and then by the others."""
    at = searcher.space.at
    expanded = At.BASE if at[At.FOLLOWED] == SAME else At.HEAD
    return int(at[At.COUNT]) - max(int(at[expanded]), 0)


def _why_not(found: Search, cycles: bool) -> str:
    if not cycles:
        return "not asked for"
    return "" if found.complete else "they need all states"


def _cycle(program: Program, states: int, memory: int) -> tuple[Lasso | None, str]:
    """A fair cycle, and why it is not known whether there is one."""
    try:
        with Ticker(lambda: "looking for fair cycles"):
            return fair_cycle(program, most=states, memory=memory), ""
    except KeyboardInterrupt:
        return None, INTERRUPTED
    except UsageError as error:
        return None, str(error)
