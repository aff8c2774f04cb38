"""One key under construction: how each kind of object writes itself (`core.explore.encoding`)."""

from collections import deque
from collections.abc import Callable
from enum import Enum
from functools import partial
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CellType,
    CodeType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from . import iterating
from .frames import MISSING, Shape, Suspended, anatomy
from .hashed import layout_of
from .keys import (
    AGAIN,
    ATOM,
    DEAD,
    ENDED,
    FALSE,
    HANDLED,
    STATIC,
    TRUE,
    UNBOUND,
    Key,
    Unmergeable,
)
from .parts import attributes, makeup, slot

if TYPE_CHECKING:
    from .encoding import Encoder

_BY_IDENTITY: Final = (type, Enum)
_LARGEST: Final = 50_000
"""Entries of a key; a larger one is not made."""


_RAW: Final = frozenset({int, str, type(None)})
"""They stand for themselves: nothing else in a key is one of theirs, save where a number is expected."""


class Walk:
    """One key under construction: what is written, and the objects met so far, in order."""

    __slots__ = ("_alive", "_encoder", "_met", "_out", "_statics")

    def __init__(self, encoder: "Encoder", statics: dict[int, int]) -> None:
        self._encoder = encoder
        self._statics = statics
        self._met: dict[int, int] = {}
        self._out: list[object] = []
        self._alive: list[object] = []
        """Objects made on the way, whose identity must not be given to another one meanwhile."""

    def key(self, suspended: Suspended) -> Key:
        try:
            self.write(suspended)
        except RecursionError:
            raise Unmergeable("an object is nested too deeply to be compared") from None
        return tuple(self._out)

    def write(self, value: object) -> None:
        kind = type(value)
        if kind in _RAW:
            self._out.append(value)
            return
        scalar = _SCALARS.get(kind)
        if scalar is not None:
            scalar(self, value)
            return
        place = id(value)
        number = self._statics.get(place)
        if number is not None:
            self._out += (STATIC, number)
            return
        met = self._met.get(place)
        if met is not None:
            self._out += (AGAIN, met)
            return
        by_value = _VALUES.get(kind)
        if by_value is not None:
            by_value(self, value)
        else:
            self._write_object(kind, value)

    def _write_object(self, kind: type, value: object) -> None:
        by_reference = _REFERENCES.get(kind)
        if by_reference is not None:
            self._meet(value)
            by_reference(self, value)
        elif issubclass(kind, _BY_IDENTITY):
            self._class_or_member(value)
        else:
            self._instance(kind, value)

    def _meet(self, value: object) -> None:
        if len(self._out) > _LARGEST:
            raise Unmergeable("a state is too large to be compared")
        self._met[id(value)] = len(self._met)

    def atom(self, value: object) -> None:
        self._out += (ATOM, self._encoder.atom(value))

    def singleton(self, value: object) -> None:
        self._out.append(UNBOUND if value is MISSING else type(value))

    def boolean(self, value: object) -> None:
        self._out.append(TRUE if value else FALSE)

    def number(self, value: object) -> None:
        self._out += (float, cast(float, value).hex())

    def complex_number(self, value: object) -> None:
        whole = cast(complex, value)
        self._out += (complex, whole.real.hex(), whole.imag.hex())

    def octets(self, value: object) -> None:
        self._out += (bytes, cast(bytes, value))

    def fixed(self, value: object) -> None:
        parts = cast("tuple[object, ...]", value)
        self._out += (tuple, len(parts))
        for part in parts:
            self.write(part)

    def bounds(self, value: object) -> None:
        bounds = cast("range | slice", value)
        self._out.append(type(bounds))
        for part in (bounds.start, bounds.stop, bounds.step):
            self.write(part)

    def hashed(self, value: object) -> None:
        members = cast("set[object]", value)
        layout = layout_of(members)
        if layout is None:
            raise Unmergeable("a set that this Python keeps in an unknown way")
        if any(_by_address(member) and id(member) not in self._statics for member in members):
            raise Unmergeable("a set of objects that are hashed by address: use a dict or a tuple")
        self._out += (type(members), len(members), *layout)
        for member in members:
            self.write(member)

    def sequence(self, value: object) -> None:
        parts = cast("list[object]", value)
        self._out += (type(parts), len(parts))
        if isinstance(parts, deque):
            self.write(parts.maxlen)
        for part in parts:
            self.write(part)

    def mapping(self, value: object) -> None:
        parts = cast("dict[object, object]", value)
        self._out += (dict, len(parts))
        for key, item in parts.items():
            self.write(key)
            self.write(item)

    def buffer(self, value: object) -> None:
        self._out += (bytearray, bytes(cast(bytearray, value)))

    def cell(self, value: object) -> None:
        self._out.append(CellType)
        try:
            content = cast(CellType, value).cell_contents
        except ValueError:
            content = MISSING
        self.write(content)

    def function(self, value: object) -> None:
        function = cast(FunctionType, value)
        self._out.append(FunctionType)
        self.atom(function.__code__)
        self.atom(function.__globals__)
        self._all(
            function.__closure__,
            function.__defaults__,
            function.__kwdefaults__,
            function.__dict__,
        )

    def method(self, value: object) -> None:
        """A bound method, of Python or of C: made anew whenever it is asked for, so without an identity."""
        self._out.append(type(value))
        self._all(cast(MethodType, value).__func__, cast(MethodType, value).__self__)

    def builtin(self, value: object) -> None:
        method = cast(BuiltinFunctionType, value)
        self._out += (type(value), method.__name__)
        self.write(method.__self__)

    def partial(self, value: object) -> None:
        applied = cast("partial[object]", value)
        self._out.append(partial)
        self._all(applied.func, applied.args, applied.keywords, applied.__dict__)

    def iterator(self, value: object) -> None:
        try:
            reduced = iterating.remaining(value, self._statics)
        except iterating.Unknown as why:
            raise Unmergeable(str(why)) from None
        self._alive.append(reduced)
        self._out.append(type(value))
        self.write(reduced)

    def awaiting(self, value: object) -> None:
        """What `__await__` of a coroutine gives: it refers to the coroutine alone."""
        self._out.append(type(value))
        self._all(*iterating.referents(value))

    def _all(self, *values: object) -> None:
        for value in values:
            self.write(value)

    def ended_or_frame(self, value: object) -> None:
        suspended = cast(Suspended, value)
        parts = anatomy(suspended)
        if parts is None:
            self._out += (ENDED, type(suspended))
            return
        shape, offset, places, handled, function = parts
        plan = self._encoder.plan(shape, offset)
        out = self._out
        out += plan.prefix
        out += (self._encoder.atom(function.__globals__), len(places))
        if isinstance(suspended, AsyncGeneratorType):
            self.boolean(suspended.ag_running)
        part: object = None
        try:
            for part, live in zip(places, plan.live, strict=False):
                if not live:
                    out.append(DEAD)
                elif type(part) in _RAW:
                    out.append(part)
                else:
                    self.write(part)
            for place, part in enumerate(places[len(plan.live) :]):
                if place in plan.origins and type(part) is int:
                    out.append(DEAD)
                else:
                    self.write(part)
            if handled is not None:
                out.append(HANDLED)
                self.write(handled)
        except Unmergeable as why:
            why.at(_place(suspended, shape, places, part))
            raise

    def _class_or_member(self, value: object) -> None:
        if isinstance(value, type) and "<locals>" in value.__qualname__:
            raise Unmergeable(f"the class {value.__name__} is made while the protocol runs")
        self.atom(value)

    def _instance(self, kind: type, value: object) -> None:
        parts = makeup(kind)
        if parts is None:
            raise Unmergeable(f"a {kind.__qualname__} keeps what cannot be compared")
        if not parts.value:
            self._meet(value)
        self._out.append(_Instance)
        self._class_or_static(kind)
        if issubclass(kind, BaseException):
            self._exception(cast(BaseException, value))
        if parts.content is not None:
            content = parts.content(value)
            self._alive.append(content)
            self.write(content)
        for descriptor in parts.slots:
            self.write(slot(descriptor, value))
        if parts.has_dict and parts.value:
            self.mapping(attributes(value))
        elif parts.has_dict:
            self.write(attributes(value))

    def _class_or_static(self, kind: type) -> None:
        number = self._statics.get(id(kind))
        if number is None:
            self._class_or_member(kind)
        else:
            self._out += (STATIC, number)

    def _exception(self, error: BaseException) -> None:
        """Without its traceback. Members of its own, as `StopIteration.value`, follow with the slots."""
        self._all(error.args, error.__cause__, error.__context__)


def _by_address(value: object) -> bool:
    return type(value).__hash__ is object.__hash__ and not isinstance(value, type)


class _Instance:
    """Says that the class and the parts of an instance follow."""


class ValueWalk(Walk):
    """The key of what travels: it is made by one protocol and looked at by another."""

    __slots__ = ()

    def value(self, value: object) -> Key:
        self.write(value)
        return tuple(self._out)

    def _meet(self, value: object) -> None:
        """It has an identity."""
        raise Unmergeable("")

    def write(self, value: object) -> None:
        written = len(self._out)
        try:
            super().write(value)
        except Unmergeable:
            del self._out[written:]
            self.atom(value)

    def hashed(self, value: object) -> None:
        members = cast("frozenset[object]", value)
        self._out += (frozenset, len(members))
        for member in members:
            self.write(member)


def _place(suspended: Suspended, shape: Shape, places: list[object], part: object) -> str:
    """Where a value is held: the variable, the function, the file and the line."""
    at = next((at for at, each in enumerate(places) if each is part), len(shape.names))
    what = shape.names[at] if at < len(shape.names) else "a value in an expression"
    for frame in ("cr_frame", "gi_frame", "ag_frame"):
        line = getattr(getattr(suspended, frame, None), "f_lineno", None)
        if line is not None:
            return f"{what} in {shape.code.co_qualname} ({shape.code.co_filename}:{line})"
    return what


_Writer: TypeAlias = Callable[[Walk, object], None]

_SCALARS: Final[dict[type, _Writer]] = {
    bool: Walk.boolean,
    float: Walk.number,
    complex: Walk.complex_number,
    bytes: Walk.octets,
    type(MISSING): Walk.singleton,
    type(Ellipsis): Walk.singleton,
    type(NotImplemented): Walk.singleton,
    CodeType: Walk.atom,
    ModuleType: Walk.atom,
    MethodDescriptorType: Walk.atom,
    WrapperDescriptorType: Walk.atom,
    GetSetDescriptorType: Walk.atom,
    MemberDescriptorType: Walk.atom,
}
_VALUES: Final[dict[type, _Writer]] = {
    tuple: Walk.fixed,
    range: Walk.bounds,
    slice: Walk.bounds,
    frozenset: Walk.hashed,
    MethodType: Walk.method,
    BuiltinFunctionType: Walk.builtin,
    MethodWrapperType: Walk.builtin,
}
"""Without an identity that matters."""
_REFERENCES: Final[dict[type, _Writer]] = {
    CoroutineType: Walk.ended_or_frame,
    GeneratorType: Walk.ended_or_frame,
    AsyncGeneratorType: Walk.ended_or_frame,
    list: Walk.sequence,
    deque: Walk.sequence,
    dict: Walk.mapping,
    set: Walk.hashed,
    bytearray: Walk.buffer,
    CellType: Walk.cell,
    FunctionType: Walk.function,
    partial: Walk.partial,
    iterating.COROUTINE_WRAPPER: Walk.awaiting,
    **dict.fromkeys(iterating.KINDS, Walk.iterator),
}
