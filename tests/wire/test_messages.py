"""Messages over both codecs: golden bytes, what is taken besides, and everything that must be refused."""

import subprocess
import sys
import tracemalloc
from dataclasses import dataclass, fields
from typing import ClassVar

import msgpack
import msgspec
import pytest

from stackweave.wire import (
    CONTROL,
    Codec,
    Limits,
    Message,
    WireError,
    accelerated,
    codec_named,
    message_codec,
)
from stackweave.wire.forms import FORMS, VERSION, Form, Values
from stackweave.wire.messages import (
    BY_TAG,
    Cancel,
    Chain,
    Cookie,
    Deferred,
    Exit,
    Register,
    Sample,
)

from .corpus import GOLDEN, LONGER, NEWER, REFUSED, WRONG

CODECS = pytest.mark.parametrize("codec", [message_codec, accelerated], ids=["msgpack", "msgspec"])

AT_MOST = 4 << 20
"""Bytes of memory that reading any bytes may take."""


def refuses(codec: Codec, data: bytes, limits: Limits = CONTROL) -> bool:
    """Whether the codec refuses the bytes, and in no other way than it must."""
    verdict = verdict_of(codec, data, limits)
    assert not isinstance(verdict, str) or 0 < len(verdict) < 200
    return isinstance(verdict, str)


def verdict_of(codec: Codec, data: bytes, limits: Limits = CONTROL) -> Message | str:
    """The message, or why there is none."""
    try:
        return codec.decode(data, limits)
    except WireError as error:
        return str(error)


@CODECS
@pytest.mark.parametrize(("message", "golden"), GOLDEN, ids=repr)
def test_golden_bytes(codec: Codec, message: Message, golden: str) -> None:
    assert codec.encode(message) == bytes.fromhex(golden)
    decoded = codec.decode(bytes.fromhex(golden))
    assert decoded == message
    assert type(decoded) is type(message)


def test_every_type_has_golden_bytes() -> None:
    assert {type(message) for message, _ in GOLDEN} == set(BY_TAG.values())
    assert sorted(BY_TAG) == list(range(1, 12))


@CODECS
@pytest.mark.parametrize("what", LONGER)
def test_takes_what_is_written_longer(codec: Codec, what: str) -> None:
    data, message = LONGER[what]
    assert codec.decode(bytes.fromhex(data)) == message
    assert codec.encode(message) != bytes.fromhex(data)


@CODECS
@pytest.mark.parametrize("what", NEWER)
def test_skips_fields_that_it_does_not_know(codec: Codec, what: str) -> None:
    data, message = NEWER[what]
    assert codec.decode(bytes.fromhex(data)) == message


@CODECS
@pytest.mark.parametrize("what", REFUSED)
def test_refuses(codec: Codec, what: str) -> None:
    assert refuses(codec, bytes.fromhex(REFUSED[what]))


@CODECS
@pytest.mark.parametrize("golden", [golden for _, golden in GOLDEN])
def test_refuses_every_truncation(codec: Codec, golden: str) -> None:
    data = bytes.fromhex(golden)
    for length in range(len(data)):
        assert refuses(codec, data[:length])


@CODECS
@pytest.mark.parametrize("golden", [golden for _, golden in GOLDEN])
def test_refuses_every_byte_more(codec: Codec, golden: str) -> None:
    data = bytes.fromhex(golden)
    for byte in range(256):
        assert refuses(codec, data + bytes([byte]))


def test_both_say_the_same_of_every_change_of_a_byte() -> None:
    for _, golden in GOLDEN:
        data = bytes.fromhex(golden)
        for at in range(len(data)):
            for byte in range(256):
                changed = data[:at] + bytes([byte]) + data[at + 1 :]
                assert verdict_of(message_codec, changed) == verdict_of(accelerated, changed)


def test_a_reader_that_judges_no_field_would_take_what_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    anything = msgspec.msgpack.Decoder(tuple).decode
    careless = {head: (anything, make) for head, (_, make) in accelerated._READERS.items()}
    monkeypatch.setattr(accelerated, "_READERS", careless)
    taken = [
        what for what, data in REFUSED.items() if not refuses(accelerated, bytes.fromhex(data))
    ]
    assert {"true as integer", "event -2", "NaN", "a timestamp", "a list in a chain"} <= set(taken)


@CODECS
@pytest.mark.parametrize(
    ("limits", "data"),
    [
        (Limits(size=3), "93 01 01 05"),
        (Limits(length=2), "93 01 01 05"),
        (Limits(length=5), "95 01 06 00 01 96 00 01 02 03 04 05"),
    ],
)
def test_each_limit_holds(codec: Codec, limits: Limits, data: str) -> None:
    assert not refuses(codec, bytes.fromhex(data))
    assert refuses(codec, bytes.fromhex(data), limits)


@CODECS
def test_no_limits_let_in_what_could_not_be_sent_on(codec: Codec) -> None:
    wide = Limits(size=1 << 20, length=1 << 20)
    head = bytes.fromhex("95 01 06 00 01 dc")
    assert not refuses(codec, head + bytes.fromhex("1000") + bytes(0x1000), wide)
    assert refuses(codec, head + bytes.fromhex("1001") + bytes(0x1001), wide)


@CODECS
def test_the_largest_message_comes_through(codec: Codec) -> None:
    largest = Sample(2**63 - 1, 2**63 - 1, 2**64 - 1, -(2**63), (2**64 - 1,) * CONTROL.length)
    data = codec.encode(largest)
    assert len(data) == 3 + 4 * 9 + 3 + 9 * CONTROL.length
    assert len(data) < CONTROL.size
    assert codec.decode(data) == largest


@CODECS
def test_addresses_may_look_like_long_arrays(codec: Codec) -> None:
    message = Deferred(0, 1, (0xDDDDDCDCDCDCDCDC,) * 100)
    assert codec.decode(codec.encode(message)) == message


@CODECS
@pytest.mark.parametrize("at", range(len(WRONG)))
def test_what_no_message_may_hold_has_no_bytes(codec: Codec, at: int) -> None:
    with pytest.raises(WireError):
        codec.encode(WRONG[at])


@CODECS
@pytest.mark.parametrize("what", [None, 1, "text", Exit, (1, 2), object], ids=repr)
def test_what_is_no_message_has_no_bytes(codec: Codec, what: Message) -> None:
    with pytest.raises(WireError, match="is no message"):
        codec.encode(what)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("93 02 01 05", "message version 2, where 1 is expected"),
        ("93 c3 01 05", "message version bool, where 1 is expected"),
        ("92 01 0c", "no message has the tag 12"),
        ("92 01 01", "SystemCall has 0 fields, where 1 are needed"),
        ("94 01 03 07 01", "Interrupt.resched is not a boolean"),
        ("95 01 06 ff 01 90", "Deferred.task is not an integer from 0 to 9223372036854775807"),
        ("95 01 06 00 01 05", "Deferred.chain is not a list"),
        ("95 01 06 00 01 91 c3", "an item of Deferred.chain is not an integer"),
        ("93 01 02 c0", "Exit is followed by what is no field"),
    ],
)
def test_a_refusal_names_what_is_wrong(data: str, says: str) -> None:
    with pytest.raises(WireError, match=says):
        message_codec.decode(bytes.fromhex(data))


@dataclass(frozen=True, slots=True)
class Grown:
    """A message to which two fields were appended."""

    TAG: ClassVar[int] = 99

    cookie: Cookie
    late: bool = False
    chain: Chain = (7,)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((1,), Grown(1)),
        ((1, True), Grown(1, True)),
        ((1, True, ()), Grown(1, True, ())),
        ((1, True, (), 5, (6,)), Grown(1, True, ())),
    ],
)
def test_a_field_that_was_appended_may_be_missing(values: Values, message: object) -> None:
    form = Form(Grown)  # type: ignore[arg-type]  # no message of this version
    assert form.message(values) == message


@pytest.mark.parametrize("values", [(), (True,), (1, 1), (1, True, 2), (1, True, (), None)])
def test_others_may_not_be_missing_or_wrong(values: Values) -> None:
    form = Form(Grown)  # type: ignore[arg-type]  # no message of this version
    with pytest.raises(WireError, match="Grown"):
        form.message(values)


def test_a_message_has_no_field_without_a_range() -> None:
    @dataclass(frozen=True, slots=True)
    class Bare:
        TAG: ClassVar[int] = 99
        count: int

    with pytest.raises(TypeError, match="no field that is"):
        Form(Bare)  # type: ignore[arg-type]  # what is wrong is the point


@pytest.mark.parametrize("tag", BY_TAG)
def test_the_forms_are_those_of_the_types(tag: int) -> None:
    assert FORMS[tag].names == tuple(field.name for field in fields(BY_TAG[tag]))
    assert tag == BY_TAG[tag].TAG


_15_LISTS = bytes.fromhex("93 01 09 9f")
"""A message with 15 lists behind it; each is to follow."""

BOMBS = {
    "long arrays inside one another": bytes.fromhex("dc1000") * 21845,
    "the same with an item before each": bytes.fromhex("dc100000") * 16384,
    "a lie about the length": bytes.fromhex("9501060001ddffffffff"),
    "integers that are objects": _15_LISTS + (bytes.fromhex("dc0ff0") + b"\xe0" * 4080) * 15,
    "pairs of array and integer": _15_LISTS + (bytes.fromhex("dc0800") + b"\x91\xe0" * 2048) * 15,
    "short arrays inside one another": b"\x9f" * 65536,
    "empty maps": _15_LISTS + (bytes.fromhex("dc0ff0") + b"\x80" * 4080) * 15,
    "a chain as long as may be": message_codec.encode(Deferred(0, 1, (2**64 - 1,) * 4096)),
}


@CODECS
@pytest.mark.parametrize("what", BOMBS)
def test_no_bytes_take_much_memory(codec: Codec, what: str) -> None:
    assert _peak(codec, BOMBS[what]) < AT_MOST


def test_long_arrays_would_take_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """With msgpack's C version; the one in Python makes its lists item by item."""
    monkeypatch.setattr(message_codec, "_refuse_long_arrays", lambda data: None)
    assert _peak(message_codec, BOMBS["long arrays inside one another"]) > 4 * AT_MOST


def _peak(codec: Codec, data: bytes) -> int:
    """Bytes of memory that the codec takes at most to read these."""
    tracemalloc.start()
    try:
        codec.decode(data)
    except WireError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


def test_codecs_by_name() -> None:
    assert codec_named() is codec_named("msgpack") is message_codec
    assert codec_named("msgspec") is accelerated
    with pytest.raises(LookupError, match="no codec 'json': there are msgpack and msgspec"):
        codec_named("json")


def test_a_codec_that_is_not_installed_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "msgspec", None)
    monkeypatch.delitem(sys.modules, "stackweave.wire.accelerated")
    monkeypatch.delattr("stackweave.wire.accelerated")
    with pytest.raises(LookupError, match=r"install stackweave\[fast\]"):
        codec_named("msgspec")


def test_nobody_imports_msgspec_unasked() -> None:
    program = "import sys, stackweave.wire; sys.exit('msgspec' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    program = "import sys, stackweave.wire.accelerated; sys.exit('msgspec' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 1


def test_a_message_is_an_array_for_every_other_reader() -> None:
    sample = Sample(3, 1, 2**64 - 1, -22, (1, 2))
    array = msgpack.unpackb(message_codec.encode(sample))
    assert array == [VERSION, Sample.TAG, 3, 1, 2**64 - 1, -22, [1, 2]]
    assert message_codec.decode(msgpack.packb([VERSION, Register.TAG])) == Register()
    assert message_codec.decode(msgpack.packb([VERSION, Cancel.TAG])) == Cancel()
