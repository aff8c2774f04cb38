"""`stackweave sframe check`: every rule finds its planted twin, damage is violation, sound files are sound."""

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackweave.core.sframe import SFrameError
from stackweave.core.sframe.checking import Profile, Rule, Severity
from stackweave.core.sframe.checking_file import check
from stackweave.core.sframe.contents import read_contents
from stackweave.core.sframe.module import Module, sframe_of
from stackweave.core.sframe.words import row_equations

from . import kernel_reader
from . import test_malformed as malformed
from .commands import Commands
from .recordings import OWN, label, paths, unxz
from .sections import MASK, Function, row
from .twins import ADDRESS, BOTH, PLANTED, SOUND, Planted, image, table
from .written import elf_image
from .written import sframe_of as written

FILES = paths("elf", "*.xz")
TOLERATED = (Rule.SORTED, Rule.FRE_COUNT)
"""Violations that look-ups can do without."""


def violations(data: bytes, address: int = 0) -> set[Rule]:
    """The rules that the section's bytes violate."""
    found = check(None, data, address, Profile.SPECIFICATION)
    return {finding.rule for finding in found if finding.rule.severity is Severity.VIOLATION}


def is_read(data: bytes, address: int = 0) -> bool:
    """Whether the decoder takes all of it."""
    try:
        for each in read_contents(data, address).tables:
            for function in each.functions:
                for its_row in function.rows:
                    row_equations(each.header, function.descriptor, its_row)
    except SFrameError:
        return False
    return True


def test_the_document_lists_every_rule() -> None:
    document = (Path(__file__).parents[2] / "docs" / "sframe.md").read_text()
    rows = [line for line in document.splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{rule.label}` | {rule.severity.value} | {rule.meaning} | {rule.reference} |"
        for rule in Rule
    ]


def test_every_rule_has_a_twin() -> None:
    assert {planted.rule for planted in PLANTED} == set(Rule)
    assert len({rule.label for rule in Rule}) == len(Rule)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.rule.label)
def test_the_twin_is_found_where_it_is(planted: Planted) -> None:
    found = planted.findings()
    assert planted.offset in [finding.offset for finding in found]
    assert all(finding.field and finding.detail for finding in found)


def test_the_sound_section_is_sound() -> None:
    """So each finding of a twin is about what was planted."""
    assert check(image(), table(SOUND), ADDRESS, Profile.KERNEL) == ()
    assert check(None, table(SOUND), ADDRESS, Profile.KERNEL) == ()


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.rule.label)
def test_what_is_planted_is_read_as_it_is_judged(planted: Planted) -> None:
    """What the decoder refuses is a violation, and the other way round."""
    if planted.data and planted.image is None:
        tolerated = violations(planted.data, ADDRESS) <= set(TOLERATED)
        assert is_read(planted.data, ADDRESS) == tolerated


@pytest.mark.parametrize("file", FILES, ids=label)
def test_tools_write_no_violations(file: Path) -> None:
    found = elf_image(file)
    address, contents = sframe_of(found)
    assert not violations(contents, address)
    rules = {finding.rule for finding in check(found, contents, address, Profile.SPECIFICATION)}
    assert not rules & {rule for rule in Rule if rule.severity is Severity.VIOLATION}


@pytest.mark.parametrize("case", malformed.CASES, ids=lambda case: f"{case.tag}-{case.name}")
def test_what_must_be_refused_is_a_violation(case: malformed.Case) -> None:
    refused = case.expect in ("reject", "reject-fdes", "reject-fde", "reject-fre", "reject-some")
    data, address = damaged_section(case)
    found = violations(data, address)
    assert found or not refused
    assert bool(found - set(TOLERATED)) == (not is_read(data, address))


def damaged_section(case: malformed.Case) -> tuple[bytes, int]:
    sound = Module.parse(malformed.base_of(case.source, case.base), case.base)
    address, contents = sframe_of(sound.image)
    begin = malformed.base_of(case.source, case.base).index(contents)
    return case.data[begin : begin + len(contents)], address


BASES = tuple(
    written(OWN / "elf" / f"{name}.xz")[0]
    for name in (
        "v1/mini-O2",
        "v2/recur",
        "v3/flexasm",
        "v3-aarch64/mini-be-O2",
        "v3-s390x/mini-O2",
    )
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(BASES), st.data())
def test_no_damage_is_read_but_by_the_way_it_is_judged(base: bytes, data: st.DataObject) -> None:
    """Whatever is changed: the decoder refuses exactly what is a violation that matters."""
    changed = bytearray(base)
    for _ in range(data.draw(st.integers(1, 3))):
        near = st.integers(0, 60) | st.integers(0, len(base) - 1)
        changed[data.draw(near)] = data.draw(st.integers(0, 255))
    found = violations(bytes(changed))
    assert bool(found - {*TOLERATED, Rule.MACHINE}) == (not is_read(bytes(changed)))


def test_rules_of_real_traps(sframe: Commands) -> None:
    """What the toolchains of the recordings are known for is found in them, and only there."""
    traps = {
        "v1/mini-O2": {"outermost-missing"},
        "v2/recur": {"plt-entry", "pcrel-clear", "segment-longer", "repeat-unused"},
        "v3/recur": {"plt-entry", "segment-longer"},
        "v3/recur-nopie": {"segment-longer"},
        "v3/mini-O2": set(),
        "llvm/recur": {"segment-missing", "unsorted"},
        "v3/edge-zerosize.o": {"size-zero"},
        "v3/edge-empty.o": {"absent"},
    }
    for name, expected in traps.items():
        printed = sframe.json("check", sframe.elf(name))
        assert {each["rule"] for each in printed["findings"]} - {"uncovered"} == expected
        assert printed["violations"] == 0
        assert printed["suspicious"] == len(printed["findings"])


def test_wrong_plt_entries_are_where_single_steps_found_them(sframe: Commands) -> None:
    """Where the recorded programs, stepped through without unwind data, contradicted the tables."""
    found = set()
    recorded = set()
    for path in paths("steps", "*.expect.json.xz", OWN):
        expected = json.loads(unxz(path))["sframe_differs_from_truth_at"]
        for module_name, address in expected:
            name = f"{path.parent.name}/{module_name}"
            recorded.add((name, int(address, 16)))
            for each in sframe.json("check", sframe.elf(name))["findings"]:
                if each["rule"] == "plt-entry":
                    found.add((name, int(each["function"], 16)))
    assert found == recorded
    assert len(found) == 8


@pytest.mark.parametrize(
    ("code", "pushed"),
    [
        ("ff25c22f00006800000000e9e0ffffff", 11),
        ("f30f1efa6800000000e9e2ffffff6690", 9),
        ("6800000000f2e9e1ffffff0f1f440000", 5),
    ],
)
def test_plt_entries_are_judged_by_their_code(code: str, pushed: int) -> None:
    """Rows for the other kinds of entries are wrong, those for its own are not."""
    entries = bytes(16) + bytes.fromhex(code)
    for offset in (5, 9, 11):
        function = Function(0x1010, 32, (row(0, 8), row(offset, 16)), MASK, rep_size=16)
        for entry, known in ((entries, True), (entries[:16], False)):
            found = image(text=(0x1000, 48), name=b".plt", code=entry)
            findings = check(found, table(function), ADDRESS, Profile.SPECIFICATION)
            is_named = Rule.PLT_ENTRY in {finding.rule for finding in findings}
            assert is_named == (known and offset != pushed)


def test_the_kernels_profile(sframe: Commands) -> None:
    for name, expected in (
        ("v3/recur", set()),
        ("v3-aarch64/mini-pac", set()),
        ("v2/recur", {"kernel-version", "kernel-flags"}),
        ("llvm/recur", {"kernel-version", "kernel-flags"}),
        (
            "v3/x86_64-mini-O2-as-v2pcrel-aux8-unsorted",
            {"kernel-version", "kernel-flags", "kernel-auxiliary", "kernel-order"},
        ),
    ):
        code = 1 if expected else 0
        printed = sframe.json("check", sframe.elf(name), "--profile", "kernel", code=code)
        violated = {each["rule"] for each in printed["findings"] if each["severity"] == "violation"}
        assert violated == expected
        assert printed["profile"] == "kernel"


NEW = tuple(
    written(OWN / "elf" / f"{name}.xz")
    for name in ("v3/flexasm", "v3/mini-O2", "v3/pltmain", "v3-aarch64/mini-pac")
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(NEW), st.data())
def test_what_the_kernels_reader_refuses_is_a_violation(
    base: tuple[bytes, int], data: st.DataObject
) -> None:
    """Against a model of that reader, which knows none of the project's code."""
    contents, address = base
    assert kernel_reader.is_taken(contents, address)
    changed = bytearray(contents)
    for _ in range(data.draw(st.integers(1, 3))):
        near = st.integers(0, 60) | st.integers(0, len(contents) - 1)
        changed[data.draw(near)] = data.draw(st.integers(0, 255))
    found = check(None, bytes(changed), address, Profile.KERNEL)
    violated = any(finding.rule.severity is Severity.VIOLATION for finding in found)
    assert violated or kernel_reader.is_taken(bytes(changed), address)


def test_the_kernels_reader_refuses_what_its_rules_name() -> None:
    """Each twin of its rules, but for those that need the code's addresses or further headers."""
    elsewhere = (Rule.KERNEL_TEXT, Rule.KERNEL_HEADERS)
    for planted in PLANTED:
        if planted.rule.is_kernels and planted.rule not in elsewhere:
            assert not kernel_reader.is_taken(planted.data, planted.address), planted.rule


def test_the_text_says_rule_place_field_and_reference(sframe: Commands) -> None:
    data = table(SOUND, Function(0x2000, 16, (row(0, 8), row(0, 16))))
    path = sframe.file("bytes", data)
    out = sframe("check", "--raw", "--address", f"{ADDRESS:x}", path, code=1)
    at = len(data) - 3
    assert out == (
        f"violation row-order at {at:#x}: FRE start: 0x0 after 0x0, in the function at 0x2000\n"
        "    a row does not begin behind the one before [SFrame Frame Row Entries]\n"
        "1 violation, 0 suspicious\n"
    )


def test_all_violations_are_named_not_the_first_alone(sframe: Commands) -> None:
    rows = (row(3, 8), row(1, 8), row(99, 8, -16, -24), row(98, info=0x63))
    data = bytearray(table(SOUND, Function(0x1008, 16, rows, info=0x40)))
    data[3] |= 0x80
    printed = sframe.json("check", "--raw", sframe.file("bytes", bytes(data)), code=1)
    assert [each["rule"] for each in printed["findings"]] == [
        *("flags", "overlap", "info-bits", "first-row", "row-order", "row-range", "row-words"),
        *("row-order", "row-range", "word-size"),
    ]


def test_a_damaged_file_is_judged_not_refused(sframe: Commands) -> None:
    """Also an object file, whose relocations are not applied under a broken header."""
    for name in ("v3/recur", "v3/recur.o"):
        data = bytearray(sframe.elf(name).read_bytes())
        data[data.index(b"\xe2\xde\3") + 2] = 9
        out = sframe("check", sframe.file("broken", bytes(data)), code=1)
        assert "violation version at 0x2: version: 9\n" in out


def test_functions_that_share_rows_do_not_multiply() -> None:
    rows = tuple(row(number, 8) for number in range(200))
    one = table(Function(0x1000, 256, rows))
    count = 3000
    fdes = b"".join(
        struct.pack("<qII", 0x1000 - ADDRESS - 28 - 16 * index, 256, 0) for index in range(count)
    )
    header = struct.pack(
        "<HBBBbbBIIIII",
        *(0xDEE2, 3, BOTH, 3, 0, -8, 0, count, 200, len(one) - 44, 0, len(fdes)),
    )
    data = header + fdes + one[44:]
    found = check(None, data, ADDRESS, Profile.SPECIFICATION)
    assert Rule.ROWS_CLAIMED in {finding.rule for finding in found}
    assert len(found) < 4 * count


def test_an_unknown_file_is_no_finding(sframe: Commands) -> None:
    assert sframe("check", sframe.file("text", b"no ELF file"), code=2) == ""
