"""Plain values as msgpack (https://github.com/msgpack/msgpack/blob/master/spec.md), within limits.

A plain value is None, a boolean, an integer of at most 64 bits, text, bytes, a list, or a map with text keys.
Floats and extension types have no form here, so a value has one meaning in every language; equal values have
equal bytes. Whoever decodes says how much it is prepared to read, before any of it becomes an object.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

import msgpack

from .errors import WireError

Plain: TypeAlias = "bool | int | str | bytes | Sequence[Plain] | Mapping[str, Plain] | None"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a decoder is prepared to read."""

    size: int = 1 << 16
    """Bytes in all."""
    length: int = 1 << 12
    """Items of one list or map; bytes of one text or byte string."""
    depth: int = 16
    """Lists and maps inside one another."""


CONTROL: Final = Limits()
"""For small messages."""

MALFORMED: Final = (ValueError, msgpack.UnpackException, RecursionError)
"""What msgpack raises for bytes that it cannot or may not read."""


def pack(value: Plain) -> bytes:
    """The bytes of a plain value. Raises `WireError` for any other."""
    _check(value, CONTROL.depth)
    try:
        packed = msgpack.packb(value, use_bin_type=True)
    except (OverflowError, ValueError) as error:
        raise WireError(f"no form on the wire: {error}") from None
    assert packed is not None
    return packed


def unpack(data: bytes, limits: Limits = CONTROL) -> Plain:
    """The plain value that the bytes are. Raises `WireError` for anything else."""
    if len(data) > limits.size:
        raise WireError(f"{len(data)} bytes, more than {limits.size}")
    try:
        value: Plain = msgpack.unpackb(
            data,
            raw=False,
            object_pairs_hook=_distinct,
            ext_hook=refuse_extension,
            max_str_len=limits.length,
            max_bin_len=limits.length,
            max_array_len=limits.length,
            max_map_len=limits.length,
            max_ext_len=0,
        )
    except MALFORMED as error:
        raise WireError(f"not a value: {str(error) or type(error).__name__}") from None
    _check(value, limits.depth)
    return value


def _check(value: Plain, depth: int) -> None:
    """Raise `WireError` unless the value is plain and nested no deeper than `depth`."""
    if value is None or type(value) in (bool, int, str, bytes):
        return
    if depth == 0:
        raise WireError("lists and maps are nested too deep")
    if type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise WireError(f"a map's key is text, not {type(key).__name__}")
            _check(item, depth - 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, depth - 1)
    else:
        raise WireError(f"{type(value).__name__} has no form on the wire")


def _distinct(pairs: Sequence[tuple[str, Plain]]) -> dict[str, Plain]:
    # msgpack would keep the last of two equal keys, and another decoder the first
    result = dict(pairs)
    if len(result) != len(pairs):
        raise WireError("a map has a key twice")
    return result


def refuse_extension(code: int, data: bytes) -> NoReturn:
    """For msgpack to call: no value here has an extension type."""
    raise WireError(f"extension type {code}")
