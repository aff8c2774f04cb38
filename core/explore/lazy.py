"""Lazy automata: a node is a suspended coroutine, an edge what it is sent there; both are made when first needed.

As in the lazy automaton of a regular expression. A missing edge is made by sending to a coroutine that stands at
the node: one is kept parked there, and when it has gone on, a fresh one is run along what first led there. Nodes
whose keys are equal are one node.

That rests on a coroutine being a function of what it is told. So what outlives an execution is compared with
what it was, after every edge at first and now and then later; and whatever is run again, some nodes for no other
reason, must await the same and come to the same state.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType
from typing import Any, ClassVar, Final, Generic, NamedTuple, TypeVar
from weakref import finalize

from ..context import discard
from ..errors import ModelError
from .encoding import Encoder
from .identity import identity_of
from .keys import Key, Unmergeable
from .statics import Statics

Coroutine = Any
"""A coroutine of whatever it yields and is sent."""

Label = TypeVar("Label", bound=tuple[int, ...])

_CHECKED: Final = 16
"""Edges after each of which the statics are compared; it costs as much as many edges."""
_CHECKED_EVERY: Final = 512
"""Later."""
_REPEATED: Final = 32
"""Nodes that are each run to once more; later those whose number is a power of two."""
_PARKED: Final = 1 << 13
"""Suspended coroutines that are kept, the youngest; some kilobytes each."""


class Stop(NamedTuple, Generic[Label]):
    """Where a coroutine has come to: what its node is labelled with, and whether it is still suspended there."""

    label: Label
    suspended: bool


class Lazy(ABC, Generic[Label]):
    """The automata of several coroutines, which share the nodes that they have in common."""

    all_live: ClassVar[bool] = False
    """Whether locals that cannot be read any more keep nodes apart; for tests."""

    def __init__(self, bodies: Sequence[Callable[[], Coroutine]]) -> None:
        self._bodies = bodies
        self._statics = Statics(bodies)
        self._encoder = Encoder(self._statics, all_live=self.all_live)
        self._by_key: dict[Key, int] = {}
        self._keys: list[Key | None] = []
        """Of each node, without its label."""
        self._origins: list[tuple[int, int]] = []
        """Of each node: the node and what was sent there that first led to it; of a start: (-1 - body, 0)."""
        self._parked: dict[int, Coroutine] = {}
        finalize(self, _discard_all, self._parked)
        self._edges = 0
        self.labels: list[Label] = []
        """Of each node."""
        self.unmergeable: dict[str, int] = {}
        """Why states could not be compared and where, and how many."""
        self.starts = [self._start(number) for number in range(len(bodies))]

    def follow(self, node: int, sent: int) -> int:
        """The node that an edge leads to; it is made if it is new."""
        coroutine = self._parked.pop(node, None) or self._again(node)
        return self._arrive(coroutine, (node, sent), self._told(node, sent))

    def identity(self, node: int) -> int:
        """What stands for a node in every process."""
        key = self._keys[node]
        if key is None:  # like no other: known by the way there
            origin, sent = self._origins[node]
            key = (origin, sent) if origin < 0 else (self.identity(origin), sent)
        return identity_of((*self._named(self.labels[node]), *key))

    def check(self) -> None:
        """Raise `ModelError` if a coroutine has changed what outlives an execution."""
        self._statics.check()

    def discard(self) -> None:
        """Drop whatever is suspended."""
        _discard_all(self._parked)

    @abstractmethod
    def _told(self, node: int, sent: int) -> object:
        """What a number stands for that is sent at a node."""

    def _named(self, label: Label) -> Sequence[object]:
        """A label without numbers that mean nothing in another process; this one has none."""
        return label

    @abstractmethod
    def _send(self, coroutine: Coroutine, told: object) -> Stop[Label]:
        """Go on with a coroutine, to where it stops next."""

    def _start(self, body: int) -> int:
        return self._arrive(self._bodies[body](), (-1 - body, 0), None)

    def _arrive(self, coroutine: Coroutine, origin: tuple[int, int], told: object) -> int:
        stop = self._send(coroutine, told)
        if stop.suspended:
            # from here on it is discarded with the others, whatever is refused
            self._parked[-1] = coroutine
        self._edges += 1
        if self._edges <= _CHECKED or self._edges % _CHECKED_EVERY == 0:
            self._statics.check()
        key = self._key(coroutine, stop)
        number = None if key is None else self._by_key.get(key)
        if number is None:
            number = self._add(stop.label, key, origin)
        if stop.suspended:
            self._park(number, self._parked.pop(-1))
        return number

    def _add(self, label: Label, key: Key | None, origin: tuple[int, int]) -> int:
        number = len(self.labels)
        self.labels.append(label)
        self._keys.append(None if key is None else key[len(label) :])
        self._origins.append(origin)
        if key is not None:
            self._by_key[key] = number
        if number < _REPEATED or number & (number - 1) == 0:
            again, stop = self._run_to(number)
            if stop.suspended:
                self._park(number, again)
        return number

    def _park(self, number: int, coroutine: Coroutine) -> None:
        if number in self._parked:
            discard(coroutine)
            return
        self._parked[number] = coroutine
        if len(self._parked) > _PARKED:
            discard(self._parked.pop(next(iter(self._parked))))

    def _key(self, coroutine: Coroutine, stop: Stop[Label]) -> Key | None:
        if not stop.suspended:
            return stop.label
        try:
            return (*stop.label, *self._encoder.key(coroutine))
        except Unmergeable as why:
            self.unmergeable[str(why)] = self.unmergeable.get(str(why), 0) + 1
            return None

    def _again(self, node: int) -> Coroutine:
        """A fresh coroutine, brought to a node the way that first led there."""
        return self._run_to(node)[0]

    def _run_to(self, node: int) -> tuple[Coroutine, Stop[Label]]:
        path: list[tuple[int, int]] = []
        at = node
        while at >= 0:
            origin, sent = self._origins[at]
            path.append((at, sent))
            at = origin
        coroutine = self._bodies[-1 - at]()
        previous = at
        for at, sent in reversed(path):
            told = None if previous < 0 else self._told(previous, sent)
            stop = self._send(coroutine, told)
            if stop.label != self.labels[at]:
                raise self._different(coroutine, stop)
            previous = at
        if stop.suspended and not self._is_at(coroutine, stop, node):
            raise self._different(coroutine, stop)
        return coroutine, stop

    def _is_at(self, coroutine: Coroutine, stop: Stop[Label], node: int) -> bool:
        """Whether a coroutine that was run to a node has come to its state, as far as that can be told."""
        key = self._key(coroutine, stop)
        return key is None or self._by_key.get(key) == node

    def _different(self, coroutine: Coroutine, stop: Stop[Label]) -> ModelError:
        where = _where(coroutine)
        if stop.suspended:
            discard(coroutine)
        return ModelError(
            f"{coroutine.__qualname__}{where} does not do the same when it is told the same: it depends on "
            "something besides what it awaits, such as the time, random numbers or the address of an object"
        )


def _discard_all(parked: dict[int, Coroutine]) -> None:
    while parked:
        discard(parked.popitem()[1])


def _where(coroutine: Coroutine) -> str:
    """The file and line of the innermost frame in which a coroutine is suspended."""
    found = ""
    current: object = coroutine
    while current is not None:
        frame: FrameType | None = None
        inner: object = None
        if isinstance(current, CoroutineType):
            frame, inner = current.cr_frame, current.cr_await
        elif isinstance(current, GeneratorType):
            frame, inner = current.gi_frame, current.gi_yieldfrom
        elif isinstance(current, AsyncGeneratorType):
            frame, inner = current.ag_frame, current.ag_await
        if frame is not None:
            found = f" ({frame.f_code.co_filename}:{frame.f_lineno})"
        current = inner
    return found
