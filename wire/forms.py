"""The form of each type of message: its fields in order, what each may hold, and what is put where one is missing.

It is read from the types once, so a message is judged by table; only for a message that fails is it asked which
field it was.

Fields are append-only. An older reader skips those that it does not know, as long as they are fields at all
(an integer, a boolean, a tuple of integers); a newer reader puts the default where a field is missing.
"""

from collections.abc import Callable
from dataclasses import MISSING, fields
from operator import attrgetter, countOf
from typing import Annotated, Final, TypeAlias, get_args, get_origin, get_type_hints

from .codec import CONTROL
from .errors import WireError
from .fields import integer
from .messages import BY_TAG, Message, Range

VERSION: Final = 1
"""Of all forms together; it changes when an old field does."""

Values: TypeAlias = tuple[int | tuple[int, ...], ...]
"""Fields in order."""

_SMALLEST: Final = -(2**63)
_LARGEST: Final = 2**64 - 1
"""No integer on the wire is beyond these."""

_BOOLEAN: Final = Range(False, True)


class Form:
    """The form of one type of message."""

    __slots__ = (
        "_chains",
        "_defaults",
        "_get",
        "_known",
        "_make",
        "_name",
        "_scalars",
        "kinds",
        "names",
        "ranges",
    )

    names: tuple[str, ...]
    kinds: tuple[type, ...]
    """Of each field: int, bool or tuple."""
    ranges: tuple[Range, ...]
    """Of each field's integers."""

    def __init__(self, kind: type[Message]) -> None:
        hints = get_type_hints(kind, include_extras=True)
        declared = fields(kind)
        self.names = tuple(field.name for field in declared)
        rows = [_row(hints[name]) for name in self.names]
        self.kinds = tuple(row[0] for row in rows)
        self.ranges = tuple(row[1] for row in rows)
        self._name = kind.__name__
        self._make: Callable[..., Message] = kind
        self._get = _getter(self.names)
        # of the last fields: dataclasses let none without a default follow
        self._defaults = tuple(field.default for field in declared if field.default is not MISSING)
        self._known = len(self.names)
        bounds = [(at, of, span.low, span.high) for at, (of, span) in enumerate(rows)]
        self._scalars = tuple(row for row in bounds if row[1] is not tuple)
        self._chains = tuple((at, low, high) for at, of, low, high in bounds if of is tuple)

    def values(self, message: Message) -> Values:
        """The fields of a message. Raises `WireError` for what they may not hold."""
        return self._judged(self._get(message))

    def message(self, values: Values) -> Message:
        """The message with these fields. Raises `WireError` for what no such message can hold."""
        if len(values) != self._known:
            values = self._cut_or_fill(values)
        return self._make(*self._judged(values))

    def _judged(self, values: Values) -> Values:
        # plain loops over flat rows: every message comes through here, where it is sent and where it is received
        for at, kind, low, high in self._scalars:
            value = values[at]
            if type(value) is not kind or not low <= value <= high:  # type: ignore[operator]  # no tuple: kind
                self._refuse(values)
        for at, low, high in self._chains:
            chain = values[at]
            if type(chain) is not tuple or (chain and not _all_fit(chain, low, high)):
                self._refuse(values)
        return values

    def _refuse(self, values: Values) -> None:
        """Raise the `WireError` that names the first field to be wrong."""
        columns = zip(self.names, self.kinds, self.ranges, values, strict=True)
        for name, kind, span, value in columns:
            name = f"{self._name}.{name}"
            if kind is int:
                integer(value, name, span.low, span.high)
            elif type(value) is not kind:
                raise WireError(f"{name} is not {'a boolean' if kind is bool else 'a list'}")
            elif isinstance(value, tuple):
                if len(value) > CONTROL.length:
                    raise WireError(f"{name} is longer than {CONTROL.length}")
                for item in value:
                    integer(item, f"an item of {name}", span.low, span.high)

    def _cut_or_fill(self, values: Values) -> Values:
        known, given = len(self.names), len(values)
        needed = known - len(self._defaults)
        if given < needed:
            raise WireError(f"{self._name} has {given} fields, where {needed} are needed")
        for value in values[known:]:
            if not _is_field(value):
                raise WireError(f"{self._name} is followed by what is no field")
        return values[:known] + self._defaults[given - needed :]


def _is_field(value: object) -> bool:
    if type(value) is tuple:
        return not value or _all_fit(value, _SMALLEST, _LARGEST)
    return type(value) is int or type(value) is bool


def _all_fit(chain: tuple[int, ...], low: int, high: int) -> bool:
    """Whether all items of a tuple that has some, and not too many, are integers from `low` to `high`.

    Each step runs in C, and none that an integer of the wire cannot fail: chains are most of what is sent. An
    integer beyond the wire's is left to the encoder, which has no form for it.
    """
    return (
        countOf(map(type, chain), int) == len(chain) <= CONTROL.length
        and (low == _SMALLEST or min(chain) >= low)
        and (high == _LARGEST or max(chain) <= high)
    )


def _row(hint: object) -> tuple[type, Range]:
    """What a field's annotation says. Raises `TypeError` for one that no message may have."""
    if hint is bool:
        return bool, _BOOLEAN
    if get_origin(hint) is Annotated:
        of, span = get_args(hint)
        if of is int:
            return int, span
        if of == tuple[int, ...]:
            return tuple, span
    raise TypeError(f"a message has no field that is {hint}")


def _getter(names: tuple[str, ...]) -> Callable[[Message], Values]:
    if not names:
        return lambda message: ()
    get: Callable[[Message], Values] = attrgetter(*names)
    if len(names) == 1:  # of which attrgetter makes no tuple
        alone: Callable[[Message], int] = attrgetter(*names)
        return lambda message: (alone(message),)
    return get


FORMS: Final = {tag: Form(kind) for tag, kind in BY_TAG.items()}
"""Each tag's form."""

_BY_TYPE: Final = {kind: FORMS[tag] for tag, kind in BY_TAG.items()}


def to_array(message: Message) -> Values:
    """What stands on the wire for a message: version, tag, fields. Raises `WireError` for what no message may be
    or hold."""
    form = _BY_TYPE.get(type(message))
    if form is None:
        raise WireError(f"{type(message).__name__} is no message")
    return (VERSION, message.TAG, *form.values(message))


def from_array(array: Values) -> Message:
    """The message that stands on the wire like this. Raises `WireError` where none does."""
    if len(array) < 2:
        raise WireError("no version and tag")
    version, tag = array[0], array[1]
    if type(version) is not int or version != VERSION:
        raise WireError(f"message version {_shown(version)}, where {VERSION} is expected")
    form = FORMS.get(tag) if type(tag) is int else None
    if form is None:
        raise WireError(f"no message has the tag {_shown(tag)}")
    return form.message(array[2:])


def _shown(value: object) -> str:
    # another than an integer may be a nest too deep to print
    return str(value) if type(value) is int else type(value).__name__
