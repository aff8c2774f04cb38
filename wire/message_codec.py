"""Messages as bytes: one msgpack array `[VERSION, tag, field, field, ...]`, and nothing else.

No maps, so no key is there twice; no floats, texts, byte strings or extension types, so a message means the same
in every language. Equal messages have equal bytes. A decoder also takes an integer or a length that is written
longer than it need be, as msgpack itself does.

How deep a message is, its form says; so of the limits only size and length are asked, and no tuple is ever longer
than `CONTROL` allows: what can be read can be sent on. This codec is the norm; `accelerated` is the same with
msgspec.
"""

import re
from collections.abc import Sequence
from typing import Final, NoReturn

import msgpack

from .codec import CONTROL, MALFORMED, Limits, refuse_extension
from .errors import WireError
from .forms import Values, from_array, to_array
from .messages import Message

_LONG_ARRAYS: Final = 16
"""Arrays in one message that have their length after them (more than 15 items), at most."""

_INTEGER: Final = rb"[\x00-\x7f\xe0-\xff]|[\xcc\xd0].|[\xcd\xd1].{2}|[\xce\xd2].{4}|[\xcf\xd3].{8}"
_SHORT: Final = rb"(?:[\x90-\x9f\xc2\xc3]|%b)*+" % _INTEGER
"""Integers, booleans and the heads of short arrays, one after another."""

_FEW_LONG_ARRAYS: Final = re.compile(
    rb"%b(?:(?:\xdc..|\xdd.{4})%b){0,%d}+" % (_SHORT, _SHORT, _LONG_ARRAYS), re.DOTALL
)


def encode(message: Message) -> bytes:
    """The bytes of a message. Raises `WireError` where a field holds what it may not."""
    try:
        packed = msgpack.packb(to_array(message))
    except OverflowError:
        raise WireError("an integer of more than 64 bits has no form on the wire") from None
    assert packed is not None
    return packed


def decode(data: bytes, limits: Limits = CONTROL) -> Message:
    """The message that the bytes are. Raises `WireError` for anything else."""
    if len(data) > limits.size:
        raise WireError(f"{len(data)} bytes, more than {limits.size}")
    if len(data) > 3 * _LONG_ARRAYS:  # a head is three bytes or more
        _refuse_long_arrays(data)
    try:
        array: Values = msgpack.unpackb(
            data,
            raw=True,  # no text is a field, so none needs decoding
            use_list=False,
            object_pairs_hook=_refuse_map,
            ext_hook=refuse_extension,
            max_str_len=0,
            max_bin_len=0,
            max_array_len=limits.length,
            max_map_len=0,
            max_ext_len=0,
        )
    except MALFORMED as error:
        raise WireError(f"not a message: {str(error) or type(error).__name__}") from None
    if type(array) is not tuple:
        raise WireError("not a message: no array")
    return from_array(array)


def _refuse_map(pairs: Sequence[tuple[object, object]]) -> NoReturn:
    # at the first, however empty: thousands would take megabytes
    raise WireError("not a message: a map")


def _refuse_long_arrays(data: bytes) -> None:
    """Refuse many long arrays before they are made: msgpack makes one in its full length when it meets its head,
    so 3 KB of heads inside one another would take 32 MB."""
    # addresses hold such bytes too, but seldom many: then only the count is paid for
    if data.count(b"\xdc") + data.count(b"\xdd") > _LONG_ARRAYS and not _FEW_LONG_ARRAYS.fullmatch(
        data
    ):
        raise WireError(f"not a message: more than {_LONG_ARRAYS} long arrays, or what is no field")
