"""States that a key must tell apart, each with what the naive key omits that does not."""

import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from functools import partial
from typing import Final, NamedTuple

from .protocols import ask

Twin = Callable[[int], Coroutine[object, object, object]]
"""A coroutine of which side it is, 0 or 1; it stops at its last `ask`, and can tell the sides apart afterwards,
or cannot."""


class Slotted:
    __slots__ = ("__hidden", "shown")

    def __init__(self, hidden: int) -> None:
        self.__hidden = hidden
        self.shown = 1


class Plain:
    def __init__(self, value: object) -> None:
        self.value = value

    def get(self) -> object:
        return self.value


class ListOf(list[int]):
    name = "class"


class Count(int):
    pass


@dataclass(frozen=True)
class Point:
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Holder:
    held: list[int] = field(default_factory=list)


class Low(IntEnum):
    ZERO = 0


class Lower(IntEnum):
    ZERO = 0


class Colour(Enum):
    RED = 1
    BLUE = 2


class Named(NamedTuple):
    x: object


class Scope:
    def __init__(self, number: int) -> None:
        self.number = number

    async def __aenter__(self) -> None:
        await ask()

    async def __aexit__(self, *_: object) -> None:
        await ask(self.number)


def values_(left: object, right: object) -> Twin:
    """One local that holds one of two values."""

    async def holds(side: int) -> object:
        value = (left, right)[side]
        del side
        await ask()
        return value

    return holds


def made(make: Callable[[int], object]) -> Twin:
    """One local that holds what is made while it runs."""

    async def holds(side: int) -> object:
        value = make(side)
        del side
        await ask()
        return value

    return holds


async def unbound(side: int) -> object:
    if side:
        x = 7
    else:
        y = 7
    del side
    await ask()
    return x, y


async def on_the_stack(side: int) -> object:
    first = side
    return (first, (side := 0), (first := 0), await ask())


async def set_aside(side: int) -> object:
    """From 3.12 a comprehension puts the outer variables of the same names on the stack, NULL if unbound."""
    if side:
        x = 7
    else:
        y = 7
    del side
    [(x, y) for x in (1,) for y in (await ask(),)]
    return x, y


async def places(side: int) -> None:
    if side:
        side = 0
        await ask()
    else:
        await ask()
        await ask()


async def aliases(side: int) -> object:
    first = [1]
    second = first if side else [1]
    del side
    await ask()
    second.append(2)
    return first


async def aliased_attributes(side: int) -> object:
    thing = Plain(1)
    inside = thing.__dict__ if side else {"value": 1}
    del side
    await ask()
    inside["value"] = 2
    return thing.value


async def handling(side: int) -> None:
    error: BaseException = KeyError(side)
    del side
    try:
        raise error
    except KeyError:
        del error
        await ask()
        raise


async def cells(side: int) -> object:
    value = side
    del side

    def captured() -> int:
        return value

    await ask()
    return captured()


async def closures(side: int) -> object:
    def make(value: int) -> Callable[[], int]:
        return lambda: value

    function = make(side)
    del side
    await ask()
    return function()


def twice() -> Iterator[int]:
    yield 1
    yield 1


async def generators(side: int) -> object:
    generator = twice()
    next(generator)
    if side:
        next(generator)
    del side
    await ask()
    return list(generator)


async def half_way(side: int) -> object:
    iterator = iter([5, 5, 5])
    if side:
        next(iterator)
    del side
    await ask()
    return list(iterator)


async def nested(side: int) -> object:
    """The states differ in what the awaited coroutine awaits."""

    async def inner(value: int) -> int:
        await ask()
        return value

    awaited = inner(side)
    del side
    return await awaited


def _padded(side: int) -> set[int]:
    members = {1, 2, 3} if side else {1, 2}
    members.discard(3)
    return members


async def local_class(side: int) -> object:
    error = StopIteration(side)
    error.args = ()
    del side
    await ask()
    return error.value


def _error(side: int) -> object:
    return OSError(1, "x", f"file{side}")


def _noted(side: int) -> object:
    error = ValueError()
    error.add_note(f"note {side}")
    return error


DIFFERENT: Final[dict[str, tuple[Twin, str]]] = {
    "unbound locals": (unbound, "marks"),
    "values on the stack": (on_the_stack, "stack"),
    "places": (places, "place"),
    "aliases": (aliases, "aliases"),
    "aliases of attributes": (aliased_attributes, "aliases"),
    "the exception that is handled": (handling, "exception"),
    "cells": (cells, "cells"),
    "closures": (closures, "functions"),
    "generators": (generators, "place"),
    "iterators half-way": (half_way, "iterators"),
    "a coroutine that is awaited": (nested, "chain"),
    "1 and True": (values_(1, True), "types"),
    "1 and 1.0": (values_(1, 1.0), "types"),
    "1 and True in a tuple": (values_((1,), (True,)), "types"),
    "0.0 and -0.0": (values_(0.0, -0.0), "sign of zero"),
    "0j and -0j": (values_(0j, complex(0.0, -0.0)), "sign of zero"),
    "0.0 and -0.0 in a dataclass": (
        made(lambda side: Point(-0.0 if side else 0.0, 1.0)),
        "sign of zero",
    ),
    "members of two enumerations": (values_(Low.ZERO, Lower.ZERO), "types"),
    "members of one enumeration": (made(lambda side: Colour(1 + side)), "attributes"),
    "order of a dict": (
        made(lambda side: {1: 1, 2: 2} if side else {2: 2, 1: 1}),
        "order",
    ),
    "order of a set": (made(lambda side: {0, 8} if side else {8, 0}), "order"),
    "a place that a member of a set left": (made(_padded), "order"),
    "a private slot": (made(Slotted), "slots"),
    "an attribute": (made(Plain), "attributes"),
    "an attribute of a list": (made(lambda side: _with(ListOf([1]), side)), "attributes"),
    "an attribute of an int": (made(lambda side: _with(Count(1), side)), "attributes"),
    "items of a subclass": (made(lambda side: ListOf([side])), "content"),
    "a bound method's self": (made(lambda side: Plain(side).get), "self"),
    "a list's method": (made(lambda side: [side].append), "self"),
    "arguments of a partial": (made(lambda side: partial(max, side)), "self"),
    "what a frozen dataclass holds": (made(lambda side: Holder([side])), "slots"),
    "named tuples": (made(lambda side: Named([side])), "content"),
    "the value of StopIteration": (local_class, "slots"),
    "the file of an OSError": (made(_error), "slots"),
    "notes": (made(_noted), "attributes"),
    "bytes": (values_(b"a", b"b"), "content"),
    "enumerate": (made(lambda side: enumerate("ab", side)), "iterators"),
    "zip": (made(lambda side: zip("ab", [side], strict=False)), "iterators"),
}
if sys.version_info >= (3, 12):
    DIFFERENT["variables set aside"] = (set_aside, "empty places")


def _with(value: object, attribute: object) -> object:
    value.__dict__["attribute"] = attribute
    return value
