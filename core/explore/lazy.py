"""Lazy automata: a node is a suspended coroutine, an edge what it is sent there; both are made when first needed.

As in the lazy automaton of a regular expression. A missing edge is made by sending to a coroutine that stands at
the node: one is kept parked there, and when it has gone on, a fresh one is run along what first led there. Nodes
whose keys are equal are one node. A coroutine that does something else when it is sent the same again is no
function of what it is told, and is refused.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from ..context import discard
from ..errors import ModelError
from .encoding import Encoder, Key, Statics, Unmergeable

Coroutine = Any
"""A coroutine of whatever it yields and is sent."""

Label = TypeVar("Label", bound=tuple[int, ...])


class Stop(NamedTuple, Generic[Label]):
    """Where a coroutine has come to: what its node is labelled with, and whether it is still suspended there."""

    label: Label
    suspended: bool


class Lazy(ABC, Generic[Label]):
    """The automata of several coroutines, which share the nodes that they have in common."""

    def __init__(self, bodies: Sequence[Callable[[], Coroutine]]) -> None:
        self._bodies = bodies
        self._statics = Statics(bodies)
        self._encoder = Encoder(self._statics)
        self._by_key: dict[Key, int] = {}
        self._origins: list[tuple[int, int]] = []
        """Of each node: the node and what was sent there that first led to it; of a start: (-1 - body, 0)."""
        self._parked: dict[int, Coroutine] = {}
        self.labels: list[Label] = []
        """Of each node."""
        self.unmergeable: dict[str, int] = {}
        """Why nodes could not be compared, and how many."""
        self.starts = [
            self._arrive(body(), (-1 - number, 0), None) for number, body in enumerate(bodies)
        ]

    def follow(self, node: int, sent: int) -> int:
        """The node that an edge leads to; it is made if it is new."""
        coroutine = self._parked.pop(node, None) or self._again(node)
        return self._arrive(coroutine, (node, sent), self._told(node, sent))

    def check(self) -> None:
        """Raise `ModelError` if a coroutine has changed what outlives an execution."""
        self._statics.check()

    def discard(self) -> None:
        """Drop whatever is suspended."""
        for coroutine in self._parked.values():
            discard(coroutine)
        self._parked.clear()

    @abstractmethod
    def _told(self, node: int, sent: int) -> object:
        """What a number stands for that is sent at a node."""

    @abstractmethod
    def _send(self, coroutine: Coroutine, told: object) -> Stop[Label]:
        """Go on with a coroutine, to where it stops next."""

    def _arrive(self, coroutine: Coroutine, origin: tuple[int, int], told: object) -> int:
        stop = self._send(coroutine, told)
        key = self._key(coroutine, stop)
        number = None if key is None else self._by_key.get(key)
        if number is None:
            number = len(self.labels)
            self.labels.append(stop.label)
            self._origins.append(origin)
            if key is not None:
                self._by_key[key] = number
        if not stop.suspended:
            return number
        if number in self._parked:
            discard(coroutine)
        else:
            self._parked[number] = coroutine
        return number

    def _key(self, coroutine: Coroutine, stop: Stop[Label]) -> Key | None:
        if not stop.suspended:
            return stop.label
        try:
            return stop.label, self._encoder.key(coroutine)
        except Unmergeable as why:
            self.unmergeable[str(why)] = self.unmergeable.get(str(why), 0) + 1
            return None

    def _again(self, node: int) -> Coroutine:
        """A fresh coroutine, brought to a node the way that first led there."""
        path: list[tuple[int, int]] = []
        while node >= 0:
            origin, sent = self._origins[node]
            path.append((node, sent))
            node = origin
        coroutine = self._bodies[-1 - node]()
        previous = node
        for at, sent in reversed(path):
            told = None if previous < 0 else self._told(previous, sent)
            if self._send(coroutine, told).label != self.labels[at]:
                raise ModelError(
                    f"{coroutine.__qualname__} does not do the same when it is told the same: "
                    "it depends on something besides what it awaits"
                )
            previous = at
        return coroutine
