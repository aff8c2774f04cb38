"""A converted section decodes to equal rules; what it lost is accounted for, function by function."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackweave.core.sframe import convert as convert_module
from stackweave.core.sframe import words
from stackweave.core.sframe.constants import Abi, BaseRegister, Flag, FreType, PcType, Version
from stackweave.core.sframe.contents import FunctionContents, SectionContents, read_contents
from stackweave.core.sframe.convert import convert
from stackweave.core.sframe.decode import FrameRow
from stackweave.core.sframe.dialect import Dialect, Loss, Reason
from stackweave.core.sframe.encode import encode
from stackweave.core.sframe.errors import EncodeError, SFrameError
from stackweave.core.sframe.header import Header
from stackweave.core.sframe.lookup import SFrameSection
from stackweave.core.sframe.rules import FrameRule, Location
from stackweave.core.sframe.words import Equations

from . import sections
from .recordings import DATA, OWN, label
from .written import sframe_of

FILES = sorted((DATA / "elf").glob("*/*.xz"))


def contents_of(tag: str, name: str) -> SectionContents:
    return read_contents(*sframe_of(OWN / "elf" / tag / f"{name}.xz"))


def own_dialect(section: SectionContents) -> Dialect:
    (header,) = {table.header.version: table.header for table in section.tables}.values()
    if header.version is Version.V2 and header.flags & Flag.FDE_FUNC_START_PCREL:
        return Dialect.V2_PCREL
    return {Version.V1: Dialect.V1, Version.V2: Dialect.V2, Version.V3: Dialect.V3}[header.version]


def described(section: SectionContents, dialect: Dialect) -> bool:
    return all(dialect.describes(table.header.abi) for table in section.tables)


def probes(section: SectionContents) -> list[int]:
    """Addresses at and around every boundary of functions and rows."""
    found = set()
    for table in section.tables:
        for function in table.functions:
            start, size = function.descriptor.start, function.descriptor.size
            block = function.descriptor.rep_size
            repeats = function.descriptor.pc_type is PcType.MASK
            offsets = {0, size - 1, size, size // 2, *(row.start for row in function.rows)}
            if repeats:
                offsets |= {offset + block for offset in offsets}
            found |= {start + near for each in offsets for near in (each - 1, each)}
    return sorted(found)


def rules(data: bytes, address: int, at: list[int]) -> list[FrameRule | None]:
    section = SFrameSection(data, address)
    return [section.rule_at(place) for place in at]


def lost(losses: tuple[Loss, ...], address: int) -> bool:
    return any(
        loss.start is not None and loss.start <= address < loss.start + loss.size for loss in losses
    )


def differences(section: SectionContents, dialect: Dialect) -> list[int]:
    """Addresses where the converted section says something else than it should."""
    converted, losses = convert(section, dialect)
    at = probes(section)
    before = rules(encode(section), section.address, at)
    after = rules(encode(converted), converted.address, at)
    wanted = [None if lost(losses, a) else rule for a, rule in zip(at, before, strict=True)]
    return [a for a, rule, want in zip(at, after, wanted, strict=True) if rule != want]


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("file", FILES, ids=label)
def test_rules_stay_equal(file: Path, dialect: Dialect) -> None:
    section = read_contents(*sframe_of(file))
    if described(section, dialect):
        assert differences(section, dialect) == []
    else:
        with pytest.raises(EncodeError, match="does not describe S390X"):
            convert(section, dialect)


@pytest.mark.parametrize("file", FILES, ids=label)
def test_through_another_version_and_back(file: Path) -> None:
    """What V2 with errata can say comes back from it the same; losses are made once."""
    section = read_contents(*sframe_of(file))
    if not section.tables:
        return
    dialect = own_dialect(section)
    there, _ = convert(section, Dialect.V2_PCREL)
    back, losses = convert(there, dialect)
    again, _ = convert(back, Dialect.V2_PCREL)
    assert {loss.reason for loss in losses} <= {Reason.OUTERMOST}
    assert losses or again == there


@pytest.mark.parametrize("file", FILES, ids=label)
def test_widths_are_those_that_the_assembler_chose(file: Path) -> None:
    """Converted to what it is, a section stays the same: gas and we choose alike."""
    section = read_contents(*sframe_of(file))
    if not section.tables:
        return
    converted, losses = convert(section, own_dialect(section))
    assert losses == ()
    plain = [f for table in section.tables for f in table.functions]
    for old, new in zip(plain, converted.tables[0].functions, strict=True):
        assert new.rows == old.rows
        widths = (old.descriptor.fre_type, new.descriptor.fre_type)
        assert widths[0] == widths[1] or by_ld(section, old, widths)


def by_ld(
    section: SectionContents, function: FunctionContents, widths: tuple[FreType, FreType]
) -> bool:
    """ld gives all its PLT entries, whose rows come last, the width that the longest needs."""
    last = max(f.descriptor.fres_at for table in section.tables for f in table.functions)
    near = function.descriptor.fres_at >= last - 64
    return near and widths == (FreType.ADDR2, FreType.ADDR1)


@pytest.mark.parametrize(
    ("original", "derived"),
    [
        (("v3-s390x", "mini-O2"), ("v3-s390x", "s390x-mini-O2-as-v2pcrel")),
        (("v3", "mini-O2"), ("v3", "x86_64-mini-O2-as-v2pcrel-aux8-unsorted")),
    ],
)
def test_equal_to_conversions_made_elsewhere(
    original: tuple[str, str], derived: tuple[str, str]
) -> None:
    converted, losses = convert(contents_of(*original), Dialect.V2_PCREL)
    other = contents_of(*derived)

    def functions(section: SectionContents) -> list[tuple[int, int, tuple[FrameRow, ...]]]:
        found = [f for table in section.tables for f in table.functions]
        return sorted((f.descriptor.start, f.descriptor.size, f.rows) for f in found)

    assert functions(converted) == functions(other)
    assert {loss.reason for loss in losses} <= {Reason.SIGNAL_FRAME}
    if not other.tables[0].auxiliary:
        data = encode(converted)
        assert data == sframe_of(OWN / "elf" / derived[0] / f"{derived[1]}.xz")[0][: len(data)]


def reasons(section: SectionContents, dialect: Dialect) -> Counter[Reason]:
    return Counter(loss.reason for loss in convert(section, dialect)[1])


def test_what_older_versions_cannot_say() -> None:
    flexible = contents_of("v3", "flexasm")
    assert reasons(flexible, Dialect.V3) == {}
    assert reasons(flexible, Dialect.V2_PCREL) == {Reason.FLEXIBLE: 6, Reason.CODED_REGISTER: 2}
    for older in (Dialect.V1, Dialect.V2):
        assert reasons(flexible, older) == {
            Reason.FLEXIBLE: 6,
            Reason.CODED_REGISTER: 2,
            Reason.OUTERMOST: 1,
        }
    assert reasons(contents_of("v3", "mini-O2"), Dialect.V2_PCREL) == {Reason.SIGNAL_FRAME: 1}


def built(*functions: sections.Function, version: int = 3, **header: int) -> SectionContents:
    return read_contents(sections.section(*functions, version=version, **header), 0)  # type: ignore[arg-type] # by name


ROW = sections.row(0, 8)
PLAIN = sections.Function(0x1000, 8, (ROW,))


def test_functions_without_rows() -> None:
    """V3: outermost, a trampoline, or flexible and nothing. Before: nothing."""
    outermost = built(sections.Function(0x1000, 8))
    (table,) = convert(outermost, Dialect.V2_PCREL)[0].tables
    assert [row.words for row in table.functions[0].rows] == [()]
    assert reasons(outermost, Dialect.V2) == {Reason.OUTERMOST: 1}
    nothing = built(sections.Function(0x1000, 8, info2=sections.FLEX))
    for dialect in Dialect:
        assert reasons(nothing, dialect) == {}
        assert differences(nothing, dialect) == []
    trampoline = built(sections.Function(0x1000, 8, info=sections.SIGNAL))
    assert reasons(trampoline, Dialect.V3) == {}
    assert reasons(trampoline, Dialect.V1) == {Reason.SIGNAL_FRAME: 1}
    assert reasons(built(sections.Function(0x1000, 8), version=2), Dialect.V3) == {
        Reason.NO_ROWS: 1
    }


def test_repeated_blocks() -> None:
    """V1 has blocks of 16 bytes; one block of another length need not repeat."""
    rows = (sections.row(0, 8), sections.row(6, 16))
    blocks = {
        length: built(sections.Function(0x1000, 16, rows, info=sections.MASK, rep_size=length))
        for length in (4, 8, 16, 24)
    }
    assert {n: dict(reasons(block, Dialect.V1)) for n, block in blocks.items()} == {
        4: {Reason.REPEAT_SIZE: 1},
        8: {Reason.REPEAT_SIZE: 1},
        16: {},
        24: {},
    }
    for block in blocks.values():
        for dialect in Dialect:
            assert differences(block, dialect) == []
    (table,) = convert(blocks[24], Dialect.V1)[0].tables
    assert table.functions[0].descriptor.pc_type is PcType.INC
    back, _ = convert(convert(blocks[16], Dialect.V1)[0], Dialect.V3)
    assert back == blocks[16]


def test_rows_too_many_for_v3(monkeypatch: pytest.MonkeyPatch) -> None:
    assert convert_module._MOST_V3_ROWS == 0xFFFF
    monkeypatch.setattr(convert_module, "_MOST_V3_ROWS", 3)
    rows = tuple(sections.row(start, 8) for start in range(4))
    for count, wanted in ((3, {}), (4, {Reason.ROW_COUNT: 1})):
        section = built(sections.Function(0x1000, 8, rows[:count]), PLAIN, version=2)
        assert reasons(section, Dialect.V3) == wanted
        assert reasons(section, Dialect.V1) == {}


def test_functions_out_of_reach() -> None:
    far = built(PLAIN, sections.Function((1 << 31) + 0x1000, 8, (ROW,)))
    for dialect in (Dialect.V1, Dialect.V2, Dialect.V2_PCREL):
        converted, losses = convert(far, dialect)
        assert [(loss.start, loss.reason) for loss in losses] == [
            ((1 << 31) + 0x1000, Reason.DISTANCE)
        ]
        assert len(converted.tables[0].functions) == 1
        encode(converted)
    assert reasons(far, Dialect.V3) == {}


def test_functions_out_of_reach_of_a_later_header() -> None:
    """Its fields lie behind the rows of the header before."""
    address = 1 << 32
    rows = tuple(sections.row(start, 8) for start in range(250))
    many = sections.section(sections.Function(address, 255, rows), address=address)
    many += bytes(-len(many) % 8)
    far = sections.Function(address - (1 << 31) + 200, 8, (ROW,))
    both = many + sections.section(far, address=address + len(many))
    converted, losses = convert(read_contents(both, address), Dialect.V2_PCREL)
    assert [loss.reason for loss in losses] == [Reason.DISTANCE]
    encode(converted)


def test_the_frame_pointer_flag() -> None:
    section = built(PLAIN, version=2, flags=Flag.FRAME_POINTER)
    converted, losses = convert(section, Dialect.V3)
    assert [(loss.start, loss.reason) for loss in losses] == [(None, Reason.FRAME_POINTER_FLAG)]
    assert losses[0].told() == "section: no flag for code that keeps the frame pointer"
    assert converted.tables[0].header.flags == Flag.FDE_FUNC_START_PCREL
    assert convert(section, Dialect.V1)[1] == ()


def test_offsets_that_would_read_as_registers() -> None:
    """s390x V2 takes odd words for registers, and 0 for not saved."""
    big = contents_of("v3-s390x", "mini-O2")
    (table,) = big.tables
    function = next(f for f in table.functions if len(f.rows[-1].words) == 1)
    for words_, reason in (((0, -15), Reason.OFFSET), ((0, -16), None)):
        rows = (replace(function.rows[0], words=words_),)
        descriptor = replace(function.descriptor, num_fres=1)
        changed = replace(table, functions=(replace(function, descriptor=descriptor, rows=rows),))
        losses = convert(replace(big, tables=(changed,)), Dialect.V2_PCREL)[1]
        assert [loss.reason for loss in losses] == ([reason] if reason else [])


def test_a_row_that_makes_no_rule_is_an_error() -> None:
    with pytest.raises(SFrameError, match="FRE words"):
        convert(built(sections.Function(0x1000, 8, (sections.row(0, 8, 8, 8),))), Dialect.V2)


def test_auxiliary_headers_and_several_headers_are_kept() -> None:
    one = sections.section(PLAIN, auxiliary=b"auxiliary", flags=5)
    two = one + bytes(-len(one) % 8)
    both = two + sections.section(
        sections.Function(0x2000, 8, (ROW,)), address=len(two), abi=3, ra_offset=-8
    )
    converted, losses = convert(read_contents(both, 0), Dialect.V2)
    assert losses == ()
    assert [table.auxiliary for table in converted.tables] == [b"auxiliary", b""]
    assert [table.header.flags for table in converted.tables] == [Flag.FDE_SORTED, Flag(0)]
    assert differences(read_contents(both, 0), Dialect.V2) == []


FUZZED = [sframe_of(OWN / "elf" / name) for name in ("v3/flexasm.xz", "v3-s390x/mini-O2.xz")]


@settings(deadline=None, derandomize=True, max_examples=200)
@given(
    st.sampled_from(FUZZED),
    st.lists(st.tuples(st.integers(28, 900), st.integers(0, 255)), max_size=6),
    st.sampled_from(Dialect),
)
def test_damaged_sections_are_refused_or_converted(
    original: tuple[bytes, int], changes: list[tuple[int, int]], dialect: Dialect
) -> None:
    data, address = bytearray(original[0]), original[1]
    for at, value in changes:
        data[at % len(data)] = value
    try:
        section = read_contents(bytes(data), address)
        converted, losses = convert(section, dialect)
    except (SFrameError, EncodeError):
        return
    assert read_contents(encode(converted), address) == converted
    assert all(loss.told() for loss in losses)


def cfa_not_coded(monkeypatch: pytest.MonkeyPatch) -> None:
    def offset(abi: Abi, cfa: Location) -> int:
        return cfa.offset

    monkeypatch.setattr(words, "_coded_cfa", offset)


def padding_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    def unpadded(header: Header, ra: int | None, fp: int | None) -> list[int]:
        return [word for word in (ra, fp) if word is not None]

    monkeypatch.setattr(words, "_saved_words", unpadded)


def bases_exchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    original = words._row

    def exchanged(
        equations: Equations, base: BaseRegister, values: list[int], controls: Sequence[int]
    ) -> FrameRow:
        return original(equations, BaseRegister(1 - base), values, controls)

    monkeypatch.setattr(words, "_row", exchanged)


def controls_for_memory_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    original = words._control

    def plain(location: Location) -> int:
        return original(location) & ~2 or 2

    monkeypatch.setattr(words, "_control", plain)


def outermost_as_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def row(start: int) -> FrameRow:
        return FrameRow(start, BaseRegister.SP, False, 1, (8,))

    monkeypatch.setattr(words, "_outermost_row", row)


def losses_untold(monkeypatch: pytest.MonkeyPatch) -> None:
    original = convert_module.convert

    def silent(
        section: SectionContents, dialect: Dialect
    ) -> tuple[SectionContents, tuple[Loss, ...]]:
        return original(section, dialect)[0], ()

    monkeypatch.setitem(globals(), "convert", silent)


PLANTED: dict[Callable[[pytest.MonkeyPatch], None], tuple[str, str, Dialect]] = {
    cfa_not_coded: ("v3-s390x", "mini-O2", Dialect.V3),
    padding_forgotten: ("v3-s390x", "mini-O0", Dialect.V2_PCREL),
    bases_exchanged: ("v2", "recur", Dialect.V3),
    controls_for_memory_forgotten: ("v3", "flexasm", Dialect.V3),
    outermost_as_nothing: ("v3-aarch64", "mini-O2", Dialect.V2_PCREL),
    losses_untold: ("v3", "flexasm", Dialect.V1),
}


@pytest.mark.parametrize("plant", PLANTED)
def test_wrong_conversions_are_found(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tag, name, dialect = PLANTED[plant]
    section = contents_of(tag, name)
    assert differences(section, dialect) == []
    plant(monkeypatch)
    assert differences(section, dialect) != []
