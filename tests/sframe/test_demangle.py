"""C++ and Rust names, and what must stay as it is."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stackweave.core.sframe import FileMapping, Registers, StackDump, demangle
from stackweave.core.sframe.demangle import LONGEST, demangled
from stackweave.core.sframe.dump_file import DumpedMapping, DumpedTask, dump_bytes

from .symbol_files import objdumps, unpacked
from .test_command import command


def test_names_are_cxxfilts() -> None:
    linked, readable = objdumps("shapes.objdump.txt"), objdumps("shapes.c++filt.txt")
    assert {address: demangled(name) for address, name in linked.items()} == readable
    assert linked != readable


@pytest.mark.parametrize(
    ("linked", "readable"),
    [
        ("_RNvC6_123foo3bar", "123foo::bar"),
        ("_RNvMs_NtC4core3ptrINtB4_3BoxxE3new", "<core::ptr::Box<i64>>::new"),
        ("_ZN3foo17h05af221e174051e9E", "foo"),
        (
            "_ZN4core3ptr23drop_in_place$LT$u8$GT$17h0123456789abcdefE",
            "core::ptr::drop_in_place<u8>",
        ),
        ("_ZN1A1fEv.cold", "A::f() [clone .cold]"),
        ("_Z3fooi@plt", "foo(int)@plt"),
        ("_Z3fooi@@V_1", "foo(int)@@V_1"),
    ],
)
def test_both_languages(linked: str, readable: str) -> None:
    assert demangled(linked) == readable


@pytest.mark.parametrize(
    "name", ["main", "_start", "_Z", "_ZN", "_R", "_ZNK", "?f@@YAXXZ", "$s4main1fyyF", "", "_Zä"]
)
def test_other_names_stay(name: str) -> None:
    assert demangled(name) == name


def doubled(levels: int) -> str:
    """A name whose every part holds the one before twice."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return "_Z1f1pIiiE" + "".join(
        f"S_IS{digits[level]}_S{digits[level]}_E" for level in range(levels)
    )


def test_names_that_grow_without_end_stay() -> None:
    assert demangled(doubled(2)).startswith("f(p<int, int>, p<p<int, int>, p<int, int>")
    for levels in (12, 30):
        assert demangled(doubled(levels)) == doubled(levels)
    assert demangled("_ZN" + "1a" * LONGEST + "Ev") == "_ZN" + "1a" * LONGEST + "Ev"
    assert demangled("_RINvC1a1fFGx4L0_hEuE") == "_RINvC1a1fFGx4L0_hEuE"


@pytest.fixture
def _without_library(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "multi_demangle", None)
    for cached in (demangle._demangler, demangled):
        cached.cache_clear()
    yield
    for cached in (demangle._demangler, demangled):
        cached.cache_clear()


def dumped(folder: Path) -> tuple[Path, Path]:
    """A stack dump whose task stands in a function of the C++ program, and the program."""
    program = unpacked(folder, "shapes")
    (address,) = (a for a, name in objdumps("shapes.objdump.txt").items() if name.endswith("sumEd"))
    mapping = FileMapping(0x10000, 0x18000, 0, "/bin/shapes")
    stack = StackDump(Registers(0x10000 + address + 4, 0x7000, 0, {}), 0x7000, bytes(64), "little")
    dump = folder / "shapes.dump"
    dump.write_bytes(b"".join(dump_bytes([DumpedMapping(mapping)], [DumpedTask(7, "x", stack)])))
    return dump, program


def test_backtraces_have_readable_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dump, program = dumped(tmp_path)
    assert command(dump, "--elf", program) == 0
    out = capsys.readouterr().out
    assert "shapes::sum(double)+0x4 (shapes)" in out
    assert "names as linked" not in out


@pytest.mark.usefixtures("_without_library")
def test_without_the_library_names_stay_and_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dump, program = dumped(tmp_path)
    assert demangled("_Z3fooi") == "_Z3fooi"
    for options in ((), ("--format", "folded", "-o", tmp_path / "folded")):
        assert command(dump, "--elf", program, *options) == 0
        captured = capsys.readouterr()
        assert "names as linked: multi-demangle is not installed\n" in captured.out + captured.err
    assert (tmp_path / "folded").read_text() == "x;_ZN6shapes3sumEd 1\n"
