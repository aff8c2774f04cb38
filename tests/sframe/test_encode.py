"""Sections are written as they were read: byte for byte, for every version, ABI and byte order."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackweave.core.sframe import encode as encode_module
from stackweave.core.sframe.constants import (
    Abi,
    BaseRegister,
    FdeType,
    Flag,
    FreType,
    PcType,
    Version,
)
from stackweave.core.sframe.contents import (
    FunctionContents,
    TableContents,
    read_contents,
    section_of,
)
from stackweave.core.sframe.decode import FrameRow, FunctionDescriptor
from stackweave.core.sframe.encode import encode
from stackweave.core.sframe.errors import EncodeError, SFrameError
from stackweave.core.sframe.header import Header

from . import sections
from .recordings import DATA, OWN, label
from .written import sframe_of

FILES = sorted((DATA / "elf").glob("*/*.xz"))

EXCEPTIONS: dict[str, str] = {
    "edge-recur-noshdr": "without section headers the segment shows notes behind the section",
}
"""Files whose bytes differ, and why."""


@pytest.mark.parametrize("file", FILES, ids=label)
def test_files_are_written_as_they_were_read(file: Path) -> None:
    section, address = sframe_of(file)
    written = encode(read_contents(section, address))
    assert len(written) == len(section)
    if label(file).partition("/")[2] in EXCEPTIONS:
        end = read_contents(section, address).tables[-1].header.end
        assert not any(written[end:])
        written = written[:end] + section[end:]
    assert written == section


def test_there_are_files_of_every_version_abi_and_byte_order() -> None:
    headers = {
        (header.version, header.abi)
        for file in (OWN / "elf").glob("*/*.xz")
        for header in (table.header for table in read_contents(*sframe_of(file)).tables)
    }
    assert headers == {
        (Version.V1, Abi.AMD64_ENDIAN_LITTLE),
        (Version.V1, Abi.AARCH64_ENDIAN_LITTLE),
        (Version.V2, Abi.AMD64_ENDIAN_LITTLE),
        (Version.V2, Abi.AARCH64_ENDIAN_LITTLE),
        (Version.V2, Abi.S390X_ENDIAN_BIG),
        (Version.V3, Abi.AMD64_ENDIAN_LITTLE),
        (Version.V3, Abi.AARCH64_ENDIAN_LITTLE),
        (Version.V3, Abi.AARCH64_ENDIAN_BIG),
        (Version.V3, Abi.S390X_ENDIAN_BIG),
    }


def test_bits_without_meaning_are_written_clear() -> None:
    """The first of the two exceptions, for each of its bits."""
    rows = (sections.row(0, 8),)
    for version, info in ((1, 0xC0), (2, 0xC0), (3, 0x40)):
        odd = sections.section(sections.Function(0, 8, rows, info=info), version=version)
        plain = sections.section(sections.Function(0, 8, rows), version=version)
        assert odd != plain
        assert encode(read_contents(odd, 0)) == plain
    odd = sections.section(sections.Function(0, 8, rows, info2=0xE0))
    assert encode(read_contents(odd, 0)) == sections.section(sections.Function(0, 8, rows))
    plain = sections.section(sections.Function(0, 8, rows), version=2)
    odd = plain[:46] + b"\1\2" + plain[48:]
    assert encode(read_contents(odd, 0)) == plain


def test_gaps_keep_their_size_and_lose_their_bytes() -> None:
    """The second exception: descriptors, rows and headers may lie apart."""
    plain = sections.section(sections.Function(0x100, 8, (sections.row(0, 8),)), flags=0)
    fdes, fres = plain[28:44], plain[44:]
    counts = (*struct.unpack_from("<II", plain, 8), len(fres) + 3, 5, 24)
    head = plain[:8] + struct.pack("<5I", *counts)
    fre_off = struct.pack("<I", 1)
    apart = head + b"?" * 5 + fdes[:12] + fre_off + b"???" + b"?" + fres + b"??"
    written = encode(read_contents(apart, 0))
    assert written == apart.replace(b"?", b"\0")


def test_several_headers_are_written_where_they_were() -> None:
    one = sections.section(sections.Function(0x100, 8, (sections.row(0, 8),)))
    other = sections.section(
        sections.Function(0x200, 8, (sections.row(0, 16),)), address=len(one) + 3, auxiliary=b"aux"
    )
    both = one + b"\0\0\0" + other + b"\0\0"
    contents = read_contents(both, 0)
    assert [table.auxiliary for table in contents.tables] == [b"", b"aux"]
    assert encode(contents) == both


def test_shared_rows_are_shared_again() -> None:
    """Written by nobody yet, but `fre_off` may say so."""
    plain = sections.section(
        *(sections.Function(start, 8, (sections.row(0, 8),)) for start in (0x100, 0x200, 0x300)),
        version=2,
        flags=0,
    )
    shared = bytearray(plain[:91])
    shared[12:20] = struct.pack("<II", 1, 3)
    for index in range(3):
        shared[36 + 20 * index : 40 + 20 * index] = bytes(4)
    contents = read_contents(bytes(shared), 0)
    assert [len(function.rows) for function in contents.tables[0].functions] == [1, 1, 1]
    assert encode(contents) == bytes(shared)
    assert section_of(0, contents.tables) == contents


def test_small_sections_do_not_unfold_into_large_ones() -> None:
    rows = tuple(sections.row(start, 8) for start in range(200))
    plain = bytearray(
        sections.section(*(sections.Function(n, 255, rows) for n in range(40)), version=2, flags=0)
    )
    for index in range(40):
        plain[36 + 20 * index : 40 + 20 * index] = bytes(4)
    plain[12:20] = struct.pack("<II", 200, 600)
    with pytest.raises(SFrameError, match="claim more rows than fit"):
        read_contents(bytes(plain[: 28 + 40 * 20 + 600]), 0)


@st.composite
def functions(draw: st.DrawFn, version: Version) -> FunctionContents:
    """A function that its version can hold."""
    size = draw(st.sampled_from((0, 1, 200, 70000, 0xFFFFFFFF)))
    fre_type = draw(st.sampled_from(FreType))
    limit = min(size, (1 << 8 * (1 << fre_type)) - 1)
    starts = sorted(draw(st.sets(st.integers(0, limit), max_size=4)))
    flexible = version is Version.V3 and draw(st.booleans())
    rows = []
    for start in starts:
        width = draw(st.sampled_from((1, 2, 4)))
        word = st.integers(-(1 << 8 * width - 1), (1 << 8 * width - 1) - 1)
        rows.append(
            FrameRow(
                start,
                draw(st.sampled_from(BaseRegister)),
                draw(st.booleans()),
                width,
                tuple(draw(st.lists(word, max_size=15))),
            )
        )
    descriptor = FunctionDescriptor(
        draw(st.integers(0, 1 << 31)),
        size,
        len(rows),
        0,
        fre_type,
        draw(st.sampled_from(PcType)),
        FdeType.FLEX if flexible else FdeType.DEFAULT,
        version is Version.V3 and draw(st.booleans()),
        16 if version is Version.V1 else draw(st.integers(1, 255)),
        draw(st.booleans()),
    )
    return FunctionContents(descriptor, tuple(rows))


@st.composite
def tables(draw: st.DrawFn) -> TableContents:
    version = draw(st.sampled_from(Version))
    abi = draw(st.sampled_from(Abi))
    header = Header(
        0,
        ">" if abi.is_big_endian else "<",
        version,
        Flag(draw(st.sampled_from((0, 1, 4, 5)))),
        abi,
        draw(st.integers(-128, 127)),
        draw(st.integers(-128, 127)),
        *(0,) * 6,
    )
    return TableContents(
        header, draw(st.binary(max_size=9)), tuple(draw(st.lists(functions(version), max_size=4)))
    )


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.lists(tables(), min_size=1, max_size=3))
def test_what_is_written_reads_the_same(written: list[TableContents]) -> None:
    section = section_of(0x1000, tuple(written))
    assert read_contents(encode(section), 0x1000) == section


def starts_from_the_section(monkeypatch: pytest.MonkeyPatch) -> None:
    original = encode_module._descriptor

    def plain(header: Header, descriptor: FunctionDescriptor, base: int, place: int) -> bytes:
        return original(header, descriptor, base & ~0xFF, place)

    monkeypatch.setattr(encode_module, "_descriptor", plain)


def words_unsigned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode_module, "WORD", ("B", "H", "I"))


def signal_frames_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode_module, "INFO_SIGNAL", 0)


def repetition_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode_module, "INFO_PC_TYPE", 0)


def rows_in_the_order_of_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    original = encode_module._RowArea.put

    def put(
        area: encode_module._RowArea, descriptor: FunctionDescriptor, start: int, rows: bytes
    ) -> None:
        original(area, descriptor, sum(area._used), rows)

    monkeypatch.setattr(encode_module._RowArea, "put", put)


PLANTED: tuple[Callable[[pytest.MonkeyPatch], None], ...] = (
    starts_from_the_section,
    words_unsigned,
    signal_frames_forgotten,
    repetition_forgotten,
    rows_in_the_order_of_functions,
)


@pytest.mark.parametrize("plant", PLANTED)
def test_wrong_encoders_are_found(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def differing() -> Iterator[Path]:
        for file in (OWN / "elf").glob("v3/*.xz"):
            section, address = sframe_of(file)
            contents = read_contents(section, address)
            try:
                same = encode(contents) == section
            except EncodeError:
                same = False
            if not same and label(file).partition("/")[2] not in EXCEPTIONS:
                yield file

    assert not any(differing())
    plant(monkeypatch)
    assert any(differing())
