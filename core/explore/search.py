"""Exhaustive search: every state of a program, breadth first, at compiled speed.

A state is what can make a difference from here on: memory, shadow state, mailboxes, where each context stands,
CPU stacks, monitors. Two states with one fingerprint of 64 bits are taken for one: `Search.omission` is how
likely it is that a state was left out so.

Breadth first, the first way to a violation is a shortest one in steps. By switches, it is one with the
fewest moves of another context than moved before: a state is then also who moved last, and the
states of one number of switches are all found before the next.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from ..context import Context
from ..errors import ModelError, UsageError
from ..interpreter import Interpreter
from ..outcome import Outcome
from ..program import Program
from .automaton import Awaited
from .engine import Engine
from .layout import (
    DEAD,
    NEW,
    TASK,
    Register,
    Words,
)
from .reductions import Reductions
from .search_layout import (
    ALL,
    AT_MOST,
    EXPANDED,
    FULL_EDGES,
    FULL_ROWS,
    FULL_TABLE,
    MISSING_EDGE,
    MISSING_MONITOR_EDGE,
    NEW_COLUMN,
    NO_EDGE_BEFORE,
    OTHERS,
    PAUSED,
    SAME,
    TOO_MANY_CHOICES,
    At,
)
from .search_loop import begin, expand
from .search_room import add_column, add_edges, add_rows, enlarge_table, new_space

MOST_STATES: Final = 100_000_000
MOST_MEMORY: Final = 2 << 30
"""Bytes."""
_AT_ONCE: Final = 1 << 16
"""States between two looks at what was found."""
_MOST_EVENTS: Final = 1 << 12
"""Of one move."""
_ROOMS: Final = {
    NEW_COLUMN: add_column,
    FULL_ROWS: add_rows,
    FULL_TABLE: enlarge_table,
    FULL_EDGES: add_edges,
}
"""What makes the room that a status asks for."""


@dataclass(frozen=True, slots=True)
class Search:
    """What was found."""

    bound: str
    """What ended the search before all was visited; empty where nothing did."""
    states: int
    transitions: int
    depth: int
    """Of the states that are farthest: moves; or switches, where those were counted."""
    ends: int
    """States in which every task has ended."""
    schedules: dict[str, tuple[int, ...]]
    """Of each signature that was seen, an execution that shows it, as soon as any does, and ends there."""
    moves: dict[str, int]
    """Of each signature, how many moves lead to it."""
    reductions: tuple[str, ...]
    """Names of the reductions that were made."""

    @property
    def complete(self) -> bool:
        """Whether every state was visited."""
        return not self.bound

    @property
    def signatures(self) -> tuple[str, ...]:
        """All that were seen."""
        return tuple(sorted(self.schedules))

    @property
    def omission(self) -> float:
        """An upper bound of the probability that any two states have one fingerprint."""
        return self.states * self.states / 2**65


def search(
    program: Program,
    *,
    most: int = MOST_STATES,
    memory: int = MOST_MEMORY,
    until: Collection[str] = (),
    switches: bool = False,
    reductions: bool = False,
) -> Search:
    """Visit the states of a program: all, or `most`, or as fit in `memory` bytes, or until a signature is seen.

    With `reductions` as few as show every signature and every memory at an end; ways to them may be longer.
    Raises `ModelError` where the program cannot be.
    """
    searcher = Searcher(program, most, memory, switches=switches, reductions=reductions)
    try:
        searcher.explore(frozenset(until))
        return searcher.result()
    finally:
        searcher.discard()


class Searcher(Engine):
    """One search of a program, which may be looked into afterwards."""

    def __init__(
        self,
        program: Program,
        most: int = MOST_STATES,
        memory: int = MOST_MEMORY,
        *,
        switches: bool = False,
        keep: bool = False,
        progress: Callable[[object], bool] | None = None,
        reductions: bool = False,
    ) -> None:
        """`keep`: the vectors of all states stay, for `vectors`. `progress`: all transitions stay, for
        `search_cycles`, with what is said of their events."""
        if reductions and (switches or progress is not None):
            raise UsageError("reductions keep neither the fewest switches nor fair cycles")
        super().__init__(program)
        self._memory = memory
        self._switches = switches
        self._keep = keep
        self._kept: list[tuple[list[int], Words]] = []
        self._progress = progress
        self._results = self._output(0 if progress is None else _MOST_EVENTS)
        self._baseline: list[int] = []
        """Of each column, what it is in the first state."""
        self._reductions = Reductions(program) if reductions else None
        self._known = 0
        """Nodes that the reductions have been tried on."""
        self._restart = False
        """Whether a reduction that was made does not apply."""
        self._try_reductions()
        self._begin_space(most)

    def explore(self, until: frozenset[str] = frozenset()) -> None:
        """Search, until nothing is left or a bound is reached or one of the signatures is seen."""
        self._explore(until)
        while self._restart:
            self._begin_space(int(self.space.at[At.MOST]))
            self._explore(until)

    def _begin_space(self, most: int) -> None:
        """Nothing is found."""
        self._restart = False
        self._baseline.clear()
        self._kept.clear()
        self._depth = 0
        self._bound = ""
        reductions, kin = self._reductions, np.zeros(0, dtype=np.int64)
        if reductions is not None and reductions.applied:
            kin = reductions.kin
        self.space = new_space(self._state.vector, most, kin, graph=self._progress is not None)
        self.space.at[At.OWNERS] = reductions is not None and reductions.owners

    def _try_reductions(self) -> None:
        """Whether reductions apply to the nodes that have come."""
        if self._reductions is not None:
            new = self._automaton.labels[self._known :]
            self._known += len(new)
            self._restart |= self._reductions.withdraw(new)

    def _explore(self, until: frozenset[str]) -> None:
        at = self.space.at
        at[At.FOLLOWED] = SAME if self._switches else ALL
        if not self._complete(begin, until):
            return
        start = 0
        while start < at[At.COUNT]:
            if self._depth >= self.program.bound:
                self._bound = f"{self.program.bound:,} operations"
                return
            self._begin_level(start)
            if self._switches:
                at[At.FOLLOWED] = SAME
                if not self._complete(expand, until):
                    return
                at[At.END] = at[At.COUNT]
                at[At.FOLLOWED] = OTHERS
                at[At.HEAD] = start
            else:
                at[At.END] = at[At.COUNT]
            end = int(at[At.END])
            if not self._complete(expand, until):
                return
            start = end
            self._depth += int(start < at[At.COUNT])
        self._automaton.check()

    def result(self) -> Search:
        """What was found so far."""
        paths = self.paths()
        at = self.space.at
        return Search(
            self._bound,
            int(at[At.COUNT]),
            int(at[At.TRANSITIONS]),
            self._depth,
            int(at[At.ENDS]),
            {signature: self._schedule(signature, path) for signature, path in paths.items()},
            {signature: len(path) - 1 for signature, path in paths.items()},
            () if self._reductions is None else self._reductions.applied,
        )

    def paths(self) -> dict[str, list[int]]:
        """Of each signature that was seen: the edges that lead to it, the first one to a first state."""
        found: dict[str, list[int]] = {}
        for number in range(len(self._violations)):
            if int(self.space.at[At.BREACH]) >> number & 1:
                source, edge = map(int, self.space.first[number])
                found.setdefault(self._signature(number), self._path(source, edge))
        return found

    def vectors(self) -> Words:
        """Of each state that was kept, in the order of discovery: all that tells it apart."""
        found = np.tile(self.space.parent, (int(self.space.at[At.COUNT]), 1))
        for column in range(int(self.space.at[At.COLUMNS])):
            found[:, self.space.columns[column]] = self._baseline[column]
        start = 0
        for columns, rows in self._kept:
            found[start : start + len(rows), columns] = rows[:, 1:]
            start += len(rows)
        return found

    def memory_words(self) -> Words:
        """The words of memory in each state that was kept."""
        return self.vectors()[:, : self._state.words.size]

    def nodes_of(self) -> Words:
        """Of each state that was kept, the node of each context."""
        start = self._state.words.size
        return self.vectors()[:, start : start + len(self.program.contexts)]

    def automaton(self) -> tuple[list[Awaited], list[tuple[int, int, int]]]:
        """What each node awaits, and all edges: (node, result, node)."""
        return self._automaton.labels, self._edges.edges()

    def final_words(self) -> Words:
        """The words of memory in each state that was kept and in which every task has ended."""
        vectors = self.vectors()
        start = self._state.words.size + self._state.node.size
        levels = self._program.level
        standings = vectors[:, start : start + levels.size][:, levels == TASK]
        return vectors[np.isin(standings, (DEAD, NEW)).all(axis=1), : self._state.words.size]

    def forget(self, field: str) -> None:
        """Leave a field of `State` out of all fingerprints: a mistake, for tests to find."""
        part: Words = getattr(self._state, field)
        whole = self._state.vector
        start = (part.ctypes.data - whole.ctypes.data) // whole.itemsize
        self.space.minded[start : start + part.size] = 0

    def path_to(self, state: int) -> list[int]:
        """The edges that first led to a state, the first one to a first state."""
        return self._path(state, NO_EDGE_BEFORE)

    def _signature(self, violation: int) -> str:
        return cast("tuple[str, str]", self._violations.value(violation))[1]

    # the loop

    def _complete(self, function: Callable[..., int], until: frozenset[str]) -> bool:
        """Call a compiled function until it has done all; False where the search ends before."""
        while True:
            at = self.space.at
            at[At.UNTIL_PAUSE] = at[At.HEAD] + _AT_ONCE
            self._judge_events()
            status = function(
                self._program, *self._tables(), self._state, self._results, self.space
            )
            if self._state.registers[Register.OVERRUN]:
                raise ModelError(f"one move reports more than {_MOST_EVENTS:,} events")
            if status in (EXPANDED, PAUSED):
                if self._is_seen(until):
                    return False
                if status == EXPANDED:
                    return True
            elif status == AT_MOST:
                self._bound = f"{int(at[At.MOST]):,} states"
                return False
            elif not self._make_room(status):
                self._bound = f"{self._memory >> 20:,} MB"
                return False
            if self._restart:
                return False

    def _judge_events(self) -> None:
        """Whether the events that have come are progress."""
        known = len(self.space.progress)
        if self._progress is not None and known < len(self._objects):
            new = [
                int(self._progress(self._objects.value(number)))
                for number in range(known, len(self._objects))
            ]
            progress = np.concatenate([self.space.progress, np.array(new, dtype=np.int64)])
            self.space = self.space._replace(progress=progress)

    def _is_seen(self, until: frozenset[str]) -> bool:
        seen = sorted(until & self.seen())
        if seen:
            self._bound = f"{seen[0]} was found"
        return bool(seen)

    def seen(self) -> set[str]:
        """The signatures so far."""
        broken = int(self.space.at[At.BREACH])
        return {
            self._signature(number)
            for number in range(len(self._violations))
            if broken >> number & 1
        }

    def _make_room(self, status: int) -> bool:
        """Whatever it is that the loop needs; False where there is no memory for it."""
        if status == MISSING_EDGE:
            self._make_edge()
            self._try_reductions()
        elif status == MISSING_MONITOR_EDGE:
            self._make_monitor_edge()
        elif status in _ROOMS:
            if status == NEW_COLUMN:
                position = self.space.at[At.POSITION]
                self._baseline.append(int(self.space.parent[position]))
            longer = _ROOMS[status](self.space, self._has_memory)
            if longer is None:
                return False
            self.space = longer
        elif status == TOO_MANY_CHOICES:
            raise ModelError(f"{self.program.name}: too many choices in one move to try them all")
        else:
            self._complain()
        return True

    # room

    def _has_memory(self, more: int) -> bool:
        kept = sum(rows.nbytes for _, rows in self._kept)
        used = sum(int(array.nbytes) for array in self.space)
        return used + kept + more <= self._memory

    def _begin_level(self, start: int) -> None:
        """Only states from this one on are still to be expanded: the rows of others are free."""
        space = self.space
        at = space.at
        base, count = int(at[At.BASE]), int(at[At.COUNT])
        waiting = space.rows[start - base : count - base].copy()
        space.rows[: count - start] = waiting
        at[At.BASE] = at[At.HEAD] = start
        if self._keep:
            columns = int(at[At.COLUMNS])
            self._kept.append((space.columns[:columns].tolist(), waiting[:, : columns + 1]))

    # counterexamples

    def _path(self, state: int, edge: int) -> list[int]:
        path = [] if edge == NO_EDGE_BEFORE else [edge]
        while state >= 0:
            state, edge = map(int, self.space.origins[state])
            path.append(edge)
        return path[::-1]

    def _schedule(self, signature: str, path: Sequence[int]) -> tuple[int, ...]:
        outcome = self.follow(path)
        if signature not in {violation.signature for violation in outcome.violations}:
            raise ModelError(
                f"{self.program.name}: the search found {signature}, and no execution shows it"
            )
        return outcome.schedule

    def follow(self, path: Sequence[int]) -> Outcome:
        """The interpreter's execution as far as a path goes."""
        way = _Way(path, len(self.program.contexts))
        interpreter = Interpreter(self.program)
        interpreter.reset(way)
        for _ in path[1:]:
            interpreter.step(way.pick(interpreter.enabled()))
        if not interpreter.finished and not interpreter.enabled():
            interpreter.deadlock()
        return interpreter.finish()

    def _complain(self) -> None:
        """The program cannot be: the interpreter says why."""
        code, scale = 0, 1
        for choice, among in self._state.script[: self._state.registers[Register.CHOICES]].tolist():
            code += choice * scale
            scale *= among
        contexts = len(self.program.contexts)
        context = int(self._state.registers[Register.CONTEXT]) % contexts
        head = int(self.space.at[At.HEAD]) if self.space.at[At.COUNT] else NO_EDGE_BEFORE
        self.follow(self._path(head, context + contexts * code))
        raise ModelError(f"{self.program.name}: the engine refuses what the interpreter does")


class _Way:
    """Follows a path."""

    def __init__(self, path: Sequence[int], contexts: int) -> None:
        self._path = path
        self._contexts = contexts
        self._position = 1
        self._code = path[0] // contexts
        """Choices before any move belong to the first edge."""

    def begin(self, execution: int, contexts: Sequence[Context]) -> None:
        raise UsageError("a path is followed step by step")

    def pick(self, enabled: Sequence[Context]) -> Context:
        """The context that the path names."""
        self._code, wanted = divmod(self._path[self._position], self._contexts)
        self._position += 1
        for context in enabled:
            if context.index == wanted:
                return context
        raise ModelError("the interpreter cannot do what the search did")

    def choose(self, n: int) -> int:
        """The choice that the edge names."""
        self._code, choice = divmod(self._code, n)
        return choice
