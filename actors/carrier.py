"""What mailboxes hold in a live run: messages as bytes, as they would cross to another process."""

from collections import deque
from collections.abc import Iterator
from typing import Any, cast

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


class CarriedQueue(deque[Any]):
    """Messages of one mailbox, oldest first, as bytes. Raises `WireError` for an object that is no message.

    A deque of frames whose ends alone know of messages: whether it is empty is asked at every turn.
    """

    def __init__(self, carrier: Carrier) -> None:
        super().__init__()
        self._carrier = carrier
        self._encode = carrier.codec.encode
        self._decode = carrier.codec.decode

    def append(self, message: object, /) -> None:
        """Encode one more."""
        frame = self._encode(cast(Message, message))
        deque.append(self, frame)
        self._carrier.messages += 1
        self._carrier.octets += len(frame)

    def popleft(self) -> object:
        """Decode the oldest one."""
        return self._decode(deque.popleft(self))

    def __iter__(self) -> Iterator[object]:
        return map(self._decode, super().__iter__())
