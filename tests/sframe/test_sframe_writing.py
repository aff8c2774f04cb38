"""`stackweave sframe convert` and `generate`: what they write, what they say, what they leave alone."""

from pathlib import Path

import pytest

from stackweave.core.sframe.contents import read_contents
from stackweave.core.sframe.convert import convert
from stackweave.core.sframe.dialect import Dialect
from stackweave.core.sframe.eh_frame import generate
from stackweave.core.sframe.encode import encode
from stackweave.exits import Exit

from .commands import Commands
from .recordings import OWN, unxz
from .written import elf_image, sframe_of


@pytest.mark.parametrize("dialect", Dialect, ids=lambda dialect: dialect.value)
def test_convert_writes_what_the_library_makes(dialect: Dialect, sframe: Commands) -> None:
    out = sframe.folder / "out"
    for name in ("v1/mini-O2", "v3/flexasm"):
        contents, address = sframe_of(OWN / "elf" / f"{name}.xz")
        section, losses = convert(read_contents(contents, address), dialect)
        version = dialect.value.removeprefix("v")
        printed = sframe.json("convert", sframe.elf(name), "-o", out, "--version", version)
        assert out.read_bytes() == encode(section)
        assert [each["text"].partition(":")[2] for each in printed["losses"]] == [
            loss.told().partition(":")[2] for loss in losses
        ]
        assert (printed["version"], int(printed["address"], 16)) == (version, address)
        assert (printed["size"], printed["functions"]) == (
            len(out.read_bytes()),
            sum(len(table.functions) for table in section.tables),
        )


def test_what_was_written_is_dumped_like_the_other(sframe: Commands) -> None:
    """There and back: the same text, but for the header's version and flags."""
    program, out = sframe.elf("v2/recur"), sframe.folder / "out"
    _, address = sframe_of(OWN / "elf/v2/recur.xz")
    sframe("convert", program, "-o", out)
    dumped = sframe("dump", "--raw", "--address", f"{address:x}", out)
    functions = dumped.partition("  Function Index :")[2]
    assert functions == sframe("dump", program).partition("  Function Index :")[2]
    assert "SFRAME_VERSION_3\n" in dumped
    again = sframe.folder / "again"
    raw = ("convert", "--raw", "--address", f"{address:x}", out)
    assert "v2 at 0x2308" in sframe(*raw, "-o", again, "--version", "2")
    assert again.read_bytes() == sframe_of(OWN / "elf/v2/recur.xz")[0]


def test_losses_are_told(sframe: Commands) -> None:
    out = sframe.folder / "out"
    lines = sframe("convert", sframe.elf("v3/flexasm"), "-o", out, "--version", "1").splitlines()
    assert lines[0] == f"{out}: v1 at 0x4021b8, 111 bytes, 3 functions, 10 rows"
    assert lines[1] == (
        "left out: function _start at 0x401000: an undefined return address cannot be marked"
    )
    assert len(lines) == 11
    assert lines[-1] == "372 bytes of code no longer described"


def test_generate_writes_what_the_library_makes(sframe: Commands) -> None:
    out = sframe.folder / "out"
    for name, place in (("v3/recur", None), ("v3-s390x/mini-O2", None), ("v2/zt", 0x123450)):
        found = elf_image(OWN / "elf" / f"{name}.xz")
        _, address = sframe_of(OWN / "elf" / f"{name}.xz")
        options = () if place is None else ("--address", f"{place:x}")
        section, losses = generate(found, Dialect.V3, address if place is None else place)
        printed = sframe.json("generate", sframe.elf(name), "-o", out, *options)
        assert out.read_bytes() == encode(section)
        assert len(printed["losses"]) == len(losses)
        assert int(printed["address"], 16) == section.address


def test_a_program_without_a_table_needs_an_address(sframe: Commands) -> None:
    program = sframe.elf("v3/recur")
    data = program.read_bytes().replace(b".sframe\0", b".comment")
    stripped = sframe.file("stripped", data.replace(b"\xf4\xff\xff\x6f", b"\1\0\0\0"))
    out = sframe.folder / "out"
    printed = sframe.json("generate", stripped, "-o", out, "--address", "22d8")
    sframe("generate", program, "-o", sframe.folder / "other")
    assert out.read_bytes() == (sframe.folder / "other").read_bytes()
    assert printed["functions"] == 14


def test_nothing_is_written_on_errors(sframe: Commands) -> None:
    """Neither a part nor over what was there."""
    out = sframe.file("out", b"as it was")
    contents, _ = sframe_of(OWN / "elf/v3/mini-O2.xz")
    damaged = sframe.file("damaged", contents[:60])
    for words in (
        ("convert", sframe.elf("v3/edge-empty.o"), "-o", out),
        ("convert", sframe.elf("v3/recur.o"), "-o", out),
        ("convert", sframe.elf("v3-s390x/mini-O2"), "-o", out, "--version", "1"),
        ("convert", "--raw", damaged, "-o", out),
        ("generate", sframe.elf("v3/recur.o"), "-o", out),
        ("generate", sframe.elf("v3/edge-recur-noshdr"), "-o", out),
        ("generate", sframe.elf("v3-s390x/mini-O2"), "-o", out, "--version", "2"),
        ("generate", sframe.file("text", b"no ELF"), "-o", out),
    ):
        assert sframe(*words, code=2) == ""
        assert sframe.blame.startswith("stackweave sframe: ")
    assert out.read_bytes() == b"as it was"
    missing = sframe.folder / "no-such-folder" / "out"
    assert sframe("convert", sframe.elf("v3/recur"), "-o", missing, code=Exit.FAILED) == ""
    assert f"cannot write {missing}: " in sframe.blame
    names = {path.name for path in sframe.folder.iterdir()}
    assert not {name for name in names if name.startswith(".")}


def test_a_program_whose_eh_frame_is_elsewhere_says_so(sframe: Commands) -> None:
    data = unxz(OWN / "elf/v3/recur.xz").replace(b".eh_frame\0", b".no_frame\0")
    path: Path = sframe.file("bare", data)
    assert sframe("generate", path, "-o", sframe.folder / "out", code=2) == ""
    assert sframe.blame == "stackweave sframe: bare: no .eh_frame\n"
