"""The three programs that every peer runs, and what their executions came to.

Each thread loads the one shared word and then puts a new value there: W1 and W3 by compare-and-swap, again until
it succeeds, W2 by a store, which is its bug. W1 is 2 threads of 5 increments, W2 3 threads of one, W3 3 threads
that push their number on Treiber's stack and pop one. That stack is a number of base 4, its top the last digit.

A step is a load, store or compare-and-swap by a thread, in whichever way a peer performs it.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple


class Shape(NamedTuple):
    """What is known of a program."""

    threads: int
    least: int
    """Steps of an execution in which every compare-and-swap succeeds."""
    end: int
    """The word at the end, if no update was lost."""


SHAPES: Final = {"W1": Shape(2, 20, 10), "W2": Shape(3, 6, 3), "W3": Shape(3, 12, 0)}
BASE: Final = 4
INCREMENTS: Final = 5


class Word:
    """The shared word, of peers that switch only where they are told: no lock is needed."""

    def __init__(self) -> None:
        self.value = 0
        self.failures = 0

    def swap(self, seen: int, new: int) -> bool:
        """Compare and swap."""
        if self.value != seen:
            self.failures += 1
            return False
        self.value = new
        return True


@dataclass
class Tally:
    """What executions came to."""

    executions: int = 0
    steps: int = 0
    broken: int = 0
    """Executions at whose end the word was wrong."""

    def count(self, program: str, value: int, failures: int) -> bool:
        """One more execution; whether its word was right. A failed swap and its load were two steps more."""
        shape = SHAPES[program]
        self.executions += 1
        self.steps += shape.least + 2 * failures
        self.broken += value != shape.end
        return value == shape.end
