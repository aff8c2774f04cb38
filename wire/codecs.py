"""The codecs of messages by name. `msgpack` is the norm; `msgspec` is faster, and has to be asked for."""

from typing import Protocol

from . import message_codec
from .codec import CONTROL, Limits
from .messages import Message


class Codec(Protocol):
    """From messages to bytes and back, as `message_codec` defines it."""

    def encode(self, message: Message) -> bytes:
        """The bytes of a message."""

    def decode(self, data: bytes, limits: Limits = CONTROL) -> Message:
        """The message that the bytes are."""


def codec_named(name: str = "msgpack") -> Codec:
    """The codec of this name. Raises `LookupError` for one that there is not, or that is not installed."""
    if name == "msgpack":
        return message_codec
    if name != "msgspec":
        raise LookupError(f"no codec {name!r}: there are msgpack and msgspec")
    try:
        from . import accelerated  # here, so that nobody imports msgspec who did not ask for it
    except ModuleNotFoundError:
        raise LookupError("the codec msgspec needs msgspec: install stackweave[fast]") from None
    return accelerated
