"""How the objects of a program's own world are looked at: what each refers to, and how that is said in Python."""

import dis
import pickle
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable
from enum import EnumType
from functools import cache, cached_property, lru_cache, partial
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Final, NamedTuple, cast

from .frames import MISSING, SUSPENDED, anatomy
from .iterating import KINDS
from .parts import attributes, makeup, slot

Parts = list[object]


class View(NamedTuple):
    """How one object is looked at."""

    look: Callable[[], Parts]
    """What it refers to now."""
    names: Callable[[], list[str]]
    """Of the parts that a look finds, in the same order; fewer where the others have none."""


_ATOMS: Final = frozenset(
    {int, bool, float, complex, str, bytes, range, type(None), type(Ellipsis)}
    | {type(NotImplemented), type(MISSING), CodeType, ModuleType}
    | {GetSetDescriptorType, MemberDescriptorType, MethodDescriptorType, WrapperDescriptorType}
)
"""Nothing changes them."""
_WRAPPERS: Final = (staticmethod, classmethod, type(lru_cache(repr)))
_STORE_GLOBAL: Final = dis.opmap["STORE_GLOBAL"]
_HERE: Final = __name__.partition(".")[0]


def is_atom(value: object) -> bool:
    """Whether an object cannot change, or is not the program's business."""
    kind = type(value)
    if kind in _ATOMS or isinstance(value, EnumType):
        return True
    return isinstance(value, FunctionType | type) and _is_library(str(value.__module__))


@cache
def _is_library(module: str) -> bool:
    """Whether a module belongs to Python or to an installed package."""
    top = module.partition(".")[0]
    if top == _HERE:
        return False
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return top in sys.stdlib_module_names or "site-packages" in file or "dist-packages" in file


def view_of(value: object) -> View:
    """How to look at an object."""
    if type(value) is dict:
        return _mapping(value)
    if type(value) in _SEQUENCES:
        return _sequence(value)
    for kinds, make in _VIEWS:
        if isinstance(value, kinds):
            return make(value)
    return _instance(value) if makeup(type(value)) is not None else _opaque(value)


def _sequence(value: object) -> View:
    elements = cast("Iterable[object]", value)
    return View(lambda: list(elements), lambda: [f"[{at}]" for at in range(len(list(elements)))])


def _mapping(value: object) -> View:
    entries = cast("dict[object, object]", value)
    return View(
        lambda: [*entries, *entries.values()],
        lambda: [*(f" key {key!r}" for key in entries), *(f"[{key!r}]" for key in entries)],
    )


def _method(value: object) -> View:
    method = cast(MethodType, value)
    return View(lambda: [method.__func__, method.__self__], lambda: ["", " self"])


def _partial(value: object) -> View:
    applied = cast("partial[object]", value)
    names = [
        "",
        *(f" argument {at}" for at in range(len(applied.args))),
        *(f" argument {name}" for name in applied.keywords),
    ]
    return View(
        lambda: [applied.func, *applied.args, *applied.keywords.values()],
        lambda: names,
    )


def _cell_content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


def _cell(value: object) -> View:
    return View(lambda: [_cell_content(cast(CellType, value))], lambda: [""])


def _function(value: object) -> View:
    function = cast(FunctionType, value)
    code, space = function.__code__, function.__globals__
    watched = _globals(code, space)
    spaces = [(found.get, name) for found, name, _ in watched]
    # a closure's cells stay, and so do defaults unless all are set anew
    fixed: Parts = [
        *(function.__closure__ or ()),
        *(function.__defaults__ or ()),
        *(function.__kwdefaults__ or {}).values(),
    ]

    def look() -> Parts:
        now = [get(name, MISSING) for get, name in spaces]
        return [
            *fixed,
            *now,
            function.__code__,
            function.__defaults__,
            *function.__dict__.values(),
        ]

    def names() -> list[str]:
        here = f", {function.__qualname__} ({code.co_filename}:{code.co_firstlineno})"
        said = [
            *(f" closes over {name}" for name in code.co_freevars),
            *(f" default {at}" for at in range(len(function.__defaults__ or ()))),
            *(f" default {name}" for name in function.__kwdefaults__ or {}),
            *(f" global {path}" for _, _, path in watched),
            ".__code__",
            ".__defaults__",
            *(f".{name}" for name in function.__dict__),
        ]
        return [here + each for each in said]

    return View(look, names)


def _globals(
    code: CodeType, space: "dict[str, object]"
) -> list[tuple["dict[str, object]", str, str]]:
    """The globals that a code names, and the members that it may name of those that are modules."""
    names, stored = _names(code), _stored(code)
    found = [(space, name, name) for name in names if name in space or name in stored]
    for module in names:
        members = vars(space[module]) if isinstance(space.get(module), ModuleType) else {}
        found += [(members, name, f"{module}.{name}") for name in names if name in members]
    return found


def _names(code: CodeType) -> list[str]:
    """Of a code and of those within it."""
    names = dict.fromkeys(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names.update(dict.fromkeys(_names(constant)))
    return list(names)


def _stored(code: CodeType) -> frozenset[str]:
    """The globals that a code, or one within it, makes."""
    stores = _STORE_GLOBAL in code.co_code[::2]
    own = {
        each.argval
        for each in (dis.get_instructions(code) if stores else ())
        if each.opname == "STORE_GLOBAL"
    }
    inner = (_stored(each) for each in code.co_consts if isinstance(each, CodeType))
    return frozenset(own).union(*inner)


def _builtin(value: object) -> View:
    method = cast(BuiltinFunctionType, value)
    return View(lambda: [method.__self__], lambda: [" self"])


def _class(value: object) -> View:
    kind = cast(type, value)
    members = vars(kind)
    return View(
        lambda: [*members.values(), *kind.__bases__],
        lambda: [*(f".{name}" for name in members), *(" base" for _ in kind.__bases__)],
    )


def _wrapper(value: object) -> View:
    return View(lambda: [cast("staticmethod[..., object]", value).__wrapped__], lambda: [""])


def _property(value: object) -> View:
    each = cast(property, value)
    return View(lambda: [each.fget, each.fset, each.fdel], lambda: [""] * 3)


def _cached_property(value: object) -> View:
    return View(lambda: [cast("cached_property[object]", value).func], lambda: [""])


def _suspended(value: object) -> View:
    def look() -> Parts:
        parts = anatomy(value)  # type: ignore[arg-type]  # one of its types: the view is found by it
        return [MISSING] if parts is None else [parts.offset, parts.handled, *parts.places]

    return View(look, lambda: [" place"])


def _octets(value: object) -> View:
    return View(lambda: [bytes(cast(bytearray, value))], lambda: [""])


def _iterator(value: object) -> View:
    def look() -> Parts:
        try:
            return [repr(value.__reduce__()[1:])]
        except (RuntimeError, TypeError) as error:
            return [str(error)]

    return View(look, lambda: [""])


def _opaque(value: object) -> View:
    """An object of C code, through what it says when it is stored or shown."""

    def look() -> Parts:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return [pickle.dumps(value)]
            except (
                Exception
            ):  # what is pickled decides what it raises: its __reduce__ may be anybody's
                return [repr(value)]

    return View(look, lambda: [""])


def _instance(value: object) -> View:
    known = makeup(type(value))
    assert known is not None
    content, slots = known.content, known.slots

    def inside() -> tuple[object, ...]:
        found = () if content is None else content(value)
        return found if isinstance(found, tuple) else (found,)

    def held() -> dict[str, object]:
        return attributes(value) if known.has_dict else {}

    def look() -> Parts:
        if content is None and not known.has_dict:
            return [slot(descriptor, value) for descriptor in slots]
        return [*(slot(each, value) for each in slots), *inside(), *held().values()]

    def names() -> list[str]:
        own = [f".{descriptor.__name__}" for descriptor in slots]
        return [*own, *(f"[{at}]" for at in range(len(inside()))), *(f".{name}" for name in held())]

    return View(look, names)


_VIEWS: Final[tuple[tuple[tuple[type, ...], Callable[[object], View]], ...]] = (
    (SUSPENDED, _suspended),
    ((MappingProxyType,), _mapping),
    ((FunctionType,), _function),
    ((MethodType,), _method),
    ((BuiltinFunctionType, MethodWrapperType), _builtin),
    ((partial,), _partial),
    ((CellType,), _cell),
    (_WRAPPERS, _wrapper),
    ((property,), _property),
    ((cached_property,), _cached_property),
    ((bytearray,), _octets),
    (tuple(KINDS), _iterator),
    ((type,), _class),
)
"""Those that are no instance of a Python class, and classes; subclasses of containers are instances."""
_SEQUENCES: Final = frozenset({list, tuple, set, frozenset, deque})
