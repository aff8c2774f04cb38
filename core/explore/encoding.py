"""When two suspended protocols are equal: one canonical key for an object graph, by content and never by identity.

The key of a frame is its code, its place, its locals by name with unbound ones marked, and its evaluation stack;
what it awaits lies on that stack, so the whole chain counts. Scalars count by type and value, containers and
plain objects by content, an object that is met again by a reference back, so that aliases stay aliases. What was
there before the program began (its layout, its handles, the objects that protocols are methods of) is `Statics`:
it counts by where it was found, and must not change, which `Statics.check` compares.

What has no key raises `Unmergeable`, which names it: the node is then like no other, which is right and slower.
Code objects and classes count by identity: they outlive the engine, and no key leaves it.
"""

from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from enum import Enum
from functools import partial
from itertools import count
from types import (
    BuiltinFunctionType,
    BuiltinMethodType,
    CellType,
    CodeType,
    FunctionType,
    MappingProxyType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Final, TypeAlias, cast

from ..errors import ModelError
from .frames import SUSPENDED, UNBOUND, Suspended, anatomy

Key: TypeAlias = Hashable

_EMPTY_CELL: Final = ("cell",)
_SCALARS: Final = frozenset(
    {bool, float, complex, str, bytes, type(None), type(Ellipsis), type(NotImplemented)}
)
_ATOMS: Final = (
    type,
    CodeType,
    ModuleType,
    BuiltinFunctionType,
    BuiltinMethodType,
    MethodDescriptorType,
    WrapperDescriptorType,
    property,
)
"""They are what they are: no program changes them."""
_IDENTICAL: Final = (Enum, type, CodeType, ModuleType, MethodDescriptorType, WrapperDescriptorType)
_ITERATORS: Final = frozenset(
    {
        type(iter([])),
        type(iter(())),
        type(iter("")),
        type(iter(b"")),
        type(iter(range(0))),
        type(iter(range(1 << 70))),
        type(iter({})),
        type(iter({}.values())),
        type(iter({}.items())),
        type(iter(set())),
        type(iter(deque())),
        type(reversed([])),
        type(reversed(())),
        enumerate,
        zip,
        map,
        filter,
        type(count()),
    }
)
"""Iterators whose `__reduce__` tells all that they will give."""


class Unmergeable(Exception):
    """A value that has no key."""


class Statics:
    """What is reachable from a program's protocols before they run: numbered, and not to be changed by them."""

    def __init__(self, roots: Iterable[object]) -> None:
        self._numbers: dict[int, int] = {}
        self._objects: list[object] = []
        self._paths: list[str] = []
        waiting = deque((root, f"argument {at}") for at, root in enumerate(roots))
        while waiting:
            value, path = waiting.popleft()
            if id(value) in self._numbers or _is_atomic(value):
                continue
            if type(value) not in (tuple, frozenset):
                self._numbers[id(value)] = len(self._objects)
                self._objects.append(value)
                self._paths.append(path)
            waiting.extend((part, f"{path}{name}") for name, part in _parts(value))
        self._before = self._fingerprints()

    def number(self, value: object) -> int | None:
        """The number of a static object; None for another one."""
        return self._numbers.get(id(value))

    def check(self) -> None:
        """Raise `ModelError`, with its name, for an object that a protocol has changed: it is then no function of
        what it was told."""
        for path, before, now in zip(self._paths, self._before, self._fingerprints(), strict=True):
            if before != now:
                raise ModelError(
                    f"a protocol changes {path}, which lives longer than one execution: keep it in declared "
                    "memory, or in a local variable"
                )

    def _fingerprints(self) -> list[object]:
        return [self._fingerprint(value) for value in self._objects]

    def _fingerprint(self, value: object) -> object:
        """The parts by identity, which is enough: they are kept alive, or static and compared themselves."""
        return [
            (name, part if type(part) in _SCALARS or type(part) is int else id(part))
            for name, part in _parts(value)
        ]


class Encoder:
    """Makes the keys of one program's suspended protocols."""

    def __init__(self, statics: Statics) -> None:
        self._statics = statics

    def key(self, suspended: Suspended) -> Key:
        """The key of a suspended protocol. Raises `Unmergeable`."""
        return _Walk(self._statics).encode(suspended)


class _Walk:
    """One key under construction: the objects met so far, in order."""

    def __init__(self, statics: Statics) -> None:
        self._static = statics.number
        self._met: dict[int, int] = {}
        self._alive: list[object] = []
        """Parts made on the way, whose identity must not be given to another one meanwhile."""

    def encode(self, value: object) -> Key:
        kind = type(value)
        if kind is int:
            return value
        if kind in _SCALARS:
            return kind, value if kind is not float else value.hex()  # type: ignore[attr-defined]  # of a float
        number = self._static(value)
        if number is not None:
            return "static", number
        if isinstance(value, _IDENTICAL):
            return "atom", value
        if value is UNBOUND:
            return "unbound"
        if kind is range or kind is slice:
            bounds = cast("range | slice", value)
            return kind, bounds.start, bounds.stop, bounds.step
        if kind is tuple:
            return kind, tuple(map(self.encode, cast("tuple[object, ...]", value)))
        if isinstance(value, Hashable) and _is_frozen(value):
            return kind, tuple(self.encode(part) for _, part in _parts(value))
        return self._reference(value)

    def _reference(self, value: object) -> Key:
        """An object with an identity: by content the first time, by its ordinal later."""
        met = self._met.get(id(value))
        if met is not None:
            return "again", met
        self._met[id(value)] = len(self._met)
        self._alive.append(value)
        return self._content(value)

    def _content(self, value: object) -> Key:
        kind = type(value)
        if isinstance(value, SUSPENDED):
            return self._frame(value)
        if kind in (list, deque):
            return kind, tuple(map(self.encode, cast("Sequence[object]", value)))
        if kind is dict:
            items = cast("dict[object, object]", value).items()
            return kind, tuple((self.encode(key), self.encode(item)) for key, item in items)
        if kind in (set, frozenset):
            return kind, frozenset(map(self.encode, cast("set[object]", value)))
        if kind is CellType:
            return self._cell(cast(CellType, value))
        if isinstance(value, FunctionType):
            return (
                "function",
                value.__code__,
                *self._all(value.__closure__, value.__defaults__, value.__kwdefaults__),
            )
        if isinstance(value, MethodType):
            return "method", self.encode(value.__func__), self.encode(value.__self__)
        if isinstance(value, BuiltinMethodType | BuiltinFunctionType):
            return "builtin", value.__name__, self.encode(value.__self__)
        if isinstance(value, partial):
            return "partial", *self._all(value.func, value.args, value.keywords)
        if kind in _ITERATORS:
            return self._iterator(value)
        if kind.__name__ == "coroutine_wrapper":
            return self._wrapper(value)
        if isinstance(value, BaseException):
            return kind, *self._all(value.args, value.__dict__, value.__cause__, value.__context__)
        return self._object(value)

    def _all(self, *values: object) -> tuple[Key, ...]:
        return tuple(map(self.encode, values))

    def _frame(self, suspended: Suspended) -> Key:
        parts = anatomy(suspended)
        if parts is None:
            return "ended", type(suspended)
        return parts.code, parts.offset, self._all(*parts.locals), self._all(*parts.stack)

    def _cell(self, cell: CellType) -> Key:
        try:
            content = cell.cell_contents
        except ValueError:
            return _EMPTY_CELL
        return "cell", self.encode(content)

    def _iterator(self, iterator: object) -> Key:
        reduced = iterator.__reduce__()
        self._alive.append(reduced)
        return type(iterator), self.encode(tuple(reduced))

    def _wrapper(self, wrapper: object) -> Key:
        """What `__await__` of a coroutine gives: it has but the coroutine."""
        from gc import get_referents

        return "wrapper", *self._all(*get_referents(wrapper))

    def _object(self, value: object) -> Key:
        kind = type(value)
        if not _is_plain(kind):
            raise Unmergeable(f"a {kind.__qualname__} has no content that can be compared")
        return kind, tuple((name, self.encode(part)) for name, part in _parts(value))


def _is_atomic(value: object) -> bool:
    kind = type(value)
    return kind is int or kind in _SCALARS or isinstance(value, (*_ATOMS, Enum))


def _is_frozen(value: object) -> bool:
    """A frozen dataclass or a named tuple: it has no identity that matters."""
    kind = type(value)
    parameters = getattr(kind, "__dataclass_params__", None)
    if parameters is not None:
        return bool(parameters.frozen)
    return isinstance(value, tuple) and hasattr(kind, "_fields")


def _is_plain(kind: type) -> bool:
    """Whether all that an instance is lies in its attributes."""
    return all(base is object or base.__flags__ & (1 << 9) for base in kind.__mro__)


def _parts(value: object) -> list[tuple[str, object]]:
    """What an object refers to, with how it is said in Python."""
    kind = type(value)
    if isinstance(value, dict | MappingProxyType):
        parts = [(f"[{key!r}]", item) for key, item in value.items()]
        return parts + [(f" key {key!r}", key) for key in value if not _is_atomic(key)]
    parts = []
    if isinstance(value, list | tuple | deque):
        parts = [(f"[{at}]", item) for at, item in enumerate(value)]
    elif isinstance(value, set | frozenset):
        parts = [(f"{{{item!r}}}", item) for item in value]
    elif isinstance(value, FunctionType):
        return _function_parts(value)
    elif isinstance(value, MethodType):
        return [("", value.__func__), (".__self__", value.__self__)]
    elif isinstance(value, partial):
        return [(".func", value.func), (".args", value.args), (".keywords", value.keywords)]
    elif kind is CellType:
        try:
            return [("", cast(CellType, value).cell_contents)]
        except ValueError:
            return []
    return parts + [(f".{name}", getattr(value, name)) for name in _attributes(value)]


def _function_parts(function: FunctionType) -> list[tuple[str, object]]:
    """Its closure, its defaults, and the mutable globals that it names."""
    names = function.__code__.co_freevars
    parts = [
        (f" {name}", cell) for name, cell in zip(names, function.__closure__ or (), strict=True)
    ]
    parts += [(" default", default) for default in function.__defaults__ or ()]
    parts += [(f" default {name}", each) for name, each in (function.__kwdefaults__ or {}).items()]
    for name in function.__code__.co_names:
        if isinstance(function.__globals__.get(name), list | dict | set | deque):
            parts.append((f" global {name}", function.__globals__[name]))
    return [(f"{function.__qualname__}:{name}", part) for name, part in parts]


_SLOTS: Final[dict[type, tuple[str, ...]]] = {}


def _attributes(value: object) -> list[str]:
    kind = type(value)
    slots = _SLOTS.get(kind)
    if slots is None:
        declared = [base.__dict__.get("__slots__", ()) for base in kind.__mro__]
        names = [name for each in declared for name in ([each] if isinstance(each, str) else each)]
        slots = _SLOTS[kind] = tuple(
            dict.fromkeys(n for n in names if n not in ("__dict__", "__weakref__"))
        )
    present = [name for name in slots if hasattr(value, name)]
    return present + list(getattr(value, "__dict__", ()))
