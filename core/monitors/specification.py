"""How a property is written down: an immutable state, what each event makes of it, and the slice it is about.

A specification is a frozen dataclass whose `after` gives the next state or reports a violation; `follow` makes
a monitor's coroutine of it, with the state as its only local. So a monitor is the finite automaton
of its states, and two monitors that know the same are equal, whatever they saw on the way.

No property needs the ordinal of a kernel entry, only whether two events lie in the same one. A KernelExit closes
the entry, so that is where states age: what was "in this entry" becomes "earlier", and nothing counts up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final, Protocol, Self, TypeVar

from ..errors import ModelError
from ..monitor import Monitor, next_event


class Specification(Protocol):
    """What a property knows of the events so far."""

    def after(self, event: object) -> Self:
        """What it knows after one more event of its slice. Raises `ViolationFound` through `violate`."""
        ...

    def __hash__(self) -> int: ...


_REMEMBERED: Final = 1 << 16
"""Transitions that are remembered, of all monitors together."""

Item = TypeVar("Item")


def latest(running: Sequence[Item]) -> Item:
    """What is known of the request that ends: requests nest, so it is the one that began last."""
    if not running:
        raise ModelError("a RequestEnd without a RequestBegin")
    return running[-1]


@lru_cache(maxsize=_REMEMBERED)
def _after(state: Specification, event: object) -> Specification:
    # the same few states meet the same few events in every execution
    return state.after(event)


async def follow(state: Specification) -> None:
    """A monitor's coroutine."""
    while True:
        state = _after(state, await next_event())


async def follow_growing(state: Specification) -> None:
    """The same for a state that grows with the execution: remembered, the states of a long one fill the memory."""
    while True:
        state = state.after(await next_event())


@dataclass(frozen=True, slots=True)
class Slice:
    """Accepts events of some kinds that do not contradict the given fields.

    An event without a field belongs to all its slices: a KernelExit of task 0 is seen by
    the slices of task 0 and every tracer.
    """

    kinds: frozenset[type]
    fields: tuple[tuple[str, int | str], ...]

    def __call__(self, event: object) -> bool:
        return type(event) in self.kinds and all(
            getattr(event, name, value) == value for name, value in self.fields
        )

    @property
    def label(self) -> str:
        """Such as "task0 tracer1"."""
        return " ".join(
            value if isinstance(value, str) else f"{name}{value}" for name, value in self.fields
        )


def sliced(
    property: str, start: Specification, *kinds: type, grows: bool = False, **fields: int | str
) -> Monitor:
    """The monitor of a property for one slice, which begins in state `start`."""
    of = Slice(frozenset(kinds), tuple(fields.items()))
    body = partial(follow_growing if grows else follow, start)
    return Monitor(property, of.label, body, of)
