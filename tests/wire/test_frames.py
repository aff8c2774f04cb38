"""Frames: golden bytes, and no damage of a head or payload goes unseen."""

import pytest

from stackweave.wire import WireError
from stackweave.wire.frames import HEAD, Frame, Head, pack_frame, unpack_head

GOLDEN = bytes.fromhex("00000005 07 f7d18982 7ae9e91a") + b"Hello"


def test_golden_bytes() -> None:
    assert pack_frame(Frame(7, b"Hello")) == GOLDEN
    head = unpack_head(GOLDEN[:HEAD])
    assert head == Head(5, 7, 0xF7D18982)
    assert head.fits(b"Hello")


@pytest.mark.parametrize(
    "frame", [Frame(0, b""), Frame(255, b"\x00" * 1000), Frame(1, b"\xff")], ids=repr
)
def test_round_trip(frame: Frame) -> None:
    data = pack_frame(frame)
    head = unpack_head(data[:HEAD])
    assert Frame(head.kind, data[HEAD:]) == frame
    assert head.fits(data[HEAD:])


def test_no_damage_goes_unseen() -> None:
    for bit in range(8 * len(GOLDEN)):
        damaged = bytearray(GOLDEN)
        damaged[bit // 8] ^= 1 << bit % 8
        if bit // 8 < HEAD:
            with pytest.raises(WireError, match="head does not match"):
                unpack_head(bytes(damaged[:HEAD]))
        else:
            assert not unpack_head(bytes(damaged[:HEAD])).fits(bytes(damaged[HEAD:]))


@pytest.mark.parametrize(
    "data", [b"", GOLDEN[: HEAD - 1], GOLDEN[: HEAD + 1], bytes(HEAD)], ids=repr
)
def test_no_other_bytes_are_a_head(data: bytes) -> None:
    with pytest.raises(WireError, match="head does not match"):
        unpack_head(data)


@pytest.mark.parametrize("payload", [b"", b"Hell", b"Hello!", b"hello"])
def test_a_head_fits_no_other_payload(payload: bytes) -> None:
    assert not unpack_head(GOLDEN[:HEAD]).fits(payload)


@pytest.mark.parametrize("kind", [-1, 256])
def test_kinds_are_a_byte(kind: int) -> None:
    with pytest.raises(WireError, match="is no kind of frame"):
        pack_frame(Frame(kind, b""))


def test_the_limit_holds_both_ways() -> None:
    assert pack_frame(Frame(7, b"Hello"), limit=5) == GOLDEN
    assert unpack_head(GOLDEN[:HEAD], limit=5).length == 5
    with pytest.raises(WireError, match="a payload of 5 bytes, more than 4"):
        pack_frame(Frame(7, b"Hello"), limit=4)
    with pytest.raises(WireError, match="a frame of 5 bytes, more than 4"):
        unpack_head(GOLDEN[:HEAD], limit=4)
