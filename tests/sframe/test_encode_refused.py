"""Sections that the format cannot hold are refused, each for its reason, and never cut to fit."""

from dataclasses import replace

import pytest

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
    SectionContents,
    TableContents,
    read_contents,
    section_of,
)
from stackweave.core.sframe.decode import FrameRow, FunctionDescriptor
from stackweave.core.sframe.encode import encode
from stackweave.core.sframe.errors import EncodeError
from stackweave.core.sframe.header import Header

FUNCTION = FunctionDescriptor(
    start=0x2000,
    size=8,
    num_fres=1,
    fres_at=0,
    fre_type=FreType.ADDR1,
    pc_type=PcType.INC,
    fde_type=FdeType.DEFAULT,
    is_signal_frame=False,
    rep_size=0,
    pauth_key_b=False,
)
ROW = FrameRow(0, BaseRegister.SP, False, 1, (8,))


def header(version: Version) -> Header:
    return Header(0, "<", version, Flag(4), Abi.AMD64_ENDIAN_LITTLE, 0, -8, 0, 0, 0, 0, 0, 0)


def written(
    version: Version, rows: tuple[FrameRow, ...] = (ROW,), **changes: object
) -> SectionContents:
    """A section of one function, laid out, whose descriptor is changed thereafter."""
    rep_size = 16 if version is Version.V1 else 0
    descriptor = replace(FUNCTION, rep_size=rep_size)
    table = TableContents(header(version), b"", (FunctionContents(descriptor, (ROW,)),))
    section = section_of(0x1000, (table,))
    (table,) = section.tables
    (function,) = table.functions
    descriptor = replace(function.descriptor, num_fres=len(rows))
    changed = FunctionContents(replace(descriptor, **changes), rows)  # type: ignore[arg-type] # by name
    return replace(section, tables=(replace(table, functions=(changed,)),))


def with_header(version: Version, **changes: object) -> SectionContents:
    section = written(version)
    (table,) = section.tables
    changed = replace(table.header, **changes)  # type: ignore[arg-type] # by name
    return replace(section, tables=(replace(table, header=changed),))


V1, V2, V3 = Version.V1, Version.V2, Version.V3
IMPOSSIBLE: dict[str, tuple[SectionContents, str]] = {
    "start out of reach": (written(V2, start=1 << 40), "0x10000000000: a value has no room"),
    "size": (written(V3, size=1 << 32), "no room"),
    "negative size": (written(V3, size=-1), "no room"),
    "too many rows": (
        written(V3, tuple(replace(ROW, start=n) for n in range(65536)), size=1 << 20),
        "no room",
    ),
    "row start": (written(V2, (replace(ROW, start=256),), size=300), "no room"),
    "word": (written(V2, (replace(ROW, words=(128,)),)), "no room"),
    "word size": (written(V2, (replace(ROW, word_size=8),)), "1 words of 8 bytes"),
    "words": (written(V2, (replace(ROW, words=(1,) * 16),)), "16 words"),
    "row behind the end": (written(V2, (replace(ROW, start=9),)), "row at 0x9"),
    "rows in disorder": (written(V2, (ROW, ROW), fres_at=48), "row at 0x0 after 0x0"),
    "rows miscounted": (written(V2, num_fres=2), "1 rows, counted 2"),
    "rows behind their area": (written(V2, fres_at=49), "rows end at 0x4"),
    "rows before their area": (written(V2, fres_at=47), "no room"),
    "repeats after nothing": (written(V2, pc_type=PcType.MASK), "repeats after 0"),
    "repeat size": (written(V2, rep_size=256), "no room"),
    "repeat size of V1": (written(V1, rep_size=8), "V1 repeats after 16"),
    "signal frame": (written(V2, is_signal_frame=True), "no signal frames"),
    "flexible rows": (written(V1, fde_type=FdeType.FLEX), "no flexible rows"),
    "flags": (with_header(V3, flags=Flag(2)), "flags 0x2"),
    "byte order": (with_header(V3, byte_order=">"), "other byte order"),
    "fixed offset": (with_header(V3, cfa_fixed_ra_offset=-129), "no room"),
    "functions miscounted": (with_header(V3, num_fdes=2), "2 functions"),
    "auxiliary bytes miscounted": (with_header(V3, auxhdr_len=1, freoff=15), "1 auxiliary bytes"),
    "no room for functions": (with_header(V3, fdeoff=1), "no room for 1 functions"),
    "no room for rows": (with_header(V2, num_fres=2), "2 rows do not fit"),
    "negative offset": (with_header(V3, fdeoff=-1), "no room"),
    "header over header": (
        replace(written(V2), size=200, tables=written(V2).tables * 2),
        "begins before",
    ),
    "section too small": (replace(written(V2), size=50), "has 50 bytes"),
    "section of no size": (replace(written(V2), size=-1, tables=()), "-1 bytes"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_the_format_cannot_hold_is_refused(name: str) -> None:
    section, message = IMPOSSIBLE[name]
    with pytest.raises(EncodeError, match=message):
        encode(section)


def test_what_is_refused_is_near_what_is_not() -> None:
    """Or the cases above could fail for another reason."""
    for version in Version:
        section = written(version)
        assert read_contents(encode(section), 0x1000) == section


def test_rows_over_other_rows_are_refused() -> None:
    (table,) = written(V2).tables
    (function,) = table.functions
    other = FunctionContents(
        replace(function.descriptor, start=0x3000), (replace(ROW, words=(16,)),)
    )
    tight = section_of(0x1000, (replace(table, functions=(function, other)),))
    (table,) = tight.tables
    first, second = table.functions
    moved = replace(second, descriptor=replace(second.descriptor, fres_at=first.descriptor.fres_at))
    over = replace(tight, tables=(replace(table, functions=(first, moved)),))
    with pytest.raises(EncodeError, match="lie over another function's"):
        encode(over)
