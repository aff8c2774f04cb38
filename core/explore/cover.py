"""The tables in which the compiled loop notes what executions reach."""

from collections.abc import Callable
from typing import Final

import numpy as np

from .covering import MESSAGE, MONITOR, NODE
from .layout import Output, Register, State, Words
from .reached import Reached
from .search_state import rehash

MOST_REACHED: Final = 1 << 25
"""States or transitions of one process: 32 bytes each."""


class Cover:
    """What one engine's executions have reached."""

    def __init__(self, state: State) -> None:
        """For a program whose states look like this one."""
        self._roles = np.zeros(state.vector.size, dtype=np.int64)
        for role, part in ((NODE, state.node), (MESSAGE, state.messages), (MONITOR, state.monitor)):
            start = (part.ctypes.data - state.vector.ctypes.data) // part.itemsize
            self._roles[start : start + part.size] = role
        self._scratch = state.vector.copy()
        self._states, self._crossings = _Found(), _Found()
        self._complete = True

    def begin(self, registers: Words, output: Output) -> Output:
        """Before executions: the tables among their results."""
        registers[Register.COVERING] = self._complete
        registers[Register.REACHED] = self._states.count
        registers[Register.CROSSED] = self._crossings.count
        return self._with_tables(output)

    def enlarge(self, registers: Words, output: Output) -> Output:
        """When a table is crowded: larger ones; or no more is noted."""
        self._states.count = int(registers[Register.REACHED])
        self._crossings.count = int(registers[Register.CROSSED])
        for found in (self._states, self._crossings):
            if found.is_crowded():
                if found.count >= MOST_REACHED:
                    self._complete = False
                    registers[Register.COVERING] = 0
                else:
                    found.enlarge()
        return self._with_tables(output)

    def take(self, registers: Words) -> Reached:
        """What is new since this was asked before."""
        return Reached(
            self._states.take(int(registers[Register.REACHED])),
            self._crossings.take(int(registers[Register.CROSSED])),
            self._complete,
        )

    def _with_tables(self, output: Output) -> Output:
        return output._replace(
            reached=self._states.table,
            states=self._states.found,
            crossed=self._crossings.table,
            crossings=self._crossings.found,
            roles=self._roles,
            scratch=self._scratch,
        )


class Identities:
    """What stands for numbered things in every process, of all that there are."""

    def __init__(self, identity: Callable[[int], int]) -> None:
        self._identity = identity
        self._count = 0
        self.words = np.zeros(256, dtype=np.int64)

    def grow(self, count: int) -> None:
        """There are so many now."""
        while count > len(self.words):
            self.words = np.concatenate([self.words, np.zeros_like(self.words)])
        for number in range(self._count, count):
            self.words[number] = self._identity(number)
        self._count = count


class _Found:
    """Fingerprints, hashed and in the order of discovery."""

    def __init__(self) -> None:
        self.table = np.zeros((1 << 12, 1), dtype=np.int64)
        self.found = np.zeros((1 << 11, 2), dtype=np.int64)
        self.count = 0
        self._taken = 0

    def is_crowded(self) -> bool:
        return 2 * self.count + 2 >= len(self.table)

    def enlarge(self) -> None:
        larger = np.zeros((2 * len(self.table), 1), dtype=np.int64)
        rehash(self.table, larger)
        self.table = larger
        self.found = np.concatenate([self.found, np.zeros_like(self.found)])

    def take(self, count: int) -> Words:
        self.count = count
        new = self.found[self._taken : count].copy()
        self._taken = count
        return new
