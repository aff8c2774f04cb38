"""`stackweave unwind` with `--format`, `--html` and `-o`: what goes where, and whole or not at all."""

import json
import os
from pathlib import Path

import pytest

from stackweave.__main__ import main
from stackweave.core.sframe import Module

from ..sframe.recordings import OWN
from ..sframe.symbol_files import unpacked
from ..sframe.test_command import command, core, elf
from ..sframe.test_perf_command import recorded
from .test_page import Page

RECUR = OWN / "perf" / "v3" / "recur.data.xz"
LIBC = "not given with --elf: /usr/lib/x86_64-linux-gnu/libc.so.6\n"


@pytest.mark.parametrize("form", ["folded", "pprof", "speedscope", "chrome"])
def test_a_file_holds_what_would_be_printed(
    form: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    options = ("--format", form)
    arguments: list[str | Path] = [
        recorded(tmp_path, RECUR),
        "--elf",
        elf(tmp_path, "v3/recur"),
        *options,
    ]
    assert command(*arguments) == 0
    printed = capfdbinary.readouterr()
    assert command(*arguments, "-o", tmp_path / "out") == 0
    assert (tmp_path / "out").read_bytes() == printed.out
    assert len(printed.out) > 500
    again = capfdbinary.readouterr()
    assert (again.out, again.err.decode()) == (b"", LIBC)
    assert printed.err == again.err, "remarks must not spoil what is piped"


@pytest.mark.parametrize("options", [(), ("--json",), ("--no-merge-callchains",)])
def test_text_goes_to_files_too(
    options: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments: list[str | Path] = [
        recorded(tmp_path, RECUR),
        "--elf",
        elf(tmp_path, "v3/recur"),
        *options,
    ]
    assert command(*arguments) == 0
    printed = capsys.readouterr().out
    assert command(*arguments, "-o", tmp_path / "out") == 0
    assert (tmp_path / "out").read_text() == printed
    assert capsys.readouterr().out == ""


def test_a_page_of_a_session(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, page = recorded(tmp_path, RECUR), tmp_path / "out.html"
    assert command(path, "--elf", elf(tmp_path, "v3/recur"), "--html", page) == 0
    data = json.loads(Page(page.read_bytes()).texts["data"])
    assert (data["title"], data["whole"]) == ("recur.data", 0)
    assert data["ends"] == [["libc.so.6 was not given with --elf", 108]]
    assert ["fib", "/w/out/v3/recur", 0] in data["boxes"]
    assert capsys.readouterr() == ("", LIBC)


def test_a_page_of_a_core(tmp_path: Path) -> None:
    path, page = core(tmp_path, "cores/v3/mini", "mini-sig"), tmp_path / "out.html"
    assert command(path, "--elf", elf(tmp_path, "v3/mini-O2"), "--html", page) == 0
    data = json.loads(Page(page.read_bytes()).texts["data"])
    assert (sum(data["count"]), data["whole"], data["ends"]) == (1, 1, [])
    assert ["my_restorer", "mini-O2", 0] in data["boxes"]


def test_errors_leave_no_file_and_the_old_one(tmp_path: Path) -> None:
    empty = tmp_path / "empty.data"
    empty.write_bytes(b"PERFILE2" + bytes(20))
    old = tmp_path / "old"
    old.write_text("old")
    for option in ("--html", "-o"):
        assert command(empty, option, tmp_path / "new") == 2
        assert command(empty, option, old) == 2
    assert old.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.data", "old"]


def test_a_place_that_cannot_be_written_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(recorded(tmp_path, RECUR))
    assert main(["unwind", path, "--html", str(tmp_path / "none" / "out.html")]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("stackweave: cannot write ")
    assert captured.err.count("\n") == 1


def test_devices_and_pipes_are_written_to_as_they_are(tmp_path: Path) -> None:
    path = recorded(tmp_path, RECUR)
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as end:
        assert command(path, "--format", "pprof", "-o", f"/proc/self/fd/{writer}") == 0
        os.close(writer)
        assert end.read().startswith(b"\x1f\x8b")
    assert command(path, "--format", "pprof", "-o", os.devnull) == 0
    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize(
    "options", [("--json", "--html", "x"), ("--format", "folded", "--json"), ("--format", "svg")]
)
def test_one_form_at_a_time(options: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        command(recorded(tmp_path, RECUR), *options)
    assert ended.value.code == 2


def test_a_page_has_one_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recorded(tmp_path, RECUR)
    assert command(path, "--html", tmp_path / "a", "-o", tmp_path / "b") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "a").exists()


def test_a_debug_directory_must_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(recorded(tmp_path, RECUR), "--debug-dir", tmp_path / "none") == 2
    assert capsys.readouterr().err.endswith("none: not a directory of debug files\n")


def test_names_come_from_debug_directories(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, program = recorded(tmp_path, RECUR), unpacked(tmp_path, "recur.stripped", "bin/recur")
    assert command(path, "--elf", elf(tmp_path, "v3/recur")) == 0
    named = capsys.readouterr().out
    assert command(path, "--elf", program) == 0
    assert " [unknown] (/w/out/v3/recur)" in capsys.readouterr().out
    build_id = Module.open(program).build_id or b""
    unpacked(
        tmp_path, "recur.debug", f"d/.build-id/{build_id.hex()[:2]}/{build_id.hex()[2:]}.debug"
    )
    assert command(path, "--elf", program, "--debug-dir", tmp_path / "d") == 0
    assert capsys.readouterr().out == named
