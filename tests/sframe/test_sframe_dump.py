"""`stackweave sframe dump` against the text of the matching binutils' `objdump --sframe`."""

import struct
from pathlib import Path

import pytest

from stackweave.core.sframe.decode import parse_section
from stackweave.core.sframe.describe_functions import read_functions
from stackweave.core.sframe.lookup import SFrameSection
from stackweave.core.sframe.rules import FrameRule

from . import sections
from .commands import Commands
from .recordings import OWN, elf_path, label, paths, unxz
from .sections import AARCH64_BE, FLEX, MASK, S390X, SIGNAL, Function, row
from .written import sframe_of

TEXTS = paths("oracle", "*.objdump.txt.xz")


@pytest.mark.parametrize("text", TEXTS, ids=label)
def test_the_text_is_objdumps(text: Path, sframe: Commands) -> None:
    """Line for line; of a file without section headers, where objdump sees nothing, as of its twin."""
    name = text.name.removesuffix(".objdump.txt.xz")
    expected = unxz(text).decode()
    file = sframe.file(objdumps_name(expected), unxz(elf_path(text, name)))
    got = sframe("dump", file)
    if "noshdr" in name:
        twin = text.with_name(text.name.replace("edge-", "").replace("-noshdr", ""))
        assert got.splitlines()[4:] == unxz(twin).decode().splitlines()[4:]
        assert got.splitlines()[3] == "Contents of the SFrame segment PT_GNU_SFRAME:"
    else:
        assert got == expected


def objdumps_name(text: str) -> str:
    """The file's name as objdump was given it."""
    return text.splitlines()[1].partition(":")[0]


def test_another_text_would_be_seen(sframe: Commands) -> None:
    """One changed word of one row shows in one line."""
    contents, address = sframe_of(OWN / "elf/v3/mini-O2.xz")
    changed = bytearray(contents)
    changed[-1] ^= 8
    raw = ("dump", "--raw", "--address", f"{address:x}")
    before = sframe(*raw, sframe.file("bytes", contents)).splitlines()
    after = sframe(*raw, sframe.file("bytes", bytes(changed))).splitlines()
    assert len(before) == len(after) > 150
    assert sum(line != other for line, other in zip(before, after, strict=True)) == 1


def test_raw_bytes_are_the_sections(sframe: Commands) -> None:
    for file in ("v1/recur", "v2/sig", "v3/flexasm", "llvm/recur", "v3-s390x/mini-O2"):
        contents, address = sframe_of(OWN / "elf" / f"{file}.xz")
        raw = sframe("dump", "--raw", sframe.file("b", contents), "--address", f"0x{address:X}")
        assert raw.splitlines()[4:] == sframe("dump", sframe.elf(file)).splitlines()[4:]
        assert raw.splitlines()[1:4] == [
            "b:     file format binary",
            "",
            "Contents of the SFrame bytes:",
        ]


def test_every_header_is_printed(sframe: Commands) -> None:
    """As lld leaves them: one behind the other, with zeros between."""
    first = sections.section(Function(0x1000, 16, (row(0, 8),)))
    second = sections.section(
        Function(0x2000, 16, (row(0, 8),)), Function(0x2010, 1), address=len(first) + 3
    )
    path = sframe.file("two", first + bytes(3) + second)
    out = sframe("dump", "--raw", path)
    assert out.count("  Header :\n") == 2
    assert out.index("func idx [0]: pc = 0x1000") < out.index("func idx [0]: pc = 0x2000")
    assert "func idx [1]: pc = 0x2010, size = 1 bytes\n" in out
    printed = sframe.json("dump", "--raw", path)
    assert [header["offset"] for header in printed["headers"]] == [0, len(first) + 3]
    assert [len(header["functions"]) for header in printed["headers"]] == [1, 2]


def test_what_no_tool_writes_is_printed_too(sframe: Commands) -> None:
    """All attributes together, on both byte orders."""
    signal = Function(0x4000, 64, (row(0, 57, 8, 2, -16, width=1),), SIGNAL | MASK, FLEX, 32)
    out = sframe("dump", "--raw", sframe.file("amd64", sections.section(signal, flags=5)))
    assert 'pc = 0x4000, size = 64 bytes, attr = "SF"\n    STARTPC[m] ' in out
    assert "    0000000000000000  sp+8      u         c-16         \n" in out
    key_b = Function(0x40, 4, (row(0, 0, order="big"),), sections.KEY_B)
    data = sections.section(key_b, abi=AARCH64_BE, ra_offset=0, version=2, flags=7)
    out = sframe("dump", "--raw", sframe.file("aarch64", data))
    assert "pc = 0x40, size = 4 bytes, pauth = B key\n" in out
    assert (
        "    Flags: SFRAME_F_FDE_SORTED,\n           SFRAME_F_FRAME_POINTER,\n"
        "           SFRAME_F_FDE_FUNC_START_PCREL\n" in out
    )
    padded = Function(0, 8, (row(0, 0, 0, -8, order="big"),))
    data = sections.section(padded, abi=S390X, ra_offset=0)
    assert "sp+160    c-8       U " in sframe("dump", "--raw", sframe.file("s390x", data))


def test_a_fixed_frame_pointer_is_said(sframe: Commands) -> None:
    data = bytearray(sections.section(Function(0, 8, (row(0, 16),))))
    data[5] = 0xF0
    assert "    CFA fixed FP offset: -16\n" in sframe(
        "dump", "--raw", sframe.file("fp", bytes(data))
    )


def test_json_holds_everything(sframe: Commands) -> None:
    """Every field of header, functions and rows, against the decoded ones."""
    for file in ("v1/mini-O2", "v2/lua", "v3/flexasm", "v3-aarch64/mini-pac", "v3-s390x/mini-O2"):
        printed = sframe.json("dump", sframe.elf(file))
        contents, address = sframe_of(OWN / "elf" / f"{file}.xz")
        (table,) = parse_section(contents, address)
        (header,) = printed["headers"]
        assert int(printed["address"], 16) == address
        assert (header["version"], header["abi"]) == (table.header.version, table.header.abi.name)
        assert (header["num_fdes"], header["num_fres"]) == (len(table), table.header.num_fres)
        assert printed["damaged_functions"] == 0
        section = SFrameSection(contents, address)
        for index, function in enumerate(header["functions"]):
            descriptor = table.descriptor(index)
            rows = table.rows(descriptor)
            assert int(function["start"], 16) == descriptor.start
            assert (function["size"], function["fre_type"]) == (
                descriptor.size,
                descriptor.fre_type.name,
            )
            assert [tuple(each["words"]) for each in function["rows"]] == [r.words for r in rows]
            assert [each["start"] for each in function["rows"]] == [r.start for r in rows]
            for each in function["rows"]:
                rule = section.rule_at(descriptor.start + each["start"])
                assert rule is not None
                assert matches(each["rule"], rule)


def matches(printed: dict[str, object], rule: FrameRule) -> bool:
    """Whether the printed rule has the decoded one's offsets."""
    offsets = {
        name: place["offset"] if isinstance(place, dict) else None
        for name, place in printed.items()
        if name in ("cfa", "ra", "fp")
    }
    if printed["kind"] != "frame":
        return set(offsets.values()) == {None}
    fp = None if rule.fp is None else rule.fp.offset
    return offsets == {"cfa": rule.cfa.offset, "ra": rule.ra.offset, "fp": fp}


def test_damage_is_named_and_the_rest_is_printed(sframe: Commands) -> None:
    """Rows before the damage, and the functions before and behind."""
    rows = tuple(row(4 * number, 8) for number in range(9))
    backward = (*rows[:5], row(2, 8), *rows[6:])
    bad_words = (row(0, 8), row(4, 8, -16, -24), row(8, 16))
    data = sections.section(
        Function(0x1000, 64, rows),
        Function(0x2000, 64, backward),
        Function(0x3000, 64, bad_words),
        Function(0x4000, 64, (), info=7),
        Function(0x5000, 64, rows[:1]),
    )
    path = sframe.file("damaged", data)
    out = sframe("dump", "--raw", path, code=2)
    whole, cut, words, unknown, last = out.split("\n\n    func idx ")[1:]
    assert whole.count("\n") == 10
    lines = cut.splitlines()
    assert [line[4:20] for line in lines[2:7]] == [f"{0x2000 + 4 * n:016x}" for n in range(5)]
    assert lines[7].startswith("    damaged: inconsistent SFrame data: FRE start at offset 0x")
    assert lines[7].endswith("0x2 after 0x10, in a function of 0x40 bytes")
    assert len(lines) == 8
    assert "0000000000003004  damaged: inconsistent SFrame data: FRE words" in words
    assert "0000000000003008  sp+16     u         f" in words
    assert "damaged: inconsistent SFrame data: FRE type" in unknown
    assert last.endswith("0000000000005000  sp+8      u         f            \n")
    printed = sframe.json("dump", "--raw", path, code=2)
    assert printed["damaged_functions"] == 3
    functions = printed["headers"][0]["functions"]
    assert [len(each["rows"]) for each in functions] == [9, 5, 3, 0, 1]
    assert functions[1]["damage"]["field"] == "FRE start"
    assert functions[2]["rows"][1]["damage"]["field"] == "FRE words"
    assert functions[3]["damage"] is not None


@pytest.mark.parametrize("good", range(12))
def test_all_rows_before_the_damage_are_read(good: int) -> None:
    rows = [row(number, 8) for number in range(12)]
    rows[good] = row(0 if good else 99, 8)
    data = sections.section(Function(0x1000, 40, tuple(rows)))
    (function,) = read_functions(parse_section(data, 0), len(data))
    assert [each.row.start for each in function.rows] == list(range(good))
    assert function.damage is not None


def test_functions_that_share_rows_do_not_multiply() -> None:
    """Two thousand functions, each with the same two hundred rows: no more are read than fit."""
    rows = tuple(row(number % 256, 8) for number in range(200))
    data = bytearray(sections.section(*(Function(0, 256, rows[:1]) for _ in range(2000))))
    shared = sections.section(Function(0, 256, rows))[28 + 16 :]
    data[16:20] = (len(data) - 28 - 2000 * 16 + len(shared)).to_bytes(4, "little")
    at = len(data) - 28 - 2000 * 16
    for index in range(2000):
        struct.pack_into("<I", data, 28 + 16 * index + 12, at)
    data += shared
    functions = list(read_functions(parse_section(bytes(data), 0), len(data)))
    assert sum(len(function.rows) for function in functions) == len(data) // 2
    assert functions[0].damage is None
    assert "more rows than fit" in str(functions[-1].damage)


def test_bad_input_is_one_line_and_2(sframe: Commands) -> None:
    broken = bytearray(unxz(OWN / "elf/v3/mini-O2.xz"))
    broken[broken.index(b"\xe2\xde\3") + 2] = 9
    for words in (
        (sframe.folder / "nothing",),
        (sframe.folder,),
        (sframe.file("text", b"no ELF file"),),
        (sframe.file("broken", bytes(broken)),),
        ("--raw", sframe.file("short", b"\xe2\xde\3")),
        ("--address", "10", sframe.elf("v3/recur")),
        (sframe.folder / "no\x1b[31mcolour\n",),
    ):
        assert sframe("dump", *words, code=2) == ""
        assert sframe.blame.startswith("stackweave sframe: ")
        assert "\x1b" not in sframe.blame


def test_names_cannot_steer_the_terminal(sframe: Commands) -> None:
    data = unxz(OWN / "elf/v3/flexasm.xz")
    assert "\x1b" not in sframe("dump", sframe.file("no\x1b[31mcolour", data))
