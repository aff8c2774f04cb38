"""Rows of AArch64 and s390x on small hand-made sections: words, registers, signed addresses."""

from typing import Literal

import pytest

from stackweave.core.sframe import SFrameError, SFrameSection, aarch64, s390x
from stackweave.core.sframe.decode import parse_section
from stackweave.core.sframe.rules import ADDRESS_MASK, CFA, OUTERMOST, FrameRule, Location

from . import sections
from .sections import AARCH64, AARCH64_BE, FLEX, KEY_B, MANGLED, S390X, Function, row, section

Order = Literal["little", "big"]
ON_AARCH64 = pytest.mark.parametrize(("abi", "order"), [(AARCH64, "little"), (AARCH64_BE, "big")])
IN_LR = Location(30, 0, False)
IN_R14 = Location(14, 0, False)


def rules(*rows: bytes, abi: int, version: int = 3, info2: int = 0) -> list[FrameRule]:
    """The rules of one function's rows, which start at 0, 1, 2 and so on."""
    function = Function(0x1000, 64, rows, info2=info2)
    decoded = SFrameSection(section(function, abi=abi, version=version, ra_offset=0), 0)
    found = [decoded.rule_at(0x1000 + index) for index in range(len(rows))]
    return [rule for rule in found if rule]


def saved(offset: int) -> Location:
    return Location(CFA, offset, True)


@pytest.mark.parametrize("version", [1, 2, 3])
@ON_AARCH64
def test_aarch64_rows(abi: int, order: Order, version: int) -> None:
    found = rules(
        row(0, 0, order=order),
        row(1, 400, -392, width=2, order=order),
        row(2, 32, -24, -32, order=order),
        row(3, 70000, -24, -32, base=sections.FP, width=4, order=order),
        row(4, info=0),
        abi=abi,
        version=version,
    )
    assert [(r.cfa, r.ra, r.fp) for r in found[:4]] == [
        (Location(31, 0, False), IN_LR, None),
        (Location(31, 400, False), saved(-392), None),
        (Location(31, 32, False), saved(-24), saved(-32)),
        (Location(29, 70000, False), saved(-24), saved(-32)),
    ]
    assert found[4] is OUTERMOST


@ON_AARCH64
def test_signed_return_addresses_lose_their_code(abi: int, order: Order) -> None:
    plain, mangled = rules(
        row(0, 32, -24, -32, order=order),
        row(1, 32, -24, -32, info=MANGLED | 3 << 1 | 1, order=order),
        abi=abi,
    )
    assert plain.ra_mask == ADDRESS_MASK
    address = 0x007F_5500_1234_5678
    assert address & mangled.ra_mask == 0x5500_1234_5678
    assert mangled.ra == saved(-24)


@ON_AARCH64
def test_the_key_of_signed_addresses(abi: int, order: Order) -> None:
    functions = (Function(0, 8, (row(0, 0, order=order),), info=info) for info in (0, KEY_B))
    (table,) = parse_section(section(*functions, abi=abi), 0)
    assert [table.descriptor(index).pauth_key_b for index in range(2)] == [False, True]


@ON_AARCH64
def test_flexible_rows_of_aarch64(abi: int, order: Order) -> None:
    found = rules(
        row(0, 31 << 3 | 1, 16, width=2, order=order),
        row(1, 29 << 3 | 3, -8, 0, 2, -16, width=2, order=order),
        row(2, 29 << 3 | 1, 16, 2, -8, 2, -16, width=2, order=order),
        abi=abi,
        info2=FLEX,
    )
    assert [(r.cfa, r.ra, r.fp) for r in found] == [
        (Location(31, 16, False), IN_LR, None),
        (Location(29, -8, True), IN_LR, saved(-16)),
        (Location(29, 16, False), saved(-8), saved(-16)),
    ]


@pytest.mark.parametrize("version", [2, 3])
def test_s390x_offsets_of_the_cfa_are_coded(version: int) -> None:
    found = rules(
        row(0, 0),
        row(1, 20, -48),
        row(2, 1000, -48, -72, width=2, order="big", base=sections.FP),
        row(3, 20, 0, -72),
        abi=S390X,
        version=version,
    )
    assert [(r.cfa, r.ra, r.fp) for r in found] == [
        (Location(15, 160, False), IN_R14, None),
        (Location(15, 320, False), saved(-48), None),
        (Location(11, 8160, False), saved(-48), saved(-72)),
        (Location(15, 320, False), IN_R14, saved(-72)),
    ]


def test_registers_saved_in_registers() -> None:
    """V2 codes them in words, V3 as flexible rows: RA in f2, FP in f0."""
    (old,) = rules(row(0, 0, 17 << 1 | 1, 16 << 1 | 1), abi=S390X, version=2)
    (new,) = rules(
        row(0, 15 << 3 | 1, 0, 17 << 3 | 1, 0, 16 << 3 | 1, 0, width=2, order="big"),
        abi=S390X,
        info2=FLEX,
    )
    assert old == new
    assert (old.ra, old.fp) == (Location(17, 0, False), Location(16, 0, False))
    (padded,) = rules(row(0, 0, 0, 16 << 1 | 1), abi=S390X, version=2)
    assert (padded.ra, padded.fp) == (IN_R14, Location(16, 0, False))


def test_flexible_rows_of_s390x() -> None:
    found = rules(
        row(0, 15 << 3 | 1, 21, 0, 16 << 3 | 1, 0, width=2, order="big"),
        row(1, 11 << 3 | 3, -4, 2, -48, width=2, order="big"),
        abi=S390X,
        info2=FLEX,
    )
    assert [(r.cfa, r.ra, r.fp) for r in found] == [
        (Location(15, 328, False), IN_R14, Location(16, 0, False)),
        (Location(11, 128, True), saved(-48), None),
    ]


@pytest.mark.parametrize(
    ("bad", "version"),
    [
        (row(0, 0, 0, 32 << 1 | 1), 2),  # no such register
        (row(0, 0, -1), 2),
        (row(0, 0, -48, -72, -80), 3),  # too many words
        (row(0, 0, info=MANGLED | 1 << 1), 3),
    ],
)
def test_s390x_rows_that_make_no_sense(bad: bytes, version: int) -> None:
    with pytest.raises(SFrameError):
        rules(bad, abi=S390X, version=version)


def test_addresses_that_can_be_code() -> None:
    assert [aarch64.CODE.holds(a) for a in (0, 0x1000, 0x1002, 1 << 52)] == [0, 1, 0, 0]
    assert [s390x.CODE.holds(a) for a in (0, 0x1000, 0x1001, 1 << 63)] == [0, 1, 0, 1]
