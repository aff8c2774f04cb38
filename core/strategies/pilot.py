"""Pilot executions: how long a program's executions are, and who touches what how often.

PCT and preemption bounds place their points within a length, and SURW weighs contexts by the events that they have
left. Their papers take such estimates from executions that happened before. Here an execution must not depend on
which others a process has run, so the estimates come from pilots: a few random walks of a seed of their own, the
same for every seed and strategy. They are a function of the program alone, and cost a few executions once.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from ..context import Context
from ..interpreter import Interpreter
from ..program import Program
from ..strategy import RandomWalk
from .footprint import NOWHERE, Footprints, writes

PILOTS: Final = 10
_SEED: Final = 0x70696C6F74
"""Of the pilots: "pilot"."""


class Profile(NamedTuple):
    """What the pilots did."""

    length: int
    """Moves of the longest."""
    shared: tuple[int, ...]
    """Locations that several contexts touched, one of them to write, ascending."""
    counts: tuple[tuple[int, ...], ...]
    """For each of these, how often each context touched it: the pilots' mean, rounded up."""


def profile_of(program: Program) -> Profile:
    """Run the pilots."""
    walk = _Watched(Footprints(program))
    interpreter = Interpreter(program)
    length = 1
    for execution in range(PILOTS):
        length = max(length, interpreter.run(walk, execution).operations)
    contexts = range(len(program.contexts))
    shared = tuple(sorted(at for at in walk.written if len(walk.touched[at]) > 1))
    counts = tuple(
        tuple(-(-walk.touched[at].get(context, 0) // PILOTS) for context in contexts)
        for at in shared
    )
    return Profile(length, shared, counts)


class _Watched:
    """A random walk that counts what it picks."""

    def __init__(self, footprints: Footprints) -> None:
        self._walk = RandomWalk(_SEED)
        self._footprints = footprints
        self.touched: defaultdict[int, dict[int, int]] = defaultdict(dict)
        """Of each location: how often each context touched it."""
        self.written: set[int] = set()

    def begin(self, execution: int, contexts: Sequence[Context]) -> None:
        """As the walk does."""
        self._walk.begin(execution, contexts)

    def pick(self, enabled: Sequence[Context]) -> Context:
        """As the walk does, counted."""
        context = self._walk.pick(enabled)
        location = self._footprints.location(context)
        if location != NOWHERE:
            counts = self.touched[location]
            counts[context.index] = counts.get(context.index, 0) + 1
            if writes(context):
                self.written.add(location)
        return context

    def choose(self, n: int) -> int:
        """As the walk does."""
        return self._walk.choose(n)
