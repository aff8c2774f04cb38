"""What mailboxes hold in a live run: messages as bytes, as they would cross to another process."""

from collections import deque
from collections.abc import Iterator
from typing import cast

from stackweave.wire import Codec, Message, codec_named


class Carrier:
    """Makes the mailboxes' queues, and counts what goes through them."""

    def __init__(self, codec: Codec | None = None) -> None:
        self.codec = codec or codec_named()
        self.messages = 0
        """Messages accepted."""
        self.octets = 0
        """Their bytes."""

    def queue(self) -> "CarriedQueue":
        """The queue of one mailbox."""
        return CarriedQueue(self)


class CarriedQueue:
    """Messages of one mailbox, oldest first. Raises `WireError` for an object that is no message."""

    __slots__ = ("_carrier", "_decode", "_encode", "_frames")

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._encode = carrier.codec.encode
        self._decode = carrier.codec.decode
        self._frames: deque[bytes] = deque()

    def append(self, message: object, /) -> None:
        """Encode one more."""
        frame = self._encode(cast(Message, message))
        self._frames.append(frame)
        self._carrier.messages += 1
        self._carrier.octets += len(frame)

    def popleft(self) -> object:
        """Decode the oldest one."""
        return self._decode(self._frames.popleft())

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[object]:
        return map(self._decode, self._frames)
