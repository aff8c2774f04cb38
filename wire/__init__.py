"""What crosses a process boundary: values, messages, frames, limits, one error."""

from .codec import CONTROL, Limits, Plain, pack, unpack
from .codecs import Codec, codec_named
from .envelope import seal, unseal
from .errors import WireError
from .message_codec import decode, encode
from .messages import Message

__all__ = [
    "CONTROL",
    "Codec",
    "Limits",
    "Message",
    "Plain",
    "WireError",
    "codec_named",
    "decode",
    "encode",
    "pack",
    "seal",
    "unpack",
    "unseal",
]
