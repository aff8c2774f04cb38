"""Coroutines for tests of automata, without a program around them: they await numbers, and are sent numbers."""

from collections.abc import Callable, Coroutine, Generator, Sequence
from types import coroutine
from typing import ClassVar, cast

from stackweave.core.context import discard
from stackweave.core.explore.encoding import Encoder
from stackweave.core.explore.frames import Suspended
from stackweave.core.explore.keys import Key, Unmergeable
from stackweave.core.explore.lazy import Lazy, Stop
from stackweave.core.explore.statics import Statics

Body = Callable[[], Coroutine[object, object, object]]


@coroutine
def ask(what: int = 0) -> Generator[int, int, int]:
    """Await a number, be sent one."""
    return (yield what)


ENDED = -1
FAILED = -2


class Numbers(Lazy[tuple[int]]):
    """Automata of coroutines that ask."""

    merges: ClassVar[bool] = True

    def _told(self, node: int, sent: int) -> object:
        return sent

    def _send(self, coroutine: Coroutine[object, object, object], told: object) -> Stop[tuple[int]]:
        asked, suspended = step(coroutine, told)
        return Stop((asked,), suspended)


class Unmerged(Numbers):
    """The same without merging: a node for every way."""

    def _key(
        self, coroutine: Coroutine[object, object, object], stop: Stop[tuple[int]]
    ) -> Key | None:
        return None


class AllLive(Numbers):
    """The same with locals that cannot be read any more."""

    all_live = True


def step(coroutine: Coroutine[object, object, object], told: object) -> tuple[int, bool]:
    """What a coroutine asks next; how it ended, and False."""
    try:
        asked = coroutine.send(told)
    except StopIteration as stop:
        return ENDED - 10 * hash(repr(stop.value)) % 997, False
    except Exception as error:
        return FAILED - 1000 - 10 * hash(repr(error)) % 997, False
    assert isinstance(asked, int)
    return asked, True


def key_after(
    body: Body, told: Sequence[object] = (), *, all_live: bool = True, roots: Sequence[object] = ()
) -> Key:
    """The key of a fresh coroutine that was told all this."""
    coroutine = body()
    encoder = Encoder(Statics(roots or (body,)), all_live=all_live)
    try:
        for each in (None, *told):
            coroutine.send(each)
        return encoder.key(cast(Suspended, coroutine))
    finally:
        discard(coroutine)  # type: ignore[arg-type]  # what it returns does not matter


def merge(body: Body, left: Sequence[object], right: Sequence[object], **how: bool) -> bool:
    """Whether one coroutine that was told this and that is in one state. One encoder compares both."""
    encoder = Encoder(Statics((body,)), all_live=how.get("all_live", True))
    keys: list[Key | None] = []
    for told in (left, right):
        coroutine = body()
        try:
            for each in (None, *told):
                coroutine.send(each)
            keys.append(encoder.key(cast(Suspended, coroutine)))
        except Unmergeable:
            keys.append(None)
        finally:
            discard(coroutine)  # type: ignore[arg-type]  # what it returns does not matter
    assert None not in keys or keys == [None, None]
    return keys[0] == keys[1] and keys[0] is not None
