"""Twins: states that a key must tell apart, each with the naive key that does not, and states that must be one."""

import itertools
import re
import struct
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from functools import lru_cache
from typing import Final, cast

import pytest

from stackweave.core.context import discard
from stackweave.core.errors import ModelError
from stackweave.core.explore.encoding import Encoder
from stackweave.core.explore.frames import Suspended
from stackweave.core.explore.interning import Interning
from stackweave.core.explore.keys import Key, Unmergeable
from stackweave.core.explore.statics import Statics
from stackweave.core.memory import Word

from .naive import naive_key
from .protocols import ask
from .twins import (
    DIFFERENT,
    Colour,
    Low,
    Lower,
    Plain,
    Point,
    Scope,
    Slotted,
    Twin,
    made,
    twice,
    values_,
)


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
        r"value in made\.<locals>\.holds \(.*twins\.py:\d+\): .+", str(refused.value)
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
    assert list(map(repr, _real_keys(holds, (holds,)))) == [repr(left), repr(right)]


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
