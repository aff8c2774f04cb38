"""Reductions: moves that a search may leave out, because others lead to the same violations and ends.

Protocols are opaque automata, so nothing is known of what a context will do; only two things are used.

*Owners.* A context comes to an operation on a word that is declared its own (`Program.owns`), and from there to
another scheduling point, with no event, check or choice between. Whatever the others do first neither sees that
move nor changes what it does: in any execution it can be moved to the front, and where the execution is without
it, put in front. So it is followed alone: an ample set of one (Peled, CAV 1993; Godefroid, LNCS 1032; Clarke,
Grumberg and Peled, Model Checking, ch. 10, C0 to C2). It may be interrupted; that only delays it, since an
interrupt sees nothing of where it stands. Two ends would be lost, and are seen to: an execution ends with its last
task, so the bottom of the context's CPU must be a task, which cannot end before that move; and who has paused
goes on after any move of another, so nothing is moved past a `pause()`: a program that has one is not reduced so.
That a move is put off for ever is excluded as Bosnacki and Holzmann do breadth first (SPIN 2005): the state that
follows is new, or waits to be expanded.

*Symmetry.* Two contexts are each other's like if exchanging them, with their CPUs where each has one for itself,
maps every execution to one. Where they also stand alike in a state, at one node above all, exchanging them
changes nothing there, and what begins with a move of either goes on to the same violations and the same memory;
so the first one is followed. That is so of contexts that have not moved and have equal bodies and arguments, and
again whenever they meet. It needs that nothing tells them apart:

- one level, and the same CPUs; of threads, a CPU that no other context may be on or interrupt;
- no `current` word of a CPU that a task may be on: it holds a context's number;
- no word of their own, and no slot for fork, which names it;
- nowhere in the program `set_cpus_allowed`, which names tasks and CPUs; of threads, nothing that gives a
  CPU's number: `smp_processor_id`, `schedule`, sleeping.

Monitors see events, not who reports them, and weights decide nothing in a search. What a program does is known
only as its automata grow: where a node shows that a reduction does not apply, the search begins again without it.

Kept are: the set of signatures, whether there is a deadlock, and the memories that executions end with. Not kept:
shortest counterexamples, fewest switches, cycles, numbers of states.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np

from ..context import ContextSpec
from ..machine import State
from ..memory import PRIVATE
from ..operations import MIGRATE, PAUSE, PROCESSOR_ID, SCHEDULE, SLEEP
from ..program import Program
from .automaton import Awaited
from .layout import ABSENT, Words

OWNERS: Final = "owners"
SYMMETRY: Final = "symmetry"

_TELL_CPUS: Final = frozenset({PROCESSOR_ID, SCHEDULE, SLEEP})


class Reductions:
    """Which reductions apply to a program, as far as its automata are known."""

    def __init__(self, program: Program) -> None:
        self._threads = [spec.state is State.RUNNING for spec in program.contexts]
        self.owners = any(owner <= PRIVATE for owner in program.layout.owner)
        self.kin = _kin(program)
        """Of each context: equal numbers for those that are each other's like; `ABSENT` for one that has none."""

    def withdraw(self, nodes: Sequence[Awaited]) -> bool:
        """Give up what does not apply to a program that has these nodes; whether that was anything."""
        owners, kin = self.owners, self.kin.copy()
        kinds = {node.kind for node in nodes}
        if PAUSE in kinds:
            self.owners = False
        if MIGRATE in kinds:
            self.kin[:] = ABSENT
        elif kinds & _TELL_CPUS:
            self.kin[self._threads] = ABSENT
        return self.owners != owners or not np.array_equal(self.kin, kin)

    @property
    def applied(self) -> tuple[str, ...]:
        """The names of those that apply."""
        symmetry = bool((self.kin != ABSENT).any())
        return (OWNERS,) * self.owners + (SYMMETRY,) * symmetry


def _kin(program: Program) -> Words:
    on = Counter(cpu for spec in program.contexts for cpu in spec.cpus)
    tells = [bool(word) for word in program.current_words()]
    owners = {PRIVATE - owner for owner in program.layout.owner if owner <= PRIVATE}
    kinds: list[Hashable] = []
    for number, spec in enumerate(program.contexts):
        nameless = spec.state is not State.NEW and number not in owners
        kinds.append(_kind(spec, on, tells) if nameless else None)
    among = Counter(kinds)
    numbers = {kind: at for at, kind in enumerate(among) if kind is not None and among[kind] > 1}
    return np.array([numbers.get(kind, ABSENT) for kind in kinds], dtype=np.int64)


def _kind(spec: ContextSpec, on: Counter[int], tells: Sequence[bool]) -> Hashable:
    """What those that may be each other's like have in common; None for a context that is like no other."""
    if spec.state is State.AWAY:
        return spec.level, spec.cpus
    if any(tells[cpu] for cpu in spec.cpus):
        return None
    if spec.state is State.RUNNABLE:
        return spec.level, spec.cpus
    return spec.level if on[spec.cpus[0]] == 1 else None
