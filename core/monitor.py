"""Specifications are monitors: coroutines that await the next event and raise a violation.

A monitor is sliced: each property has one small instance for each task and tracer, or reader, that it is
about, and an instance sees only the events of its slice. Instances start at their first event,
run in lock-step with the program, and end when they report: one violation an instance and execution.
"""

from collections.abc import Callable, Coroutine, Generator, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import coroutine
from typing import Final, NoReturn, cast

from .context import discard
from .errors import ModelError, ViolationFound

Instance = Coroutine[object, object, None]
Specification = Callable[[], Instance]

_ROUTES: Final = 1 << 14
"""Events whose monitors are remembered."""


@dataclass(frozen=True, slots=True)
class Monitor:
    """One property, for one slice."""

    property: str
    slice: str
    """What it is about, such as "task0 tracer1"; part of explanations, not of signatures."""
    body: Specification = field(repr=False)
    accepts: Callable[[object], bool] = field(repr=False)
    """Whether an event belongs to the slice. Depends on the event alone."""


@coroutine
def next_event() -> Generator[None, object, object]:
    """Await the next event of the slice."""
    return (yield None)


def violate(signature: str, explanation: str) -> NoReturn:
    """Report a violation from a monitor. The signature is the property's name, perhaps with a variant:
    "late" or "late:after-reset"."""
    raise ViolationFound(signature.partition(":")[0], signature, explanation)


class MonitorSet:
    """The monitors of one execution."""

    __slots__ = ("_monitors", "_routes", "_running")

    def __init__(self, monitors: Sequence[Monitor]) -> None:
        self._monitors = tuple(monitors)
        self._running: list[Instance | None] = []
        self._routes: dict[Hashable, tuple[int, ...]] = {}

    def reset(self) -> None:
        """Back to no event seen."""
        self.discard()
        self._running = [_NOT_STARTED] * len(self._monitors)

    def discard(self) -> None:
        """Drop the instances that still run."""
        for instance in self._running:
            if instance is not None and instance is not _NOT_STARTED:
                discard(instance)
        self._running = []

    def standing(self, key: Callable[[Instance], Hashable]) -> tuple[Hashable, ...]:
        """Each monitor's key; None where it has ended. One that saw no event stands at its beginning."""
        return tuple(map(partial(self._key, key), range(len(self._running))))

    def _key(self, key: Callable[[Instance], Hashable], index: int) -> Hashable:
        instance = self._running[index]
        if instance is not _NOT_STARTED:
            return None if instance is None else key(instance)
        fresh = self._monitors[index].body()
        fresh.send(None)
        try:
            return key(fresh)
        finally:
            discard(fresh)

    def observe(self, event: object) -> list[ViolationFound]:
        """Show an event to every monitor whose slice it belongs to; the violations that they report."""
        found: list[ViolationFound] = []
        for index in self._route(event):
            instance = self._running[index]
            if instance is _NOT_STARTED:
                instance = self._running[index] = self._monitors[index].body()
                instance.send(None)
            if instance is not None:
                self._show(index, instance, event, found)
        return found

    def _show(
        self,
        index: int,
        instance: Instance,
        event: object,
        found: list[ViolationFound],
    ) -> None:
        try:
            instance.send(event)
        except ViolationFound as violation:
            self._running[index] = None
            monitor = self._monitors[index]
            if violation.property != monitor.property:
                raise ModelError(
                    f"monitor {monitor.property} reports {violation.signature}"
                ) from violation
            explanation = f"{monitor.slice}: {violation.explanation}"
            found.append(ViolationFound(violation.property, violation.signature, explanation))
        except StopIteration:
            self._running[index] = None
        except ModelError:
            raise
        except Exception as error:
            name = self._monitors[index].property
            raise ModelError(f"monitor {name} failed: {type(error).__name__}: {error}") from error

    def _route(self, event: object) -> tuple[int, ...]:
        key = cast(Hashable, (type(event), event))
        route = self._routes.get(key)
        if route is None:
            if len(self._routes) >= _ROUTES:
                self._routes.clear()  # a long run has new cookies, and so new events, without end
            route = tuple(i for i, monitor in enumerate(self._monitors) if monitor.accepts(event))
            self._routes[key] = route
        return route


async def _never() -> None:
    """Stands for a monitor that has not started."""


_NOT_STARTED = _never()
_NOT_STARTED.close()
