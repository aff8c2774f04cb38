"""What is reachable from a program's protocols before they run, and must be the same after: their statics.

Reachable is what a protocol's code can name: what it closes over, its defaults, the globals it uses, the members
of modules, the attributes of objects and of their classes, and the same of every function that is found so.
Functions and classes of Python's library and of installed packages are taken as they are; objects made of them
are not. A cache of `functools` is trusted to remember what its function would say again.

A protocol that changes any of it is no function of what it is told, and is refused by the name of what changed.
"""

from collections import deque
from collections.abc import Iterable
from operator import is_
from typing import NamedTuple

from ..errors import ModelError
from .parts import makeup
from .views import View, is_atom, view_of


class _Watched(NamedTuple):
    path: str
    view: View
    before: list[object]


class Statics:
    """The statics of a program: numbered, and compared with what they were."""

    def __init__(self, roots: Iterable[object]) -> None:
        self.numbers: dict[int, int] = {}
        """By the address of an object, which it keeps. Values have none: an equal one is the same."""
        self._seen: set[int] = set()
        self._kept: list[object] = []
        self._watched: list[_Watched] = []
        waiting = deque((root, f"argument {at}") for at, root in enumerate(roots))
        while waiting:
            value, path = waiting.popleft()
            if id(value) not in self._seen and not is_atom(value):
                waiting.extend(self._watch(value, path))

    def _watch(self, value: object, path: str) -> list[tuple[object, str]]:
        """What an object leads to, with its paths."""
        self._seen.add(id(value))
        self._kept.append(value)
        view = view_of(value)
        parts = view.look()
        kind = type(value)
        if kind not in (tuple, frozenset):
            known = makeup(kind)
            if known is None or not known.value:
                self.numbers[id(value)] = len(self.numbers)
            self._watched.append(_Watched(path, view, parts))
        names = view.names()
        names += [""] * (len(parts) - len(names))
        found = [
            (part, f"{path}{name}")
            for part, name in zip(parts, names, strict=True)
            if callable(part) or not name.startswith(".__")
        ]
        return [*found, (kind, f"class {kind.__qualname__}")]

    def check(self) -> None:
        """Raise `ModelError`, with its name, for an object that a protocol has changed."""
        for path, view, before in self._watched:
            now = view.look()
            if not _same(before, now):
                raise ModelError(
                    f"a protocol changes {path}{_part(view, before, now)}, which lives longer than one "
                    "execution: keep it in declared memory, or in a local variable"
                )


def _same(before: list[object], now: list[object]) -> bool:
    """Whether all parts are the same objects, or equal values that nothing changes."""
    if len(before) != len(now):
        return False
    return all(map(is_, before, now)) or all(map(_is, before, now))


def _is(old: object, new: object) -> bool:
    if old is new:
        return True
    if type(old) is not type(new) or not is_atom(old):
        return False
    return repr(old) == repr(new)


def _part(view: View, before: list[object], now: list[object]) -> str:
    """Which part has changed, as far as it has a name."""
    names = view.names()
    if len(before) != len(now) or len(names) != len(now):
        return ""
    return next(
        name for name, old, new in zip(names, before, now, strict=True) if not _is(old, new)
    )
