"""Planted: a key of suspended coroutines that leaves out one thing, and so takes different ones for equal."""

from collections.abc import Callable
from functools import partial
from types import BuiltinFunctionType, CellType, FunctionType, MethodType
from typing import Final, cast

from stackweave.core.explore.frames import MISSING, SUSPENDED, Anatomy, Suspended, anatomy
from stackweave.core.explore.parts import attributes, makeup, slot

OMISSIONS: Final = frozenset(
    {
        "marks",
        "stack",
        "chain",
        "empty places",
        "place",
        "types",
        "sign of zero",
        "aliases",
        "order",
        "exception",
        "iterators",
        "cells",
        "slots",
        "attributes",
        "content",
        "functions",
        "self",
    }
)


def naive_key(suspended: object, omitting: str) -> object:
    """The key without one of `OMISSIONS`."""
    assert omitting in OMISSIONS
    return _Naive(omitting).key(suspended)


class _Naive:
    def __init__(self, omitting: str) -> None:
        self._omits = omitting
        self._met: dict[int, int] = {}
        self._alive: list[object] = []

    def key(self, value: object) -> object:
        if isinstance(value, int | float | complex | str | bytes | type(None) | type):
            return self._scalar(value)
        if type(value) is tuple:
            return (tuple, *map(self.key, value))
        if self._omits != "aliases":
            if id(value) in self._met:
                return "again", self._met[id(value)]
            self._met[id(value)] = len(self._met)
        self._alive.append(value)
        return self._content(value)

    def _scalar(self, value: object) -> object:
        if self._omits == "types":
            return value
        if self._omits == "content" and type(value) not in (int, float, bool, str, type(None)):
            return "scalar"
        kind = type(value)
        exact = value if self._omits == "sign of zero" else repr(value)
        inside = attributes(value) if hasattr(value, "__dict__") and kind is not type else {}
        if self._omits == "attributes":
            inside = {}
        return kind, exact, tuple(inside.items())

    def _content(self, value: object) -> object:
        if isinstance(value, SUSPENDED):
            nested = len(self._met) > 1
            return "suspended" if nested and self._omits == "chain" else self._frame(value)
        if isinstance(value, CellType):
            return () if self._omits == "cells" else self._cell(value)
        if isinstance(value, MethodType | BuiltinFunctionType):
            return value.__name__, () if self._omits == "self" else self.key(value.__self__)
        if isinstance(value, FunctionType):
            kept = () if self._omits == "functions" else self.key(value.__closure__ or ())
            return value.__code__, kept, self.key(value.__defaults__)
        if isinstance(value, partial):
            return self.key(value.func), () if self._omits == "self" else self.key(value.args)
        if isinstance(value, set | frozenset):
            members = tuple(map(self.key, value))
            return frozenset(members) if self._omits == "order" else members
        if isinstance(value, dict):
            pairs = tuple((self.key(name), self.key(item)) for name, item in value.items())
            return frozenset(pairs) if self._omits == "order" else pairs
        if type(value) is list:
            return tuple(map(self.key, value))
        if type(value).__name__.startswith("async_generator"):
            return id(value)
        if hasattr(value, "__next__"):
            return type(value), () if self._omits == "iterators" else self.key(value.__reduce__())
        return self._instance(value)

    def _cell(self, cell: CellType) -> object:
        try:
            return self.key(cell.cell_contents)
        except ValueError:
            return "empty"

    def _instance(self, value: object) -> object:
        parts = makeup(type(value))
        if parts is None:
            return type(value).__name__
        key: tuple[object, ...] = (type(value),)
        if self._omits != "slots":
            key += tuple(self.key(slot(each, value)) for each in parts.slots)
        if parts.content is not None and self._omits != "content":
            key += (self.key(parts.content(value)),)
        if isinstance(value, BaseException) and self._omits != "content":
            key += (self.key(value.args), self.key(value.__context__))
        if parts.has_dict and self._omits != "attributes":
            key += tuple(self.key(each) for each in attributes(value).values())
        return key

    def _frame(self, value: object) -> object:
        parts = anatomy(cast(Suspended, value))
        if parts is None:
            return "ended"
        locals_, stack = _split(parts)
        if self._omits == "marks":
            locals_ = [each for each in locals_ if each is not MISSING]
        if self._omits == "empty places":
            stack = [each for each in stack if each is not MISSING]
        if self._omits == "stack":
            stack = [each for each in stack if isinstance(each, SUSPENDED)]
        handled = None if self._omits == "exception" else parts.handled
        place = 0 if self._omits == "place" else parts.offset
        return (
            parts.shape.code,
            place,
            tuple(map(self.key, locals_)),
            tuple(map(self.key, stack)),
            self.key(handled),
        )


def _split(parts: Anatomy) -> tuple[list[object], list[object]]:
    count = len(parts.shape.names)
    return parts.places[:count], parts.places[count:]


Naive = Callable[[object], object]
