"""What an object consists of: the state that Python code can give it, read without running any of its own code.

A class that Python code defined keeps everything in slots and a `__dict__`, behind the content of the built-in
type it derives from, if any. A class of C code may keep more, which nobody sees: it has no parts.
"""

from collections import deque
from collections.abc import Callable
from types import (
    GetSetDescriptorType,
    MemberDescriptorType,
    SimpleNamespace,
)
from typing import Final, NamedTuple, cast

from .frames import MISSING

_HEAP: Final = 1 << 9
_IMMUTABLE: Final = 1 << 8
"""Flags of a type (Include/object.h): made at run time; attributes cannot be set. C code may make types of the
first kind, and marks almost all of them as of the second."""
_WORD: Final = 8

Content = Callable[[object], object]


def _items(value: object) -> object:
    return tuple(dict.items(cast("dict[object, object]", value)))


CONTENTS: Final[dict[type, Content | None]] = {
    object: None,
    SimpleNamespace: None,
    BaseException: None,
    int: cast(Content, int.__index__),
    float: cast(Content, float.__float__),
    str: cast(Content, str.__str__),
    bytes: lambda value: bytes.__getitem__(cast(bytes, value), slice(None)),
    tuple: lambda value: tuple(tuple.__iter__(cast("tuple[object, ...]", value))),
    list: lambda value: tuple(list.__iter__(cast("list[object]", value))),
    deque: lambda value: (
        tuple(deque.__iter__(cast("deque[object]", value))),
        cast("deque[object]", value).maxlen,
    ),
    dict: _items,
}
"""Built-in types that others derive from, and how their own content is read, as an exact built-in value."""


class Makeup(NamedTuple):
    """How the instances of a class are taken apart."""

    content: Content | None
    slots: tuple[MemberDescriptorType, ...]
    has_dict: bool
    value: bool
    """Whether equal instances are the same: a named tuple, a frozen dataclass that compares by content."""


_known: Final[dict[type, Makeup | None]] = {}


def makeup(kind: type) -> Makeup | None:
    """How instances of a class are taken apart; None for a class that may hide something."""
    if kind not in _known:
        _known[kind] = _makeup(kind)
    return _known[kind]


def _makeup(kind: type) -> Makeup | None:
    own = [base for base in kind.__mro__ if base not in CONTENTS and not _is_exception(base)]
    if not all(_is_python(base) for base in own):
        return None
    layout = next((b for b in kind.__mro__ if b in CONTENTS and b is not object), object)
    exception = next((base for base in kind.__mro__ if _is_exception(base)), None)
    slots = tuple(
        descriptor
        for base in kind.__mro__
        for descriptor in vars(base).values()
        if isinstance(descriptor, MemberDescriptorType)
    )
    has_dict = kind.__dictoffset__ != 0
    if any(type(vars(base).get("__dict__")) not in _DICTS for base in own):
        return None
    beneath = exception or layout
    known = beneath.__basicsize__ + _WORD * sum(len(_slots(base)) for base in own)
    room = (_WORD if has_dict else 0) + (_WORD if kind.__weakrefoffset__ else 0)
    if not known <= kind.__basicsize__ <= known + room:
        return None
    return Makeup(CONTENTS[layout], slots, has_dict, _is_value(kind))


_DICTS: Final = (type(None), GetSetDescriptorType)


def _is_exception(base: type) -> bool:
    return issubclass(base, BaseException) and not _is_python(base)


def _is_python(base: type) -> bool:
    return bool(base.__flags__ & _HEAP) and not base.__flags__ & _IMMUTABLE


def _slots(base: type) -> list[object]:
    return [each for each in vars(base).values() if isinstance(each, MemberDescriptorType)]


def _is_value(kind: type) -> bool:
    if issubclass(kind, tuple | int | float | str | bytes):
        return kind.__dictoffset__ == 0 or kind in CONTENTS
    parameters = vars(kind).get("__dataclass_params__")
    return parameters is not None and parameters.frozen and parameters.eq


def slot(descriptor: MemberDescriptorType, value: object) -> object:
    """What a slot holds, or `MISSING`."""
    try:
        return descriptor.__get__(value)
    except AttributeError:
        return MISSING


def attributes(value: object) -> dict[str, object]:
    """The `__dict__` of an object whose class has one that it did not make itself."""
    return cast("dict[str, object]", object.__getattribute__(value, "__dict__"))
