"""A situation: all that can make a difference from some point of an execution on, however it was come to.

Two points with equal situations go on alike. That is what a state of the exhaustive search is, told by the
interpreter. What is of no more consequence is left out: where an ended context stood, what a task that is awake
slept on, how often an object was allocated.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, Protocol

from .cint import U64_MASK
from .context import Context
from .context import Protocol as Suspended
from .machine import Level, State
from .monitor import MonitorSet
from .operations import ENTER, PAUSE, Operation
from .processors import Processors
from .store import Store


class Keys(Protocol):
    """What tells coroutines and values apart: equal keys, equal ways to go on."""

    def context(self, suspended: Suspended) -> Hashable:
        """Of a context's coroutine."""

    def monitor(self, suspended: Suspended) -> Hashable:
        """Of a monitor's."""

    def value(self, value: object) -> Hashable:
        """Of a message."""


class Situation(NamedTuple):
    """One point of an execution, by its parts."""

    memory: tuple[int, ...]
    """Words."""
    objects: tuple[object, ...]
    """Of each pooled object: whether it is live, and whether it ever was."""
    mailboxes: tuple[Hashable, ...]
    """Of each: its messages."""
    contexts: tuple[Hashable, ...]
    processors: tuple[Hashable, ...]
    """Of each CPU: its stack, and its interrupt flag."""
    monitors: tuple[Hashable, ...]

    def difference(self, other: "Situation") -> str:
        """The part that is another one; empty where none is."""
        pairs = zip(self._fields, self, other, strict=True)
        return next((name for name, mine, theirs in pairs if mine != theirs), "")


def situation_of(
    contexts: Sequence[Context],
    store: Store,
    processors: Processors,
    monitors: MonitorSet,
    entries: int,
    keys: Keys,
) -> Situation:
    """Where an execution stands after so many entries of its schedule."""
    return Situation(
        tuple(store.words),
        tuple(zip(store.live, map(bool, store.generation), strict=True)),
        tuple(tuple(map(keys.value, box)) for box in store.mailboxes),
        tuple(_standing(context, entries, keys) for context in contexts),
        tuple(
            (tuple(context.index for context in stack), irqs_on)
            for stack, irqs_on in zip(processors.stacks, processors.irqs_on, strict=True)
        ),
        monitors.standing(keys.monitor),
    )


def is_obliged(context: Context) -> bool:
    """Whether an enabled context cannot stay away for ever, as an interrupt can that nobody raised."""
    return context.state is not State.AWAY or context.pending[0] != ENTER


def _standing(context: Context, entries: int, keys: Keys) -> Hashable:
    state = context.state
    if state is State.DEAD:
        return state
    if state is State.NEW:
        return state, context.allowed
    runs = state is State.RUNNING
    interrupts = runs and context.level is not Level.TASK
    return (
        state,
        _operation(context.pending, keys.value),
        keys.context(context.coroutine),
        context.allowed,
        context.switched_out,
        context.cpu if runs else None,
        context.saved_irqs if interrupts else None,
        context.condition if state is State.SLEEPING else None,
        context.pending[0] == PAUSE and context.paused_at >= entries,
    )


def _operation(pending: Operation, value: Callable[[object], Hashable]) -> Hashable:
    """As an execution sees it: in 64 bits, and whatever its order."""
    kind, address, a, b = pending
    return kind & ~3, address, _operand(a, value), _operand(b, value)


def _operand(operand: object, value: Callable[[object], Hashable]) -> Hashable:
    return operand & U64_MASK if isinstance(operand, int) else value(operand)
