"""How fast messages become bytes and bytes messages, with msgpack and with msgspec: nanoseconds a message.

The messages are fixed, and so are their bytes: whoever gets faster by sending less, or by judging nothing, stops
the benchmark.
"""

from collections.abc import Callable
from statistics import median
from typing import Final

from measure import Row, round_seconds

from stackweave.wire import Codec, Message, WireError, codec_named
from stackweave.wire.messages import Deferred, Interrupt, Sample, SystemCall

COUNT: Final = 100
"""One measured unit: so many messages, each with a cookie of its own."""

CHAIN: Final = tuple(0x7F12_3456_7000 + 0x111 * at for at in range(16))

MESSAGES: Final[dict[str, Callable[[int], Message]]] = {
    "system call": lambda at: SystemCall(at % 4),
    "interrupt": lambda at: Interrupt(at % 4, at % 2 == 0),
    "sample, granted": lambda at: Sample(1000, 1, at << 32 | 1, 1, ()),
    "sample with 16 addresses": lambda at: Sample(1000, 1, 0, -22, CHAIN),
    "deferred with 16 addresses": lambda at: Deferred(1000, at << 32 | 1, CHAIN),
}

BYTES: Final = {
    "system call": 400,
    "interrupt": 500,
    "sample, granted": 1792,
    "sample with 16 addresses": 15600,
    "deferred with 16 addresses": 16192,
}
"""Of the measured unit."""

WRONG: Final = (SystemCall(-2), Sample(0, 0, 0, 0, (-1,)))
"""What no codec may send."""


def run() -> list[Row]:
    """One row a message and codec."""
    return [_measure(name, codec) for name in MESSAGES for codec in ("msgpack", "msgspec")]


def _measure(name: str, by: str) -> Row:
    codec = codec_named(by)
    messages = [MESSAGES[name](at) for at in range(COUNT)]
    packed = [codec.encode(message) for message in messages]
    _check(name, codec, messages, packed)

    def encode() -> None:
        for message in messages:
            codec.encode(message)

    def decode() -> None:
        for data in packed:
            codec.decode(data)

    return {
        "message": name,
        "codec": by,
        "bytes": round(sum(map(len, packed)) / COUNT, 1),
        **_nanoseconds("encode", encode),
        **_nanoseconds("decode", decode),
    }


def _check(name: str, codec: Codec, messages: list[Message], packed: list[bytes]) -> None:
    """Stop unless the codec does the whole of its work."""
    size = sum(map(len, packed))
    if size != BYTES[name]:
        raise SystemExit(f"{name}: {size} bytes, not {BYTES[name]}: not the same work")
    if [codec.decode(data) for data in packed] != messages:
        raise SystemExit(f"{name}: what is decoded is not what was encoded")
    for message in WRONG:
        try:
            codec.encode(message)
        except WireError:
            continue
        raise SystemExit(f"{message} was encoded: messages are no longer judged")


def _nanoseconds(what: str, unit: Callable[[], None]) -> Row:
    """Of one message: median, fastest and slowest round."""
    rounds = [seconds / COUNT * 1e9 for seconds in round_seconds(unit)]
    return {
        f"{what}_ns": round(median(rounds)),
        f"{what}_fastest": round(min(rounds)),
        f"{what}_slowest": round(max(rounds)),
    }
