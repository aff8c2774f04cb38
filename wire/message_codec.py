"""Messages as bytes: one msgpack array `[VERSION, tag, field, field, ...]`, and nothing else.

No maps, so no key is there twice; no floats, texts, byte strings or extension types, so a message means the same
in every language. Equal messages have equal bytes. A decoder also takes an integer or a length that is written
longer than it need be, as msgpack itself does.

How deep a message is, its form says; so of the limits only size and length are asked. This codec is the norm;
`accelerated` is the same with msgspec.
"""

import msgpack

from .codec import CONTROL, MALFORMED, Limits, refuse_extension
from .errors import WireError
from .forms import Values, from_array, to_array
from .messages import Message


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
    try:
        array: Values = msgpack.unpackb(
            data,
            raw=True,  # no text is a field, so none needs decoding
            use_list=False,
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
