"""The envelope: what was sealed comes out, and nothing else does."""

import zlib
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackweave.wire import Limits, WireError, pack, seal, unseal

SEALED = bytes.fromhex("01b54b83c678da5b5a5a9299930a000a7502c9")
"""`seal(1, "utile")` with zlib's own compressor; others may compress otherwise, and must read this."""


def envelope(version: int, rest: bytes) -> bytes:
    head = bytes([version])
    return head + blake2b(head + rest, digest_size=4).digest() + rest


def test_golden_bytes() -> None:
    assert unseal(1, SEALED) == "utile"


@given(st.integers(0, 255), st.lists(st.integers(0, 9)))
def test_round_trip(version: int, value: list[int]) -> None:
    assert unseal(version, seal(version, value)) == value


def test_another_version_is_refused_by_its_number() -> None:
    with pytest.raises(WireError, match="version 2, where 1"):
        unseal(1, seal(2, "value"))


@given(st.data())
def test_no_damage_goes_unseen(data: st.DataObject) -> None:
    whole = seal(1, {"some": ["value", 1, 2, 3]})
    place = data.draw(st.integers(0, len(whole) - 1))
    bit = data.draw(st.integers(0, 7))
    damaged = bytearray(whole)
    damaged[place] ^= 1 << bit
    with pytest.raises(WireError):
        unseal(1, bytes(damaged))
    with pytest.raises(WireError):
        unseal(1, whole[:place])


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b"not compressed",
        zlib.compress(b""),
        zlib.compress(pack(1)) + b"more",
        zlib.compress(pack("cut short"))[:-6],
        zlib.compress(b"\xc1"),
    ],
)
def test_a_right_checksum_saves_no_wrong_content(rest: bytes) -> None:
    with pytest.raises(WireError):
        unseal(1, envelope(1, rest))


def test_a_small_envelope_cannot_become_a_large_value() -> None:
    bomb = envelope(1, zlib.compress(pack(bytes(1 << 20))))
    assert len(bomb) < 2000
    with pytest.raises(WireError, match="more than 65536 bytes"):
        unseal(1, bomb)
    assert unseal(1, bomb, Limits(size=1 << 21, length=1 << 20)) == bytes(1 << 20)
