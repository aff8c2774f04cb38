"""Fair cycles without progress: executions that never end, though everybody who could move does.

A cycle is fair if whoever may move in all its states, and cannot stay away for ever (an interrupt that nobody
raised can), moves in it. The states of a strongly connected component of the transitions without progress can all
be visited again and again; so one of them has a fair cycle just if the whole component is fair, and
no smaller part needs to be looked at. A spin that another context would end is not fair and not reported.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from ..errors import UsageError
from ..program import Program
from .compiling import compiled
from .layout import ABSENT, Words
from .search import MOST_MEMORY, MOST_STATES, Searcher
from .search_layout import At

_MOST_CONTEXTS = 62
"""Their set is one word."""


class Lasso(NamedTuple):
    """An execution without end: a way to a state, and from there to itself, over and over."""

    schedule: tuple[int, ...]
    """The way, then the cycle once."""
    stem: int
    """Moves of the way."""
    cycle: int
    """Moves of the cycle."""


def no_progress(event: object) -> bool:
    """For programs that are to end: nothing is progress but an end."""
    return False


def fair_cycle(
    program: Program,
    progress: Callable[[object], bool] = no_progress,
    *,
    most: int = MOST_STATES,
    memory: int = MOST_MEMORY,
) -> Lasso | None:
    """A fair cycle in which no event is progress; None where there is none.

    Raises `UsageError` where not all states could be visited: then nothing is known.
    """
    if len(program.contexts) > _MOST_CONTEXTS:
        raise UsageError(f"fair cycles are looked for among at most {_MOST_CONTEXTS} contexts")
    searcher = Searcher(program, most, memory, progress=progress)
    try:
        searcher.explore()
        bound = searcher.result().bound
        if bound:
            raise UsageError(f"fair cycles need all states, and the search ended at {bound}")
        return _Cycles(searcher).find()
    finally:
        searcher.discard()


class _Cycles:
    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        space = searcher.space
        self._states = int(space.at[At.COUNT])
        self._starts = space.starts[: self._states + 1]
        self._edges = space.edges[: int(space.at[At.EDGES])]
        self._obliged = space.obliged
        self._contexts = len(searcher.program.contexts)
        self._component = np.zeros(self._states, dtype=np.int64)
        rooms = np.zeros((5, self._states), dtype=np.int64)
        components(self._starts, self._edges, self._component, rooms)

    def find(self) -> Lasso | None:
        """The one that is nearest to the first state."""
        idle = self._component.max(initial=0) + 1
        moves = np.zeros(idle, dtype=np.int64)
        always = np.full(idle, -1, dtype=np.int64)
        np.bitwise_and.at(always, self._component, self._obliged[: self._states])
        sources = np.repeat(np.arange(self._states), np.diff(self._starts))
        within = self._component[sources] == self._component[self._edges[:, 0]]
        within &= self._edges[:, 2] == 0
        moving = np.left_shift(1, self._edges[within, 1] % self._contexts)
        np.bitwise_or.at(moves, self._component[sources[within]], moving)
        fair = (moves != 0) & (always & ~moves == 0)
        found = np.flatnonzero(fair[self._component])
        return (
            None
            if not len(found)
            else self._lasso(int(found[0]), int(always[self._component[found[0]]]))
        )

    def _lasso(self, first: int, always: int) -> Lasso:
        """A cycle from a state of a fair component: every context of its moves, and everybody disabled once."""
        path = self._searcher.path_to(first)
        stem = len(path) - 1
        state, cycle = first, list[int]()
        for context in range(self._contexts):
            wanted = self._moves if always >> context & 1 else self._need_not_move
            state = self._go(state, cycle, partial(wanted, context))
        if state != first or not cycle:
            self._go(state, cycle, lambda at, _: at == first)
        return Lasso(self._searcher.follow([*path, *cycle]).schedule, stem, len(cycle))

    def _moves(self, context: int, state: int, edge: int) -> bool:
        return edge % self._contexts == context

    def _need_not_move(self, context: int, state: int, edge: int) -> bool:
        return not int(self._obliged[state]) >> context & 1

    def _go(self, state: int, cycle: list[int], there: Callable[[int, int], bool]) -> int:
        """The shortest way within the component over an edge that is wanted, or to a state that is."""
        before: dict[int, tuple[int, int]] = {}
        waiting = deque([state])
        while True:
            at = waiting.popleft()
            for number in range(int(self._starts[at]), int(self._starts[at + 1])):
                target, edge, progress = map(int, self._edges[number])
                if progress or self._component[target] != self._component[at]:
                    continue
                if there(target, edge):
                    cycle += [*self._back(before, state, at), edge]
                    return target
                if target not in before and target != state:
                    before[target] = at, edge
                    waiting.append(target)

    def _back(self, before: dict[int, tuple[int, int]], state: int, at: int) -> list[int]:
        way: list[int] = []
        while at != state:
            at, edge = before[at]
            way.append(edge)
        return way[::-1]


@compiled
def components(starts: Words, edges: Words, component: Words, rooms: Words) -> None:
    """Strongly connected components of the edges without progress, by Tarjan's algorithm without recursion."""
    states = component.size
    index, low, stack, calls, next_edge = rooms[0], rooms[1], rooms[2], rooms[3], rooms[4]
    for state in range(states):
        component[state] = index[state] = ABSENT
    seen = found = height = depth = 0
    for root in range(states):
        if index[root] != ABSENT:
            continue
        calls[0] = root
        depth = 1
        while depth:
            state = calls[depth - 1]
            if index[state] == ABSENT:
                index[state] = low[state] = seen
                seen += 1
                stack[height] = state
                height += 1
                next_edge[state] = starts[state]
            descended = False
            while next_edge[state] < starts[state + 1]:
                at = next_edge[state]
                target = edges[at, 0]
                if edges[at, 2] == 0:
                    if index[target] == ABSENT:
                        calls[depth] = target
                        depth += 1
                        descended = True
                        break
                    if component[target] == ABSENT:
                        low[state] = min(low[state], low[target])
                next_edge[state] = at + 1
            if descended:
                continue
            if low[state] == index[state]:
                while True:
                    height -= 1
                    component[stack[height]] = found
                    if stack[height] == state:
                        break
                found += 1
            depth -= 1
