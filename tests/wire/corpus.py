"""Messages with their bytes, bytes that are no message with the reason, and values that have no bytes."""

from stackweave.wire import CONTROL, Message
from stackweave.wire.messages import (
    Cancel,
    Deferred,
    Exit,
    Interrupt,
    Lost,
    Nmi,
    Register,
    Sample,
    Stop,
    SystemCall,
    TaskExit,
)

LONG = "dc0010" + "00" * 16
"""An array of 16 items."""

GOLDEN: list[tuple[Message, str]] = [
    (SystemCall(event=-1), "93 01 01 ff"),
    (SystemCall(event=2**63 - 1), "93 01 01 cf7fffffffffffffff"),
    (Exit(), "92 01 02"),
    (Interrupt(event=7, resched=True), "94 01 03 07 c3"),
    (Interrupt(event=-1, resched=False), "94 01 03 ff c2"),
    (Nmi(event=200), "93 01 04 ccc8"),
    (
        Sample(3, 1, cookie=7 << 32 | 1, returned=1, chain=()),
        "97 01 05 03 01 cf0000000700000001 01 90",
    ),
    (
        Sample(task=1000, cpu=0, cookie=0, returned=-22, chain=(0x401136, 0x7F1234567890)),
        "97 01 05 cd03e8 00 00 ea 92 ce00401136 cf00007f1234567890",
    ),
    (
        Sample(2**63 - 1, 2**63 - 1, 2**64 - 1, -(2**63), (0, 2**64 - 1)),
        "97 01 05 cf7fffffffffffffff cf7fffffffffffffff cfffffffffffffffff d38000000000000000"
        "92 00 cfffffffffffffffff",
    ),
    (Deferred(task=0, cookie=1, chain=()), "95 01 06 00 01 90"),
    (
        Deferred(3, 7 << 32 | 1, (0x401136, 0x4011F0)),
        "95 01 06 03 cf0000000700000001 92 ce00401136 ce004011f0",
    ),
    (Deferred(1, 2, tuple(range(16))), "95 01 06 01 02 dc0010 000102030405060708090a0b0c0d0e0f"),
    (Lost(count=70000), "93 01 07 ce00011170"),
    (TaskExit(task=128), "93 01 08 cc80"),
    (Register(), "92 01 09"),
    (Cancel(), "92 01 0a"),
    (Stop(), "92 01 0b"),
]

LONGER = {
    "the whole in an array of 16-bit length": ("dc0003 01 01 05", SystemCall(5)),
    "the whole in an array of 32-bit length": ("dd00000003 01 01 05", SystemCall(5)),
    "a version of 8 bits": ("93 cc01 01 05", SystemCall(5)),
    "a tag of 64 bits": ("93 01 cf0000000000000001 05", SystemCall(5)),
    "a field of 16 bits": ("93 01 01 cd0005", SystemCall(5)),
    "a signed field": ("93 01 01 d10005", SystemCall(5)),
    "-1 in 64 bits": ("93 01 01 d3ffffffffffffffff", SystemCall(-1)),
    "a chain of 32-bit length": ("95 01 06 00 01 dd00000001 07", Deferred(0, 1, (7,))),
}
"""Right, but longer than `encode` writes it."""

NEWER = {
    "an integer": ("94 01 01 05 07", SystemCall(5)),
    "a boolean": ("93 01 02 c3", Exit()),
    "a list": ("93 01 09 92 01 ff", Register()),
    "an empty list": ("93 01 09 90", Register()),
    "the largest and the smallest integer": (
        "94 01 0a cfffffffffffffffff d38000000000000000",
        Cancel(),
    ),
    "many": ("9f 01 0b 00 01 02 03 04 05 06 07 08 09 0a 0b 0c", Stop()),
    "16 long arrays": ("dc0011 01 09" + LONG * 15, Register()),
}
"""With fields that this version does not know."""

REFUSED = {
    "nothing at all": "",
    # not an array
    "nil": "c0",
    "a boolean": "c3",
    "an integer": "05",
    "a float": "cb3ff0000000000000",
    "a text": "a3616263",
    "a byte string": "c403010105",
    "a map": "82 01 01 02 05",
    "an empty map": "80",
    "a map with a key twice": "82 01 01 01 02",
    "an extension": "d40500",
    "a reserved byte": "c1",
    # no version and tag
    "an empty array": "90",
    "no tag": "91 01",
    "version 0": "93 00 01 05",
    "version 2": "93 02 01 05",
    "version -1": "93 ff 01 05",
    "a version of 64 bits": "93 cfffffffffffffffff 01 05",
    "true as version": "93 c3 01 05",
    "1.0 as version": "93 cb3ff0000000000000 01 05",
    "a list as version": "93 91 01 01 05",
    "tag 0": "92 01 00",
    "tag 12": "92 01 0c",
    "tag -1": "92 01 ff",
    "tag 2**64 - 1": "92 01 cfffffffffffffffff",
    "true as tag": "93 01 c3 05",
    "2.0 as tag": "92 01 cb4000000000000000",
    "nil as tag": "92 01 c0",
    "a list as tag": "92 01 91 02",
    "a map as tag": "92 01 80",
    "a text as tag": "92 01 a0",
    # fields that are missing, or of another type
    "no field, where there is one": "92 01 01",
    "a field less": "96 01 05 03 01 01 01",
    "nil as integer": "93 01 01 c0",
    "true as integer": "93 01 01 c3",
    "false as cookie": "95 01 06 00 c2 90",
    "a float as integer": "93 01 01 cb4014000000000000",
    "a short float as integer": "93 01 01 ca40a00000",
    "NaN": "93 01 01 cb7ff8000000000000",
    "infinity": "93 01 01 ca7f800000",
    "a text as integer": "93 01 01 a135",
    "an empty text as integer": "93 01 01 a0",
    "a byte string as integer": "93 01 01 c40105",
    "an empty byte string as integer": "93 01 01 c400",
    "a list as integer": "93 01 01 91 05",
    "a map as integer": "93 01 01 81 01 05",
    "1 as boolean": "94 01 03 07 01",
    "0 as boolean": "94 01 03 07 00",
    "nil as boolean": "94 01 03 07 c0",
    "an integer as chain": "95 01 06 00 01 05",
    "nil as chain": "95 01 06 00 01 c0",
    "a map as chain": "95 01 06 00 01 80",
    "a text as chain": "95 01 06 00 01 a3616263",
    "a byte string as chain": "95 01 06 00 01 c4020102",
    "an extension as chain": "95 01 06 00 01 d40500",
    "nil in a chain": "95 01 06 00 01 91 c0",
    "a boolean in a chain": "95 01 06 00 01 92 05 c3",
    "a float in a chain": "95 01 06 00 01 91 cb4014000000000000",
    "a list in a chain": "95 01 06 00 01 91 90",
    "a text in a chain": "95 01 06 00 01 91 a135",
    # fields out of range
    "event -2": "93 01 01 fe",
    "event 2**63": "93 01 04 cf8000000000000000",
    "task -1": "93 01 08 ff",
    "task 2**63": "93 01 08 cf8000000000000000",
    "cpu -1": "97 01 05 03 ff 01 01 90",
    "cookie -1": "95 01 06 00 ff 90",
    "a request that returned 2**63": "97 01 05 03 01 01 cf8000000000000000 90",
    "-1 lost": "93 01 07 ff",
    "address -1": "95 01 06 00 01 92 05 ff",
    "the least address of 64 bits": "95 01 06 00 01 91 d38000000000000000",
    # fields that no version has, behind those that this one knows
    "nil behind": "94 01 01 05 c0",
    "a float behind": "94 01 01 05 cb3ff0000000000000",
    "NaN behind": "94 01 01 05 ca7fc00000",
    "an empty text behind": "94 01 01 05 a0",
    "a text behind": "94 01 01 05 a161",
    "a text behind that is no UTF-8": "94 01 01 05 a2ffff",
    "an empty byte string behind": "94 01 01 05 c400",
    "an empty map behind": "94 01 01 05 80",
    "a map behind, with a key twice": "94 01 01 05 82 01 01 01 02",
    "a list of lists behind": "94 01 01 05 91 90",
    "a list of booleans behind": "94 01 01 05 91 c3",
    "an extension behind": "94 01 01 05 d40500",
    "a timestamp behind": "94 01 01 05 d6ff00000000",
    # texts, extensions and reserved bytes in the place of a field
    "a text that is no UTF-8": "93 01 01 a2ffff",
    "a long text that is no UTF-8": "93 01 01 d903eda080",
    "a timestamp": "93 01 01 d6ff00000000",
    "a timestamp of 64 bits": "93 01 01 d7ff0000000000000000",
    "a timestamp of 96 bits": "93 01 01 c70cff000000000000000000000000",
    "a timestamp of no size": "93 01 01 c703ff000000",
    "an empty extension": "93 01 01 c70005",
    "a reserved byte as field": "93 01 01 c1",
    # more or less than one array
    "trailing bytes": "93 01 01 05 00",
    "a second message": "92 01 02 92 01 02",
    "a trailing reserved byte": "92 01 02 c1",
    "a lie about the length": "94 01 01 05",
    "a lie of 32 bits about the length": "ddffffffff 01 01 05",
    "a lie about a chain's length": "95 01 06 00 01 ddffffffff 05",
    "a small lie about a chain's length": "95 01 06 00 01 9f 05",
    "a lie about a text's length": "93 01 01 dbffffffff",
    "a lie about a byte string's length": "93 01 01 c6ffffffff",
    "a lie about a map's length": "93 01 01 dfffffffff",
    "a lie about an extension's length": "93 01 01 c9ffffffff05",
    # nests and sizes
    "a nest that ends": "91" * 600 + "05",
    "a nest that does not": "91" * 5000,
    "a nest as field": "93 01 01" + "91" * 600 + "05",
    "a nest as tag": "92 01" + "91" * 600 + "05",
    "a nest as version": "92" + "91" * 600 + "05" + "02",
    "a nest as chain": "95 01 06 00 01" + "91" * 600 + "05",
    "a nest behind": "93 01 09" + "91" * 600 + "05",
    "a nest of maps": "93 01 01" + "81a161" * 600 + "05",
    "a nest of long arrays": "dc1000" * 900,
    "a nest of long arrays behind": "93 01 09" + "dc100000" * 900,
    "17 long arrays": "dc0012 01 09" + LONG * 16,
    "a chain of 4097": "95 01 06 00 01 dc1001" + "05" * 4097,
    "4097 fields": "dc1001 01 02" + "00" * 4095,
    "65537 bytes": "92 01 02" + "00" * 65534,
}


WRONG: list[Message] = [
    SystemCall(-2),
    SystemCall(2**63),
    SystemCall(True),
    SystemCall(None),  # type: ignore[arg-type]  # what is wrong is the point, here and below
    SystemCall(1.0),  # type: ignore[arg-type]
    Interrupt(0, 1),  # type: ignore[arg-type]
    Interrupt(0, None),  # type: ignore[arg-type]
    Nmi("1"),  # type: ignore[arg-type]
    Sample(-1, 0, 0, 0, ()),
    Sample(0, -1, 0, 0, ()),
    Sample(0, 0, -1, 0, ()),
    Sample(0, 0, 2**64, 0, ()),
    Sample(0, 0, 0, -(2**63) - 1, ()),
    Sample(0, 0, 0, 2**63, ()),
    Sample(0, 0, 0, 0, (-1,)),
    Sample(0, 0, 0, 0, (2**64,)),
    Sample(0, 0, 0, 0, (1, True)),
    Sample(0, 0, 0, 0, (1.0,)),  # type: ignore[arg-type]
    Sample(0, 0, 0, 0, ((),)),  # type: ignore[arg-type]
    Sample(0, 0, 0, 0, [1]),  # type: ignore[arg-type]
    Sample(0, 0, 0, 0, None),  # type: ignore[arg-type]
    Deferred(0, 0, (0,) * (CONTROL.length + 1)),
    Deferred(0, 0, (10**400,)),
    Lost(-1),
    TaskExit(2**70),
]
"""Messages that hold what none may."""
