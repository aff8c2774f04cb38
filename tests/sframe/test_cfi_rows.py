"""Call frame information carried out by hand-written examples, and what of it rows cannot say."""

import re
import struct

import pytest

from stackweave.core.sframe.constants import Abi, FdeType
from stackweave.core.sframe.contents import FunctionContents, read_contents
from stackweave.core.sframe.dialect import Dialect, Loss, Reason
from stackweave.core.sframe.eh_frame import from_eh_frame
from stackweave.core.sframe.encode import encode

from . import cfi_bytes

Made = tuple[tuple[FunctionContents, ...], tuple[Loss, ...]]


def converted(
    data: bytes, dialect: Dialect = Dialect.V3, abi: Abi = Abi.AMD64_ENDIAN_LITTLE
) -> Made:
    """The functions of an `.eh_frame`, and what was lost; what is made can be written."""
    section, losses = from_eh_frame(data, cfi_bytes.ADDRESS, abi, dialect, 0x9000)
    assert read_contents(encode(section), 0x9000) == section
    return section.tables[0].functions, losses


def rows(instructions: bytes) -> list[tuple[int, tuple[int, ...]]]:
    """Starts and words of the rows of an AMD64 function of 64 bytes."""
    (function,), losses = converted(cfi_bytes.section((0x1000, 64, instructions)))
    assert losses == ()
    return [(row.start, row.words) for row in function.rows]


CASES: dict[str, tuple[bytes, list[tuple[int, tuple[int, ...]]]]] = {
    "nothing": (b"", [(0, (8,))]),
    "push": (b"\x41\x0e\x10\x86\x02", [(0, (8,)), (1, (16, -16))]),
    "enter": (b"\x44\x0e\x10\x86\x02\x43\x0d\x06", [(0, (8,)), (4, (16, -16)), (7, (16, -16))]),
    "other register": (b"\x41\x8c\x02\x41\x0e\x18", [(0, (8,)), (2, (24,))]),
    "last instruction": (b"\x41\x8c\x02", [(0, (8,)), (1, (8,))]),
    "advances": (
        b"\x02\x05\x0e\x10\x03\x0a\x00\x0e\x18\x04\x14\x00\x00\x00\x0e\x20",
        [(0, (8,)), (5, (16,)), (15, (24,)), (35, (32,))],
    ),
    "remember": (
        b"\x41\x0e\x10\x0a\x41\x0e\x08\x41\x0b\x41\x0e\x08",
        [(0, (8,)), (1, (16,)), (2, (8,)), (3, (16,)), (4, (8,))],
    ),
    "remember twice": (
        b"\x0a\x41\x0e\x10\x0a\x41\x0e\x18\x41\x0b\x41\x0b",
        [(0, (8,)), (1, (16,)), (2, (24,)), (3, (16,)), (4, (8,))],
    ),
    "restore": (b"\x41\x86\x02\x41\xc6", [(0, (8,)), (1, (8, -16)), (2, (8,))]),
    "restore extended": (b"\x41\x05\x06\x02\x41\x06\x06", [(0, (8,)), (1, (8, -16)), (2, (8,))]),
    "same value": (b"\x41\x86\x02\x41\x08\x06", [(0, (8,)), (1, (8, -16)), (2, (8,))]),
    "factored": (
        b"\x41\x12\x07\x7e\x41\x13\x7d\x41\x11\x06\x02",
        [(0, (8,)), (1, (16,)), (2, (24,)), (3, (24, -16))],
    ),
    "undefined": (b"\x41\x07\x10", [(0, (8,)), (1, ())]),
    "same place": (b"\x41\x0e\x10\x02\x00\x0e\x18", [(0, (8,)), (1, (24,))]),
    "realigned": (
        b"\x45\x0c\x0a\x00\x49\x10\x06\x02\x76\x00\x44\x0f\x03\x76\x78\x06",
        [
            (0, (57, 8)),
            (5, (81, 0)),
            (14, (81, 0, 0, 51, 0)),
            (18, (51, -8, 0, 51, 0)),
        ],
    ),
    "far expression": (
        b"\x41\x0f\x04\x76\x80\x7f\x06",
        [(0, (57, 8)), (1, (51, -128))],
    ),
    "in a register": (b"\x41\x09\x06\x0c", [(0, (57, 8)), (1, (57, 8, 0, 97, 0))]),
    "return address elsewhere": (b"\x41\x90\x03", [(0, (57, 8)), (1, (57, 8, 2, -24))]),
    "arguments": (b"\x41\x0d\x06\x2e\x10", [(0, (8,)), (1, (8,))]),
    "other expression": (b"\x41\x10\x03\x03\x77\x08\x06\x16\x03\x01\x30", [(0, (8,)), (1, (8,))]),
    "value of the stack pointer": (b"\x41\x14\x07\x00", [(0, (8,)), (1, (8,))]),
}


@pytest.mark.parametrize("name", CASES)
def test_rows_of(name: str) -> None:
    instructions, wanted = CASES[name]
    assert rows(instructions) == wanted


REFUSED: dict[str, tuple[bytes, str]] = {
    "arguments": (b"\x2e\x10", "DW_CFA_GNU_args_size of 16"),
    "unknown": (b"\x2c", "cannot be read.*44"),
    "set_loc": (b"\x01" + bytes(8), "instruction 0x01"),
    "CFA expression": (b"\x0f\x02\x77\x08", "CFA by the expression 7708"),
    "CFA of another register": (b"\x0f\x03\x73\x08\x06", "CFA by the expression 730806"),
    "empty expression": (b"\x0f\x00", "CFA by the expression"),
    "only dereference": (b"\x0f\x01\x06", "CFA by the expression 06"),
    "cut number": (b"\x0f\x03\x76\x80\x06", "CFA by the expression 768006"),
    "stack pointer in a register": (b"\x09\x07\x03", "SP in register 3"),
    "stack pointer's value": (b"\x14\x07\x01", "SP as CFA-8"),
    "frame pointer's value": (b"\x14\x06\x00", r"FP as CFA\+0"),
    "return address by expression": (b"\x10\x10\x02\x77\x08", "RA by the expression 7708"),
    "frame pointer by value": (b"\x16\x06\x02\x77\x08", "FP as the value of the expression"),
    "CFA's register": (b"\x0c\x0a\x00\x10\x0a\x02\x77\x08", "the CFA's register by the expression"),
    "frame pointer lost": (b"\x07\x06", "FP undefined"),
    "restored, not remembered": (b"\x0b", "cannot be read: a restored state"),
    "too far": (b"\x02\x41\x0e\x10", "a rule 0x41 bytes into the function"),
    "offset of a dereferenced CFA": (b"\x0f\x03\x76\x78\x06\x0e\x10", "no register and offset"),
    "window": (b"\x2d", "DW_CFA_GNU_window_save"),
    "huge": (b"\x0e\xff\xff\xff\xff\x7f", "does not fit in four bytes"),
    "cut": (b"\x41\x41\x86", "cannot be read"),
    "long number": (b"\x0e" + b"\xff" * 300 + b"\x01", "a number of more than 255 bytes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_rows_cannot_say_is_told(name: str) -> None:
    """By function: the others are described."""
    instructions, message = REFUSED[name]
    data = cfi_bytes.section((0x1000, 64, instructions), (0x2000, 8, b""))
    functions, (loss,) = converted(data)
    assert [function.descriptor.start for function in functions] == [0x2000]
    assert (loss.start, loss.size) == (0x1000, 64)
    assert loss.told().startswith("function at 0x1000: ")
    assert re.search(message, loss.told())


def test_functions_are_sorted_and_counted_once() -> None:
    data = cfi_bytes.section((0x3000, 8, b""), (0x1000, 300, b""), (0x2000, 1 << 20, b""))
    functions, losses = converted(data)
    assert losses == ()
    assert [(f.descriptor.start, f.descriptor.fre_type) for f in functions] == [
        (0x1000, 1),
        (0x2000, 2),
        (0x3000, 0),
    ]


TRAMPOLINE = b"\x0f\x03\x77\xa0\x01\x06"


def test_signal_frames() -> None:
    """V3 keeps them, without rows if it must; before they cannot be marked."""
    head = cfi_bytes.cie(letters=b"zRS")
    data = cfi_bytes.section((0x1000, 8, TRAMPOLINE), (0x2000, 8, b""), head=head)
    functions, losses = converted(data)
    assert losses == ()
    assert [(f.descriptor.is_signal_frame, len(f.rows)) for f in functions] == [
        (True, 0),
        (True, 1),
    ]
    for older in (Dialect.V1, Dialect.V2, Dialect.V2_PCREL):
        functions, losses = converted(data, older)
        assert functions == ()
        assert [loss.reason for loss in losses] == [Reason.SIGNAL_FRAME] * 2


def test_what_older_versions_cannot_say() -> None:
    cases = {b"\x41\x07\x10": Reason.OUTERMOST, b"\x41\x09\x06\x0c": Reason.CODED_REGISTER}
    cases |= {b"\x0c\x0a\x00": Reason.FLEXIBLE, b"\x41\x90\x03": Reason.FLEXIBLE}
    for instructions, reason in cases.items():
        data = cfi_bytes.section((0x1000, 64, instructions))
        assert converted(data)[1] == ()
        for older in (Dialect.V1, Dialect.V2):
            assert [loss.reason for loss in converted(data, older)[1]] == [reason]


def test_no_rule_for_the_cfa() -> None:
    data = cfi_bytes.section((0x1000, 8, b""), head=cfi_bytes.cie(b""))
    functions, (loss,) = converted(data)
    assert functions == ()
    assert loss.detail == "no rule for the CFA"


def test_a_cie_that_advances() -> None:
    """Its rows would be those of every function."""
    head = cfi_bytes.cie(cfi_bytes.AMD64 + b"\x41\x0e\x10")
    functions, (loss,) = converted(cfi_bytes.section((0x1000, 8, b""), head=head))
    assert functions == ()
    assert loss.detail == "a CIE that advances"


def test_functions_longer_than_the_format_has_room_for() -> None:
    head = cfi_bytes.cie(encoding=0)
    for size, reasons in ((0xFFFFFFFF, []), (1 << 32, [Reason.SIZE])):
        fields = struct.pack("<IQQ", len(head) + 4, 0x1000, size)
        losses = converted(head + cfi_bytes.record(fields + b"\0"))[1]
        assert [loss.reason for loss in losses] == reasons


def test_another_return_column() -> None:
    data = cfi_bytes.section((0x1000, 8, b""), head=cfi_bytes.cie(column=15))
    assert converted(data)[1][0].detail == "return addresses in column 15"


AARCH64 = cfi_bytes.cie(b"\x0c\x1f\x00", b"zRB", 30)
S390X = cfi_bytes.cie(b"\x0c\x0f\xa0\x01", column=14, order="big")


def test_aarch64() -> None:
    """RA and FP are saved as pairs; the key and the state of RA are followed."""
    signed = b"\x41\x2d\x41\x0e\x20\x9d\x04\x9e\x03\x41\x0a\xdd\xde\x41\x0b"
    alone = b"\x41\x9d\x02"
    data = cfi_bytes.section((0x1000, 64, signed), (0x2000, 64, alone), head=AARCH64)
    (function,), (loss,) = converted(data, abi=Abi.AARCH64_ENDIAN_LITTLE)
    assert loss.reason is Reason.FP_WITHOUT_RA
    assert function.descriptor.pauth_key_b
    assert [(row.start, row.words, row.mangled_ra) for row in function.rows] == [
        (0, (0,), False),
        (1, (0,), True),
        (2, (32, -24, -32), True),
        (3, (32,), True),
        (4, (32, -24, -32), True),
    ]


def test_s390x() -> None:
    """Big-endian, CFA offsets coded; registers in registers as V2 or V3 writes them."""
    saved = b"\x41\x8b\x09\x41\x8e\x06\x41\x0e\xc0\x02"
    moved = b"\x41\x09\x0b\x10"
    off_grid = b"\x41\x0e\xa1\x01"
    functions = ((0x1000, 64, saved), (0x2000, 64, moved), (0x3000, 64, off_grid))
    data = cfi_bytes.section(*functions, head=S390X, order="big")
    for dialect, words in ((Dialect.V2_PCREL, (0, 0, 33)), (Dialect.V3, (121, 0, 0, -127, 0))):
        (plain, in_register), (loss,) = converted(data, dialect, Abi.S390X_ENDIAN_BIG)
        assert [row.words for row in plain.rows] == [
            (0,),
            (0, 0, -72),
            (0, -48, -72),
            (20, -48, -72),
        ]
        assert in_register.rows[1].words == words
        assert in_register.descriptor.fde_type is (
            FdeType.FLEX if dialect is Dialect.V3 else FdeType.DEFAULT
        )
        assert (loss.reason, loss.start) == (Reason.OFFSET, 0x3000)
