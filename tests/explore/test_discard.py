"""Dropping a suspended protocol performs nothing more, and ends."""

from collections.abc import Callable, Coroutine
from typing import Final

import pytest

from stackweave.core.context import discard
from stackweave.core.errors import ModelError

from .protocols import ask

Performed = list[str]


class Scope:
    def __init__(self, performed: Performed, swallows: bool) -> None:
        self._performed = performed
        self._swallows = swallows

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> bool:
        await ask(5)
        self._performed.append("exit")
        return self._swallows


async def with_finally(performed: Performed) -> None:
    try:
        await ask(1)
    finally:
        await ask(2)
        performed.append("finally")


async def with_scope(performed: Performed) -> None:
    async with Scope(performed, swallows=False):
        await ask(1)
    performed.append("after")


async def with_swallowing_scope(performed: Performed) -> None:
    async with Scope(performed, swallows=True):
        await ask(1)
    performed.append("after")


async def nested(performed: Performed) -> None:
    try:
        await with_scope(performed)
    finally:
        await with_finally(performed)
        performed.append("outer")


async def catching(performed: Performed) -> None:
    try:
        await ask(1)
    except BaseException:
        await ask(2)
        performed.append("caught")


async def failing(performed: Performed) -> None:
    try:
        await ask(1)
    finally:
        raise ValueError


PROTOCOLS: Final[tuple[Callable[[Performed], Coroutine[object, object, None]], ...]] = (
    with_finally,
    with_scope,
    with_swallowing_scope,
    nested,
    catching,
    failing,
)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_is_performed(
    protocol: Callable[[Performed], Coroutine[object, object, None]],
) -> None:
    performed: Performed = []
    suspended = protocol(performed)
    assert suspended.send(None) == 1
    discard(suspended)
    assert performed == []
    with pytest.raises(RuntimeError, match="already awaited"):
        suspended.send(None)


@pytest.mark.parametrize("protocol", PROTOCOLS[:4])
def test_closing_would_run_the_cleanup(
    protocol: Callable[[Performed], Coroutine[object, object, None]],
) -> None:
    """Planted: what `discard` is for."""
    suspended = protocol([])
    suspended.send(None)
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        suspended.close()
    discard(suspended)


def test_one_that_has_not_begun() -> None:
    performed: Performed = []
    discard(with_finally(performed))
    assert performed == []


def test_one_that_never_ends_is_refused() -> None:
    async def stubborn() -> None:
        while True:
            try:
                await ask()
            except BaseException:
                if over:
                    return

    over = False
    suspended = stubborn()
    suspended.send(None)
    with pytest.raises(ModelError, match="goes on after it was discarded"):
        discard(suspended)
    over = True
    discard(suspended)
