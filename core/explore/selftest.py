"""The facts of this Python that the engine rests on, tried when it is imported."""

import gc
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from typing import Final, cast

from ..errors import UsageError
from .frames import MISSING, Anatomy, Suspended, anatomy
from .hashed import layout_of


class _Mark:
    """An object that is itself alone."""


class _Scope:
    async def __aenter__(self) -> int:
        return 1

    async def __aexit__(self, *_: object) -> None:
        pass


class _Awaits:
    """Suspends once."""

    def __await__(self) -> Generator[object, object, object]:
        return (yield None)


async def _one_of_two(first: object, second: object, which: bool) -> object:
    if which:
        x = first
    else:
        y = first
    del which
    pair = (second, await _Awaits())
    return pair, x, y


async def _scope_and_loop(items: tuple[int, ...]) -> object:
    total: list[object] = []
    for item in items:
        async with _Scope() as entered:
            total.append((entered, item, await _Awaits()))
    return total


async def _handles(mark: object) -> None:
    try:
        raise KeyError(mark)
    except KeyError:
        await _Awaits()


async def _captures(mark: object) -> object:
    def captured() -> object:
        return mark

    await _Awaits()
    return captured()


async def _calls(mark: object) -> object:
    return (lambda *all_of_them: all_of_them)(mark, await _Awaits())


async def _sets_aside(value: object) -> object:
    return [inner for inner in (1, 2) if await _Awaits()], value


def _stopped(protocol: Coroutine[object, object, object], steps: int = 1) -> Anatomy:
    for _ in range(steps):
        protocol.send(None)
    parts = anatomy(cast(Suspended, protocol))
    protocol.close()
    assert parts is not None
    return parts


def _named(parts: Anatomy, name: str) -> object:
    return parts.places[parts.shape.names.index(name)]


def _stack(parts: Anatomy) -> list[object]:
    return parts.places[len(parts.shape.names) :]


def _locals_by_name() -> bool:
    mark = _Mark()
    left = _stopped(_one_of_two(mark, None, True))
    right = _stopped(_one_of_two(mark, None, False))
    return (
        _named(left, "x") is mark is _named(right, "y")
        and _named(left, "y") is MISSING is _named(right, "x")
        and _named(left, "which") is MISSING
    )


def _values_on_the_stack() -> bool:
    mark = _Mark()
    stack = _stack(_stopped(_one_of_two(None, mark, True)))
    return stack[0] is mark and len(stack) == 2


def _empty_places_on_the_stack() -> bool:
    mark = _Mark()
    stack = _stack(_stopped(_calls(mark)))
    return stack[2] is mark and MISSING in stack[:2] and len(stack) == 4


def _variables_set_aside() -> bool:
    """From 3.12 a comprehension runs in the frame that it is in."""
    parts = _stopped(_sets_aside(1))
    aside = _stack(parts)[0]
    return sys.version_info < (3, 12) or aside is MISSING


def _scopes() -> bool:
    stack = _stack(_stopped(_scope_and_loop((1, 2)), 2))
    exits = [value for value in stack if getattr(value, "__name__", "") == "__aexit__"]
    return len(exits) == 1


def _iterators() -> bool:
    stack = _stack(_stopped(_scope_and_loop((1, 2)), 2))
    return any(type(value) is type(iter(())) for value in stack)


def _handled_exceptions() -> bool:
    parts = _stopped(_handles(None))
    return isinstance(parts.handled, KeyError)


def _cells() -> bool:
    mark = _Mark()
    cell = _named(_stopped(_captures(mark)), "mark")
    return getattr(cell, "cell_contents", None) is mark


def _beginnings() -> bool:
    fresh = _handles(mark := _Mark())
    parts = anatomy(cast(Suspended, fresh))
    fresh.close()
    later = _stopped(_handles(mark))
    return parts is not None and parts.offset < later.offset and _named(parts, "mark") is mark


def _ends() -> bool:
    protocol = _handles(None)
    protocol.send(None)
    with suppress(StopIteration):
        protocol.send(None)
    return anatomy(cast(Suspended, protocol)) is None


def _wrappers() -> bool:
    protocol = _handles(None)
    wrapper = protocol.__await__()
    found = gc.get_referents(wrapper) == [protocol]
    protocol.close()
    return found


def _sets() -> bool:
    members = {1, 2, 3 + 8}
    whole = layout_of(members)
    members.discard(2)
    holed = layout_of(members)
    large = layout_of(set(range(100)))
    return (
        whole == (7, 0, 0b1110, 0)
        and holed == (7, 0, 0b1010, 0b100)
        and large is not None
        and large.used == (1 << 100) - 1
    )


FACTS: Final[dict[str, Callable[[], bool]]] = {
    "locals are known by name, unbound ones as such": _locals_by_name,
    "values on the stack are seen": _values_on_the_stack,
    "empty places of the stack are seen": _empty_places_on_the_stack,
    "variables that a comprehension sets aside are seen": _variables_set_aside,
    "the exit of a scope lies on the stack": _scopes,
    "the iterator of a loop lies on the stack": _iterators,
    "the exception that is handled is seen": _handled_exceptions,
    "captured variables lie in cells": _cells,
    "a coroutine that has not begun is known": _beginnings,
    "a coroutine that has ended is known": _ends,
    "what awaits a coroutine refers to it alone": _wrappers,
    "a set says how it is laid out": _sets,
}


def _is_true(holds: Callable[[], bool]) -> bool:
    try:
        return holds()
    except (UsageError, IndexError, ValueError):
        return False


def self_test() -> None:
    """Try on this Python what the engine relies on. Raises `UsageError` where it does not hold."""
    for fact, holds in FACTS.items():
        if not _is_true(holds):
            version = ".".join(map(str, sys.version_info[:3]))
            raise UsageError(
                f"the engine does not know this Python, {version}: not true that {fact}"
            )
