"""Monitors as automata: a node awaits an event, an edge is one."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from ..errors import ModelError, ViolationFound
from ..monitor import Monitor
from .interning import Interning
from .lazy import Coroutine, Lazy, Stop

WATCHING: Final = 0
ENDED: Final = 1
VIOLATED: Final = 2


class Watching(NamedTuple):
    """How a monitor stands at a node."""

    kind: int
    violation: int


class Watchers(Lazy[Watching]):
    """The automata of a program's monitors. Their starts are their first nodes, one each, in order."""

    def __init__(
        self, monitors: Sequence[Monitor], objects: Interning, violations: Interning
    ) -> None:
        self._monitors = monitors
        self._objects = objects
        self._violations = violations
        super().__init__([monitor.body for monitor in monitors])

    def routes(self, event: object) -> list[int]:
        """The monitors that an event belongs to."""
        return [number for number, each in enumerate(self._monitors) if each.accepts(event)]

    def _told(self, node: int, sent: int) -> object:
        return self._objects.value(sent)

    def _named(self, label: Watching) -> Sequence[object]:
        if label.kind != VIOLATED:
            return label
        return label._replace(violation=self._violations.identity(label.violation))

    def _send(self, coroutine: Coroutine, told: object) -> Stop[Watching]:
        try:
            coroutine.send(told)
        except StopIteration:
            return Stop(Watching(ENDED, 0), suspended=False)
        except ViolationFound as found:
            number = self._violations.number((found.property, found.signature))
            return Stop(Watching(VIOLATED, number), suspended=False)
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(f"a monitor failed: {type(error).__name__}: {error}") from error
        return Stop(Watching(WATCHING, 0), suspended=True)
