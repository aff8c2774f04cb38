"""The codec: golden bytes, round trips, and everything that it must refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackweave.wire import Limits, Plain, WireError, pack, unpack

INTEGERS = st.integers(-(2**63), 2**64 - 1)
SCALARS = st.none() | st.booleans() | INTEGERS | st.text(max_size=20) | st.binary(max_size=20)
PLAIN = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)

GOLDEN: list[tuple[Plain, str]] = [
    (None, "c0"),
    (True, "c3"),
    (0, "00"),
    (-1, "ff"),
    (200, "ccc8"),
    (2**64 - 1, "cfffffffffffffffff"),
    (-(2**63), "d38000000000000000"),
    ("task0", "a57461736b30"),
    (b"\x00\xff", "c40200ff"),
    ([1, [2]], "92019102"),
    ({"a": None, "b": [False]}, "82a161c0a16291c2"),
]

REFUSED = {
    "nothing at all": "",
    "a float": "cb3ff0000000000000",
    "an extension": "d40500",
    "an empty extension": "c70005",
    "a timestamp": "d6ff00000000",
    "a reserved byte": "c1",
    "trailing bytes": "0102",
    "a text cut short": "a3ff",
    "text that is no UTF-8": "a2ffff",
    "a list cut short": "9201",
    "a lie about a list's length": "ddffffffff",
    "a lie about a map's length": "dfffffffff",
    "a lie about a text's length": "dbffffffff",
    "a lie about a byte string's length": "c6ffffffff",
    "a number as key": "810102",
    "bytes as key": "81c4016102",
    "a key twice": "82a16101a16102",
    "lists too deep": "91" * 17 + "00",
    "lists far too deep": "91" * 5000 + "00",
    "maps too deep": "81a161" * 17 + "00",
}


@pytest.mark.parametrize(("value", "golden"), GOLDEN)
def test_golden_bytes(value: Plain, golden: str) -> None:
    assert pack(value).hex() == golden
    assert unpack(bytes.fromhex(golden)) == value


@given(PLAIN)
def test_round_trip(value: Plain) -> None:
    assert unpack(pack(value)) == value


@pytest.mark.parametrize("what", REFUSED)
def test_refuses(what: str) -> None:
    with pytest.raises(WireError):
        unpack(bytes.fromhex(REFUSED[what]))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_refused(data: bytes) -> None:
    try:
        value = unpack(data)
    except WireError:
        return
    assert unpack(pack(value)) == value


@given(PLAIN, st.data())
def test_no_prefix_is_a_value(value: Plain, data: st.DataObject) -> None:
    packed = pack(value)
    length = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(WireError):
        unpack(packed[:length])


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        (b"12345", Limits(size=6)),
        ("12345", Limits(length=4)),
        (b"12345", Limits(length=4)),
        ([1, 2, 3], Limits(length=2)),
        ({"a": 1, "b": 2}, Limits(length=1)),
        ([[]], Limits(depth=1)),
    ],
)
def test_each_limit_holds(value: Plain, limits: Limits) -> None:
    assert unpack(pack(value)) == value
    with pytest.raises(WireError):
        unpack(pack(value), limits)


@pytest.mark.parametrize(
    "value", [1.5, {1}, {1: 2}, 2**64, -(2**63) - 1, object, "\ud800", [[1.5]]], ids=repr
)
def test_what_has_no_form_cannot_be_packed(value: Plain) -> None:
    with pytest.raises(WireError):
        pack(value)


def test_a_value_that_holds_itself_cannot_be_packed() -> None:
    loop: list[Plain] = []
    loop.append(loop)
    with pytest.raises(WireError, match="deep"):
        pack(loop)
