"""The codec of messages with msgspec, for those who ask for it: the extra `fast`.

It reads what it knows to be right: every field there, in its range, as `encode` writes it. Whatever else comes,
the norm reads again, and either takes it or says what is wrong with it; so there is one set of refusals.
WARNING: msgspec must never take what `message_codec` refuses. It reads into integers, booleans and tuples of
integers, so that a text, an extension (msgspec makes -1 a date) or a nest of lists is wrong at its first byte.
"""

from collections.abc import Callable
from types import GenericAlias
from typing import Annotated, Final, TypeAlias

import msgspec

from . import message_codec
from .codec import CONTROL, Limits
from .forms import FORMS, VERSION, Form, Values, to_array
from .messages import BY_TAG, Message, Range

_Reader: TypeAlias = tuple[Callable[[bytes], Values], Callable[..., Message]]
"""From bytes to fields, and from fields to the message."""

_encode: Final = msgspec.msgpack.Encoder().encode


def encode(message: Message) -> bytes:
    """As `message_codec.encode`."""
    try:
        return _encode(to_array(message))
    except OverflowError:
        return message_codec.encode(message)


def decode(data: bytes, limits: Limits = CONTROL) -> Message:
    """As `message_codec.decode`."""
    reader = _READERS.get(data[:3])
    size = len(data)
    # an item takes a byte or more, so no list of a message as short as this is longer than it may be
    if reader is None or size > limits.length or size > limits.size or size > CONTROL.length:
        return message_codec.decode(data, limits)
    read, make = reader
    try:
        array = read(data)
    # its own errors are ValueErrors only in newer versions
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return message_codec.decode(data, limits)
    return make(*array[2:])


def _reader(tag: int) -> _Reader:
    array = GenericAlias(tuple, (int, int, *_fields(FORMS[tag])))
    return msgspec.msgpack.Decoder[Values](array).decode, BY_TAG[tag]


def _fields(form: Form) -> list[object]:
    """The fields as msgspec's types."""
    columns = zip(form.kinds, form.ranges, strict=True)
    return [bool if kind is bool else _integers(kind, span) for kind, span in columns]


def _integers(kind: type, span: Range) -> object:
    # msgspec knows no bound beyond 2**63 - 1, and no integer is beyond 2**64 - 1
    assert span.high < 2**63 or span.high == 2**64 - 1
    bounds = msgspec.Meta(ge=span.low, le=span.high if span.high < 2**63 else None)
    integer = Annotated[int, bounds]
    return GenericAlias(tuple, (integer, ...)) if kind is tuple else integer


def _head(tag: int) -> bytes:
    """How every message of a type begins, unless somebody writes it longer than it need be."""
    assert len(FORMS[tag].names) < 14
    assert tag < 128
    return bytes([0x90 + 2 + len(FORMS[tag].names), VERSION, tag])


_READERS: Final = {_head(tag): _reader(tag) for tag in FORMS}
