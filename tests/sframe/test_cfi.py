"""Damaged `.eh_frame` sections: what can be read is read, the rest is told, and nothing takes long."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackweave.core.sframe.cfi import CallFrame, DamagedFrame, read_call_frames
from stackweave.core.sframe.constants import Abi
from stackweave.core.sframe.contents import read_contents
from stackweave.core.sframe.dialect import Dialect
from stackweave.core.sframe.eh_frame import from_eh_frame
from stackweave.core.sframe.encode import encode

from . import cfi_bytes
from .recordings import OWN
from .written import elf_image

GOOD = cfi_bytes.section((0x1000, 64, b"\x41\x0e\x10"), (0x2000, 8, b""))
CIE = cfi_bytes.cie()


def read(data: bytes) -> list[CallFrame | DamagedFrame]:
    return list(read_call_frames(data, cfi_bytes.ADDRESS, "<"))


def damage(data: bytes) -> str:
    """The one thing that is wrong, after as many functions as came before."""
    *before, last = read(data)
    assert all(isinstance(frame, CallFrame) for frame in before)
    assert isinstance(last, DamagedFrame)
    return last.detail


def test_a_section_that_is_whole() -> None:
    first, second = read(GOOD)
    assert isinstance(first, CallFrame)
    assert (first.start, first.size, first.augmentation) == (0x1000, 64, b"zR")
    assert (first.code_alignment, first.data_alignment, first.return_column) == (1, -8, 16)
    assert [opcode for opcode, _ in first.initial if opcode] == [0x0C, 0x80]
    assert [each for each in first.instructions if each[0]] == [(0x40, (1,)), (0x0E, (16,))]
    assert isinstance(second, CallFrame)
    assert second.start == 0x2000
    assert read(b"") == read(bytes(4)) == read(CIE) == []


def test_addresses_that_are_absolute() -> None:
    head = cfi_bytes.cie(encoding=0)
    fields = struct.pack("<QQ", 1 << 63, 1 << 40)
    body = struct.pack("<I", len(head) + 4) + fields + b"\0"
    (frame,) = read(head + cfi_bytes.record(body))
    assert isinstance(frame, CallFrame)
    assert (frame.start, frame.size) == (1 << 63, 1 << 40)


CUT: dict[str, tuple[bytes, str]] = {
    "within a length": (GOOD[:-4] + b"\x10\0", "the section ends within a record"),
    "within a record": (GOOD[:-6], "a record of 16 bytes"),
    "64 bits": (GOOD[:-4] + b"\xff" * 12, "a record of the 64-bit form"),
    "length of three": (GOOD[:-4] + b"\3\0\0\0" + bytes(3), "a record of 3 bytes"),
    "CIE before the section": (
        CIE + cfi_bytes.record(struct.pack("<I", 1 << 20) + bytes(12)),
        "its CIE is outside the section",
    ),
    "CIE is a function": (
        GOOD[:-4] + cfi_bytes.record(struct.pack("<I", len(GOOD) - len(CIE)) + bytes(12)),
        "its CIE is none",
    ),
    "long CIE": (
        cfi_bytes.section((0x1000, 64, b""), head=cfi_bytes.cie(bytes(130))),
        "its CIE has 144 bytes",
    ),
    "letters": (
        cfi_bytes.section((0x1000, 64, b""), head=cfi_bytes.cie(letters=b"eh")),
        "Unhandled augmentation",
    ),
    "encoding": (
        cfi_bytes.section((0x1000, 64, b""), head=cfi_bytes.cie(encoding=0x3B)),
        "addresses in the encoding 0x3b",
    ),
    "augmentation of a CIE": (
        cfi_bytes.section((0x1000, 64, b""), head=CIE[:15] + b"\x60" + CIE[16:]),
        "its CIE has augmentation data behind its end",
    ),
    "augmentation": (
        (CIE + cfi_bytes.record(struct.pack("<I", 28) + bytes(8) + b"\x09" + bytes(3))),
        "augmentation data behind its end",
    ),
    "no room": (CIE + cfi_bytes.record(struct.pack("<I", len(CIE) + 4)), "no room for an address"),
}


@pytest.mark.parametrize("name", CUT)
def test_damage_is_told(name: str) -> None:
    data, message = CUT[name]
    assert message in damage(data)


def test_a_damaged_function_has_its_address() -> None:
    data = cfi_bytes.section((0x1000, 64, b"\x41\x41\x86"), (0x2000, 8, b""))
    bad, good = read(data)
    assert isinstance(bad, DamagedFrame)
    assert (bad.offset, bad.start, bad.size) == (len(CIE), 0x1000, 64)
    assert isinstance(good, CallFrame)


def eh_frame_of(file: Path) -> tuple[bytes, int]:
    image = elf_image(file)
    (section,) = (s for s in image.sections if s.name == b".eh_frame")
    return image.contents(section.offset, section.size), section.address


FLEXASM = eh_frame_of(OWN / "elf" / "v3" / "flexasm.xz")


@settings(deadline=None, derandomize=True, max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, len(FLEXASM[0]) - 1), st.integers(0, 255)), max_size=8),
    st.sampled_from(Dialect),
)
def test_damaged_bytes_give_a_section_and_losses(
    changes: list[tuple[int, int]], dialect: Dialect
) -> None:
    data = bytearray(FLEXASM[0])
    for at, value in changes:
        data[at] = value
    abi = Abi.AMD64_ENDIAN_LITTLE
    section, losses = from_eh_frame(bytes(data), FLEXASM[1], abi, dialect, 0x400000)
    assert read_contents(encode(section), 0x400000) == section
    assert all(loss.told() for loss in losses)
