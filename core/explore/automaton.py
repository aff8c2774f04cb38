"""Protocols as automata: a node awaits an operation, an edge is its result."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from ..cint import U64_MASK
from ..context import Body
from ..errors import ModelError, UsageError, ViolationFound
from ..operations import CHECK, EMIT, RECEIVE, SEND, TRY_SEND, Operation
from .interning import Interning
from .lazy import Coroutine, Lazy, Stop

ENDED: Final = -1
RAISED: Final = -2
"""Kinds of nodes at which nothing is awaited: the protocol has returned, or broken a property."""

_CARRIES_OBJECT: Final = frozenset({EMIT, SEND, TRY_SEND})


class Awaited(NamedTuple):
    """What is awaited at a node, in integers."""

    kind: int
    """Without its order; `ENDED` or `RAISED`."""
    address: int
    a: int
    """The number of an event or message; of a CHECK's or RAISED one's violation."""
    b: int


class Automaton(Lazy[Awaited]):
    """The automata of a program's protocols."""

    def __init__(self, bodies: Sequence[Body], objects: Interning, violations: Interning) -> None:
        self._objects = objects
        self._violations = violations
        super().__init__(bodies)

    def _told(self, node: int, sent: int) -> object:
        if self.labels[node].kind == RECEIVE:
            return self._objects.value(sent)
        return sent & U64_MASK

    def _named(self, label: Awaited) -> Sequence[object]:
        if label.kind in _CARRIES_OBJECT:
            return label._replace(a=self._objects.identity(label.a))
        if label.kind in (CHECK, RAISED):
            return label._replace(a=self._violations.identity(label.a))
        return label

    def _send(self, coroutine: Coroutine, told: object) -> Stop[Awaited]:
        try:
            awaited: Operation = coroutine.send(told)
        except StopIteration:
            return Stop(Awaited(ENDED, 0, 0, 0), suspended=False)
        except ViolationFound as found:
            return self._raised(found.property, found.signature)
        except (ModelError, UsageError):
            raise
        except Exception as error:
            return self._raised("crash", f"crash:{type(error).__name__}")
        kind, address, a, b = awaited
        kind &= ~3
        if kind in _CARRIES_OBJECT:
            a = self._objects.number(a)
        elif kind == CHECK:
            a = self._violations.number(("check", str(a)))
        return Stop(Awaited(kind, address, _signed(a), _signed(b)), suspended=True)

    def _raised(self, property: str, signature: str) -> Stop[Awaited]:
        number = self._violations.number((property, signature))
        return Stop(Awaited(RAISED, 0, number, 0), suspended=False)


def _signed(word: object) -> int:
    """A word as the engine has it: 64 bits, signed."""
    assert isinstance(word, int)
    word &= U64_MASK
    return word - (1 << 64) if word >> 63 else word
