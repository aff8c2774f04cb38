"""The facts of this Python that the automata rest on, and that one that is not true is refused."""

import gc
from collections.abc import Callable
from typing import cast

import pytest

from stackweave.core import UsageError
from stackweave.core.context import discard
from stackweave.core.explore import frames, selftest
from stackweave.core.explore.frames import MISSING, Anatomy, Suspended, anatomy
from stackweave.core.explore.hashed import layout_of

from .protocols import Body, ask


@pytest.mark.parametrize("fact", selftest.FACTS)
def test_facts(fact: str) -> None:
    assert selftest.FACTS[fact]()


@pytest.mark.parametrize("fact", selftest.FACTS)
def test_a_python_without_a_fact_is_refused(fact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(selftest.FACTS, fact, lambda: False)
    with pytest.raises(UsageError, match=f"does not know this Python.*{fact}"):
        selftest.self_test()


def _without_marks(suspended: Suspended) -> Anatomy | None:
    """Planted: what `gc.get_referents` gives, as if it left out nothing."""
    parts = anatomy(suspended)
    if parts is None:
        return None
    return parts._replace(
        places=[part for part in parts.places if part is not MISSING] + [None] * 9
    )


def _without_stack(suspended: Suspended) -> Anatomy | None:
    parts = anatomy(suspended)
    return parts and parts._replace(places=parts.places[: len(parts.shape.names)])


def _without_place(suspended: Suspended) -> Anatomy | None:
    parts = anatomy(suspended)
    return parts and parts._replace(offset=0)


def _without_exception(suspended: Suspended) -> Anatomy | None:
    parts = anatomy(suspended)
    return parts and parts._replace(handled=None)


@pytest.mark.parametrize(
    "wrong", [_without_marks, _without_stack, _without_place, _without_exception]
)
def test_the_self_test_sees_a_wrong_anatomy(
    wrong: Callable[[Suspended], Anatomy | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selftest, "anatomy", wrong)
    with pytest.raises(UsageError, match="does not know this Python"):
        selftest.self_test()


def test_an_unknown_frame_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    suspended = ask()
    next(suspended)

    def one_too_many(suspended: Suspended, shape: frames.Shape) -> list[int]:
        return [*_words(suspended, shape), 1]

    _words = frames._words
    monkeypatch.setattr(frames, "_words", one_too_many)
    with pytest.raises(UsageError, match="in an unknown way"):
        anatomy(cast(Suspended, suspended))


async def _one_of_two(which: int) -> object:
    if which:
        x: object = 7
    else:
        y: object = 7
    del which
    await ask()
    return x, y


def _places(body: Body) -> Anatomy:
    suspended = body()
    suspended.send(None)
    parts = anatomy(cast(Suspended, suspended))
    discard(suspended)  # type: ignore[arg-type]  # what it returns does not matter
    assert parts is not None
    return parts


def test_referents_alone_do_not_tell_an_unbound_local() -> None:
    left, right = _places(lambda: _one_of_two(1)), _places(lambda: _one_of_two(0))
    shown = [[part for part in each.places if part is not MISSING] for each in (left, right)]
    assert shown[0][0] == shown[1][0] == 7
    assert left.places[:3] == [MISSING, 7, MISSING]
    assert right.places[:3] == [MISSING, MISSING, 7]


def test_looking_makes_no_dictionary_of_locals() -> None:
    """It would keep values alive that the protocol has let go."""
    suspended = _one_of_two(1)
    suspended.send(None)
    anatomy(cast(Suspended, suspended))
    assert not any(isinstance(each, dict) for each in gc.get_referents(suspended))
    discard(suspended)  # type: ignore[arg-type]  # what it returns does not matter


def test_the_function_of_a_frame() -> None:
    parts = _places(lambda: _one_of_two(1))
    assert parts.function is cast(object, _one_of_two)


def test_layouts_of_sets() -> None:
    """Members in one another's way: what came first is in its place."""
    assert list({8, 0}) != list({0, 8})
    assert layout_of({1, 2}) == layout_of({2, 1})
    removed = {1, 2, 3}
    removed.discard(3)
    assert removed == {1, 2}
    assert layout_of(removed) != layout_of({1, 2})
    popped = {1, 2, 3}
    popped.pop()
    assert layout_of(popped) != layout_of({2, 3})
    for size in (0, 4, 5, 100, 1000):
        layout = layout_of(frozenset(range(size)))
        assert layout is not None
        assert layout.used == (1 << size) - 1
        assert layout.removed == 0
