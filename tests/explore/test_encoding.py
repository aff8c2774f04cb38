"""Twins: states that a key must tell apart, each with the naive key that does not, and states that must be one."""

import itertools
import re
import struct
import sys
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from functools import lru_cache, partial
from typing import Final, NamedTuple, cast

import pytest

from stackweave.core.context import discard
from stackweave.core.errors import ModelError
from stackweave.core.explore.encoding import Encoder, Key, Unmergeable
from stackweave.core.explore.frames import Suspended
from stackweave.core.explore.interning import Interning
from stackweave.core.explore.statics import Statics
from stackweave.core.memory import Word

from .naive import naive_key
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


def _keys(twin: Twin, key: Callable[[object], object]) -> list[object]:
    found = []
    for side in (0, 1):
        coroutine = twin(side)
        coroutine.send(None)
        try:
            found.append(key(coroutine))
        finally:
            discard(coroutine)  # type: ignore[arg-type]  # what it returns does not matter
    return found


def _real_keys(twin: Twin, roots: tuple[object, ...] = ()) -> list[Key]:
    encoder = Encoder(Statics(roots))
    return cast("list[Key]", _keys(twin, lambda suspended: encoder.key(cast(Suspended, suspended))))


@pytest.mark.parametrize("name", DIFFERENT)
def test_different_states_have_different_keys(name: str) -> None:
    left, right = _real_keys(DIFFERENT[name][0])
    assert left != right


@pytest.mark.parametrize("name", DIFFERENT)
def test_the_naive_key_takes_them_for_equal(name: str) -> None:
    """Else the omission is not what the twin is about."""
    twin, omitting = DIFFERENT[name]
    left, right = _keys(twin, lambda suspended: naive_key(suspended, omitting))
    assert left == right


def scopes(number: int) -> Twin:
    async def enters(side: int) -> object:
        del side
        async with Scope(number):
            return await ask()

    return enters


async def dead(side: int) -> None:
    value = side
    side += value
    await ask()


SAME: Final[dict[str, Twin]] = {
    "numbers": values_(1 << 70, 1 << 70),
    "texts": made(lambda _: "".join(["a", "b"])),
    "lists": made(lambda _: [1, [2]]),
    "sets": made(lambda side: {1, 2} if side else {2, 1}),
    "objects": made(lambda _: Plain(Plain(1))),
    "slots": made(lambda _: Slotted(1)),
    "handles": made(lambda _: Word(16, "word")),
    "frozen dataclasses": made(lambda _: Point(1.0, 2.0)),
    "members of an enumeration": made(lambda _: Colour(1)),
    "methods": made(lambda _: Plain(1).get),
    "functions": made(lambda _: lambda: 1),
    "exceptions": made(lambda _: KeyError("a")),
    "groups of exceptions": made(lambda _: ExceptionGroup("a", [KeyError(1)])),
    "iterators": made(lambda _: iter([1, 2])),
    "maps": made(lambda _: map(abs, (1, 2))),
    "deques": made(lambda _: deque([1], maxlen=3)),
    "bytearrays": made(lambda _: bytearray(b"a")),
    "generators": made(lambda _: twice()),
    "slices": made(lambda _: slice(1, 2)),
    "scopes": scopes(1),
    "classes": values_(Plain, Plain),
    "patterns of sharing": made(lambda _: [shared := [1], shared]),
}


def _cycle(_: int) -> object:
    ring: list[object] = [1]
    ring.append(ring)
    return ring


SAME["rings"] = made(_cycle)


@pytest.mark.parametrize("name", SAME)
def test_equal_states_have_one_key(name: str) -> None:
    left, right = _real_keys(SAME[name])
    assert left == right
    assert hash(left) == hash(right)


def test_an_unequal_exit_is_told_apart() -> None:
    """The `__aexit__` on the stack counts by what it is bound to."""
    encoder = Encoder(Statics(()))
    keys = {_key(encoder, scopes(number)) for number in (1, 1, 2)}
    assert len(keys) == 2


def _key(encoder: Encoder, twin: Twin, side: int = 0) -> Key:
    coroutine = twin(side)
    coroutine.send(None)
    try:
        return encoder.key(cast(Suspended, coroutine))
    finally:
        discard(coroutine)  # type: ignore[arg-type]  # what it returns does not matter


def test_locals_that_cannot_be_read_do_not_count() -> None:
    left, right = _real_keys(dead)
    assert left == right
    everything = Encoder(Statics(()), all_live=True)
    assert _key(everything, dead, 0) != _key(everything, dead, 1)


HIDDEN: Final[dict[str, Callable[[int], object]]] = {
    "a pattern": lambda _: re.compile("a"),
    "a format": lambda _: struct.Struct("I"),
    "a count": lambda _: itertools.count(),
    "a cache": lambda _: lru_cache(len),
    "an ordered dict": lambda _: OrderedDict(a=1),
    "a default dict": lambda _: defaultdict(list),
    "a weak reference": lambda _: weakref.ref(Plain),
    "a memory view": lambda _: memoryview(b"a"),
    "a property": lambda _: property(len),
    "an iterator over a dict": lambda _: iter({1: 2}),
    "an iterator over a set": lambda _: iter({1}),
    "an iterator over a deque": lambda _: iter(deque([1])),
    "a set by address": lambda _: {Plain(1)},
    "a class": lambda _: type("Made", (), {"__qualname__": "f.<locals>.Made"}),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_cannot_be_compared_is_named_with_its_place(name: str) -> None:
    encoder = Encoder(Statics(()))
    with pytest.raises(Unmergeable) as refused:
        _key(encoder, made(HIDDEN[name]))
    assert re.fullmatch(
        r"value in made\.<locals>\.holds \(.*test_encoding\.py:\d+\): .+", str(refused.value)
    )


def test_a_deep_graph_is_no_crash() -> None:
    def chain(_: int) -> object:
        link: list[object] = []
        for _ in range(100_000):
            link = [link]
        return link

    with pytest.raises(Unmergeable, match="too deep"):
        _key(Encoder(Statics(())), made(chain))


def test_a_wide_graph_is_no_memory() -> None:
    with pytest.raises(Unmergeable, match="too large"):
        _key(Encoder(Statics(())), made(lambda _: [[number] for number in range(200_000)]))


def test_statics_count_by_where_they_were_found() -> None:
    first, second = Word(16, "word"), Word(16, "word")

    async def holds(side: int) -> object:
        handle = (first, second)[side]
        del side
        await ask()
        return handle

    left, right = _real_keys(holds, (holds,))
    assert left != right
    assert _real_keys(holds, (holds,)) == [left, right]


def test_interned_values_differ_as_their_keys_do() -> None:
    objects = Interning()
    different = [
        1,
        True,
        1.0,
        (1,),
        (True,),
        Point(0.0, 1.0),
        Point(-0.0, 1.0),
        Low.ZERO,
        Lower.ZERO,
        0,
    ]
    assert [objects.number(each) for each in different] == list(range(len(different)))
    assert objects.number(Point(0.0, 1.0)) == 5
    one, two = Plain(1), Plain(1)
    assert objects.number((one,)) == objects.number((one,)) != objects.number((two,))


def test_what_cannot_be_hashed_is_no_message() -> None:
    with pytest.raises(ModelError, match="no message or event"):
        Interning().number([1])
