"""Headers, descriptors, rows and look-ups on small hand-made sections."""

import struct

import pytest

from stackweave.core.sframe import ErrorKind, SFrameError, SFrameSection
from stackweave.core.sframe.amd64 import FP, SP
from stackweave.core.sframe.decode import FrameRow, parse_section
from stackweave.core.sframe.rules import CFA, OUTERMOST, SIGNAL_ENTRY, FrameRule, Location

from . import sections
from .sections import FLEX, MASK, SIGNAL, Function, row, section


def rule(contents: bytes, pc: int, address: int = 0) -> FrameRule:
    found = SFrameSection(contents, address).rule_at(pc)
    assert found is not None
    return found


def cfa_offset(contents: bytes, pc: int, address: int = 0) -> int:
    return rule(contents, pc, address).cfa.offset


def rows(contents: bytes) -> tuple[FrameRow, ...]:
    (table,) = parse_section(contents, 0)
    return table.rows(table.descriptor(0))


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("flags", [0, sections.PCREL])
@pytest.mark.parametrize("address", [0, 0x2010])
def test_start_addresses_count_from_the_section_or_the_field(
    version: int, flags: int, address: int
) -> None:
    functions = (Function(0x1000, 16, (row(0, 8),)), Function(0x1010, 8, (row(0, 24),)))
    contents = section(*functions, version=version, flags=flags, address=address)
    (table,) = parse_section(contents, address)
    assert (table.starts, table.sizes) == ([0x1000, 0x1010], [16, 8])
    assert cfa_offset(contents, 0x1017, address) == 24
    assert SFrameSection(contents, address).rule_at(0x1018) is None
    assert SFrameSection(contents, address).rule_at(0xFFF) is None


@pytest.mark.parametrize("width", [1, 2, 4])
def test_word_sizes(width: int) -> None:
    (decoded,) = rows(section(Function(0, 9, (row(0, 100, -16, width=width),))))
    assert (decoded.words, decoded.word_size) == ((100, -16), width)


@pytest.mark.parametrize(("kind", "start"), [(0, b"\x30"), (1, b"\x30\1"), (2, b"\x30\1\2\0")])
def test_start_widths(kind: int, start: bytes) -> None:
    second = start + row(0, 32)[1:]
    first = bytes(len(start)) + row(0, 8)[1:]
    (_, decoded) = rows(section(Function(0, 1 << 20, (first, second), info=kind)))
    assert decoded.start == int.from_bytes(start, "little")


def test_the_last_row_at_or_before_the_offset_holds() -> None:
    contents = section(Function(0x100, 32, (row(0, 8), row(4, 16), row(9, 24))))
    found = [cfa_offset(contents, 0x100 + offset) for offset in (0, 3, 4, 8, 9, 31)]
    assert found == [8, 8, 16, 16, 24, 24]


def test_before_the_first_row_nothing_is_known() -> None:
    contents = SFrameSection(section(Function(0x100, 32, (row(5, 8),))), 0)
    assert contents.rule_at(0x104) is None
    assert contents.rule_at(0x105) is not None


@pytest.mark.parametrize(("version", "rep_size"), [(1, 0), (2, 16), (3, 16), (3, 8)])
def test_rows_of_a_mask_function_repeat(version: int, rep_size: int) -> None:
    plt = Function(0x1008, 64, (row(0, 8), row(5, 16)), info=MASK, rep_size=rep_size)
    block = rep_size or 16
    contents = section(plt, version=version)
    for entry in range(0, 64, block):
        assert cfa_offset(contents, 0x1008 + entry + 4) == 8
        assert cfa_offset(contents, 0x1008 + entry + block - 1) == 16


def test_a_mask_function_without_block_size_is_refused() -> None:
    contents = SFrameSection(section(Function(0, 64, (row(0, 8),), info=MASK)), 0)
    with pytest.raises(SFrameError, match="repeat size"):
        contents.rule_at(0)


def test_order_gaps_overlaps_and_empty_functions() -> None:
    contents = SFrameSection(
        section(
            Function(0x300, 16, (row(0, 30),)),
            Function(0x100, 0x180, (row(0, 10),)),
            Function(0x200, 8, (row(0, 20),)),
            Function(0x204, 0, (row(0, 99),)),
            Function(0x300, 0, (row(0, 99),)),
        ),
        0,
    )
    found = {pc: contents.rule_at(pc) for pc in (0x100, 0x200, 0x204, 0x208, 0x27F, 0x300, 0x310)}
    offsets = {pc: rule.cfa.offset for pc, rule in found.items() if rule}
    assert offsets == {0x100: 10, 0x200: 20, 0x204: 20, 0x300: 30}


@pytest.mark.parametrize("padding", [0, 4, 8, 40])
def test_headers_that_lld_concatenated(padding: int) -> None:
    first = section(Function(0x9000, 16, (row(0, 8),)), version=2)
    first += bytes(-len(first) % 8 + padding)
    at = len(first)
    second = section(Function(0x1000, 16, (row(0, 24),)), version=3, address=0x400 + at)
    shifted = section(Function(0x9000, 16, (row(0, 8),)), version=2, address=0x400)
    contents = SFrameSection(shifted + bytes(at - len(shifted)) + second, 0x400)
    assert [len(table) for table in contents.tables] == [1, 1]
    found = [contents.rule_at(0x9000), contents.rule_at(0x100F)]
    assert [rule and rule.cfa.offset for rule in found] == [8, 24]


def test_what_follows_the_headers_is_ignored() -> None:
    contents = section(Function(0x100, 8, (row(0, 8),)))
    assert cfa_offset(contents + b"\4\0\0\0\x10\0\0\0\5\0\0\0GNU\0", 0x100) == 8


def test_an_empty_section_has_no_functions() -> None:
    assert SFrameSection(b"", 0).rule_at(0) is None


def test_an_auxiliary_header_is_skipped() -> None:
    contents = section(Function(0x100, 8, (row(0, 8),)), auxiliary=b"\xff" * 8)
    assert cfa_offset(contents, 0x107) == 8


def test_default_rows() -> None:
    contents = section(
        Function(0, 16, (row(0, 16), row(1, 24, -16), row(4, 16, -16, base=sections.FP)))
    )
    saved_ra, saved_fp = Location(CFA, -8, True), Location(CFA, -16, True)
    assert [(r.cfa, r.ra, r.fp) for r in (rule(contents, pc) for pc in (0, 1, 4))] == [
        (Location(SP, 16, False), saved_ra, None),
        (Location(SP, 24, False), saved_ra, saved_fp),
        (Location(FP, 16, False), saved_ra, saved_fp),
    ]


def test_flexible_rows() -> None:
    """Control words 57, 51, 81, 2 and 129 are those that real files hold."""
    contents = section(
        Function(
            0,
            64,
            (
                row(0, 57, 8),
                row(1, 81, 0, 0, 51, 0),
                row(2, 51, -8, 2, -24),
                row(3, 57, 8, 91, 4, 97, -4),
                row(4, 57, 1000, 2, -960, 2, -968, width=2),
                row(5, 129, 100016, width=4),
                row(6, 251, -8),
            ),
            info2=FLEX,
        )
    )
    ra = Location(CFA, -8, True)
    assert [(r.cfa, r.ra, r.fp) for r in (rule(contents, pc) for pc in range(7))] == [
        (Location(SP, 8, False), ra, None),
        (Location(10, 0, False), ra, Location(FP, 0, True)),
        (Location(FP, -8, True), Location(CFA, -24, True), None),
        (Location(SP, 8, False), Location(11, 4, True), Location(12, -4, False)),
        (Location(SP, 1000, False), Location(CFA, -960, True), Location(CFA, -968, True)),
        (Location(16, 100016, False), ra, None),
        (Location(31, -8, True), ra, None),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        row(0, 0, 57, 8),  # a CFA by default
        row(0, 56, 8),  # a CFA without a register
        row(0, 57),  # a control without its offset
        row(0, 57, 8, 0, 51),
        row(0, 57, 8, 0, 51, 0, 0),  # left-over words
        row(0, 57, 8, 0, 51, 0, 57, 8),
        row(0, 57, 8, info=0x84 | 1),  # a mangled RA
    ],
)
def test_flexible_rows_that_make_no_sense(bad: bytes) -> None:
    contents = SFrameSection(section(Function(0, 8, (bad,), info2=FLEX)), 0)
    with pytest.raises(SFrameError) as caught:
        contents.rule_at(0)
    assert caught.value.kind is ErrorKind.INCONSISTENT


@pytest.mark.parametrize("version", [1, 2, 3])
def test_no_words_mean_outermost(version: int) -> None:
    contents = section(Function(0, 8, (row(0, info=0), row(4, 8))), version=version)
    assert rule(contents, 3) is OUTERMOST
    assert rule(contents, 4) is not OUTERMOST


def test_entries_without_rows() -> None:
    contents = section(Function(0, 8), Function(8, 8, info=SIGNAL), Function(16, 8, info2=FLEX))
    decoded = SFrameSection(contents, 0)
    assert [decoded.rule_at(pc) for pc in (0, 8, 16)] == [OUTERMOST, SIGNAL_ENTRY, None]
    assert SFrameSection(section(Function(0, 8), version=2), 0).rule_at(0) is None


def test_signal_bit_of_older_versions_means_nothing() -> None:
    old = section(Function(0, 8, (row(0, 8),), info=SIGNAL), version=2)
    assert not rule(old, 0).interrupts
    assert rule(section(Function(0, 8, (row(0, 8),), info=SIGNAL)), 0).interrupts


def test_functions_cannot_share_rows_without_end() -> None:
    """Once more rows are located than the section can hold, the rest is refused."""
    fde, header, count = 17, 28, 300
    one = section(Function(0, 256, tuple(row(i, 8) for i in range(200))), version=1, flags=0)
    places = (struct.pack("<i", index * 256) for index in range(count))
    fdes = b"".join(place + one[header + 4 : header + fde] for place in places)
    counts = struct.pack("<III", count, 200, len(one) - header - fde)
    contents = one[:8] + counts + struct.pack("<II", 0, len(fdes)) + fdes + one[header + fde :]
    decoded = SFrameSection(contents, 0)
    fit = len(contents) // 2 // 200
    assert 1 < fit < count
    for index in range(fit):
        assert decoded.rule_at(index * 256 + 7) is not None
    for _ in range(2):
        with pytest.raises(SFrameError, match="more rows than"):
            decoded.rule_at(fit * 256 + 7)
    assert decoded.rule_at(8) is not None


def test_headers_of_several_abis_are_refused() -> None:
    contents = section(Function(0, 8, (row(0, 8),)))
    contents += bytes(-len(contents) % 8)
    with pytest.raises(SFrameError, match="several ABIs"):
        SFrameSection(contents + section(Function(9, 8, (row(0, 8),)), abi=2), 0)


def test_tracked_return_addresses() -> None:
    """No AMD64 file does this, but the header could say that rows track RA."""
    contents = section(Function(0, 9, (row(0, 32, -24, -16),)), ra_offset=0)
    found = rule(contents, 0)
    assert (found.ra, found.fp) == (Location(CFA, -24, True), Location(CFA, -16, True))
    contents = section(Function(0, 9, (row(0, 8),)), ra_offset=0)
    with pytest.raises(SFrameError, match="1 words with a fixed RA offset of 0"):
        SFrameSection(contents, 0).rule_at(0)


@pytest.mark.parametrize("starts", [(0, 4, 4), (0, 4, 3), (0, 17)])
def test_rows_must_follow_one_another_inside_the_function(starts: tuple[int, ...]) -> None:
    rows_ = tuple(row(start, 8) for start in starts)
    with pytest.raises(SFrameError, match="FRE start"):
        SFrameSection(section(Function(0, 16, rows_)), 0).rule_at(0)


def test_a_row_may_start_where_the_function_ends() -> None:
    assert cfa_offset(section(Function(0, 16, (row(0, 8), row(16, 99)))), 15) == 8


def test_a_blocks_rows_may_lie_behind_a_short_function() -> None:
    """`.plt.got` may be shorter than the block that its rows describe."""
    plt = Function(0, 8, (row(0, 8), row(11, 16)), info=MASK, rep_size=16)
    assert cfa_offset(section(plt), 7) == 8


def test_more_rows_than_bytes_are_refused() -> None:
    contents = bytearray(section(Function(0, 8, (row(0, 8),))))
    contents[12:16] = (5).to_bytes(4, "little")
    with pytest.raises(SFrameError, match="number of FREs"):
        SFrameSection(bytes(contents), 0)
