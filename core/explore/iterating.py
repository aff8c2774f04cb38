"""Iterators whose whole state can be told, and what a suspended coroutine awaits through.

An iterator over a dict, a set or a deque fails, or skips, when what it goes through is changed meanwhile, and
does not say how much of that it has seen: it is known only where nothing can change, over a static one.
"""

import gc
from collections import deque
from collections.abc import Mapping
from types import CoroutineType
from typing import Final


class Unknown(Exception):
    """An iterator that does not tell its state."""


_OVER_MUTABLE: Final[frozenset[type]] = frozenset(
    {
        type(iter({})),
        type(iter({}.values())),
        type(iter({}.items())),
        type(reversed({})),
        type(reversed({}.values())),
        type(reversed({}.items())),
        type(iter(set())),
        type(iter(deque())),
        type(reversed(deque())),
    }
)
KINDS: Final[frozenset[type]] = _OVER_MUTABLE | {
    type(iter([])),
    type(iter(())),
    type(iter("")),
    type(iter("é")),
    type(iter(b"")),
    type(iter(bytearray())),
    type(iter(range(0))),
    type(iter(range(1 << 70))),
    type(reversed([])),
    reversed,
    enumerate,
    zip,
    map,
    filter,
}
"""Iterators whose `__reduce__` tells all that they will give."""


def _wrapper_type() -> type:
    async def nothing() -> None: ...

    coroutine = nothing()
    wrapper = type(coroutine.__await__())
    coroutine.close()
    return wrapper


COROUTINE_WRAPPER: Final = _wrapper_type()


def referents(wrapper: object) -> list[object]:
    """The coroutine of a coroutine wrapper."""
    found = gc.get_referents(wrapper)
    return [each for each in found if isinstance(each, CoroutineType)]


def remaining(iterator: object, statics: Mapping[int, int]) -> tuple[object, ...]:
    """What an iterator will give, and of what. Raises `Unknown`."""
    kind = type(iterator)
    if kind in _OVER_MUTABLE and not _over(iterator, statics):
        raise Unknown(f"a {kind.__name__} over what may change: go through a tuple of it")
    try:
        reduced = iterator.__reduce__()
    except (RuntimeError, TypeError) as error:
        raise Unknown(f"a {kind.__name__}: {error}") from None
    return tuple(reduced)


def _over(iterator: object, statics: Mapping[int, int]) -> bool:
    """Whether it goes through a static object; an exhausted one goes through nothing any more."""
    return any(
        id(each) in statics
        for each in gc.get_referents(iterator)
        if isinstance(each, dict | set | frozenset | deque)
    )
