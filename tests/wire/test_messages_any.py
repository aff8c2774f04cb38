"""Messages and bytes of any kind, over both codecs."""

import pytest

pytest.importorskip("hypothesis")

from hypothesis import given
from hypothesis import strategies as st

from stackweave.wire import Codec, Message, WireError, accelerated, message_codec
from stackweave.wire.forms import FORMS, Form
from stackweave.wire.messages import BY_TAG

from .corpus import GOLDEN

CODECS: list[Codec] = [message_codec, accelerated]


def _field(form: Form, at: int) -> st.SearchStrategy[int | tuple[int, ...]]:
    if form.kinds[at] is bool:
        return st.booleans()
    integers = st.integers(form.ranges[at].low, form.ranges[at].high)
    return integers if form.kinds[at] is int else st.lists(integers, max_size=20).map(tuple)


def _messages(tag: int) -> st.SearchStrategy[Message]:
    form = FORMS[tag]
    return st.builds(BY_TAG[tag], *(_field(form, at) for at in range(len(form.names))))


MESSAGES = st.sampled_from(sorted(BY_TAG)).flatmap(_messages)

DAMAGED = st.builds(
    lambda golden, at, put: (
        golden[: at % len(golden)] + put + golden[at % len(golden) + len(put) :]
    ),
    st.sampled_from([bytes.fromhex(golden) for _, golden in GOLDEN]),
    st.integers(0, 200),
    st.binary(max_size=4),
)


def verdict(codec: Codec, data: bytes) -> Message | str:
    """The message, or why there is none."""
    try:
        return codec.decode(data)
    except WireError as error:
        return str(error)


@given(MESSAGES)
def test_round_trip(message: Message) -> None:
    data = message_codec.encode(message)
    for codec in CODECS:
        assert codec.encode(message) == data
        assert codec.decode(data) == message


@given(st.binary(max_size=40) | st.binary(max_size=40).map(b"\x95\x01\x06".__add__) | DAMAGED)
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    message = verdict(message_codec, data)
    assert verdict(accelerated, data) == message
    if isinstance(message, str):
        return
    for codec in CODECS:
        canonical = codec.encode(message)
        assert codec.decode(canonical) == message
        assert codec.encode(codec.decode(canonical)) == canonical


@given(MESSAGES, st.data())
def test_no_prefix_is_a_message(message: Message, data: st.DataObject) -> None:
    whole = message_codec.encode(message)
    length = data.draw(st.integers(0, len(whole) - 1))
    for codec in CODECS:
        with pytest.raises(WireError):
            codec.decode(whole[:length])
