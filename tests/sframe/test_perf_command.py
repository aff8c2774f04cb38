"""`stackweave unwind perf.data`: text, JSON, deferred callchains, what is missing."""

import json
from pathlib import Path

import pytest

from stackweave.core.sframe.perf.constants import Context, Misc

from .perf_made import Made, Session
from .perf_sessions import DEFERRED, parse_script
from .recordings import OWN, unxz
from .test_command import command, elf
from .test_perf_made import PATH, TEXT, leaf

MADE = Made()

FIRST = """\
recur 2069/2069 4505.045669: cpu-clock:u:
            5560e00e955f fib+0xf (/w/out/v3/recur)
            5560e00e956f fib+0x1f (/w/out/v3/recur)
"""
LAST = """\
            5560e00e92dc cmp+0xc (/w/out/v3/recur)
            7fc91ad56f0a [unknown] (/usr/lib/x86_64-linux-gnu/libc.so.6)
stopped: libc.so.6 was not given with --elf

not given with --elf: /usr/lib/x86_64-linux-gnu/libc.so.6
"""


def recorded(folder: Path, path: Path) -> Path:
    """An unpacked recording."""
    unpacked = folder / path.name.removesuffix(".xz")
    unpacked.write_bytes(unxz(path))
    return unpacked


def made(folder: Path, *records: bytes) -> Path:
    path = folder / "perf.data"
    path.write_bytes(Session(MADE, records=list(records)).as_file())
    return path


def test_text_like_perf_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recorded(tmp_path, OWN / "perf" / "v3" / "recur.data.xz")
    assert command(path, "--elf", elf(tmp_path, "v3/recur")) == 0
    out = capsys.readouterr().out
    assert out.startswith(FIRST)
    assert out.endswith(LAST)
    assert out.count("stopped: ") == 108


def test_perf_scripts_text_can_be_read_from_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lines but those about ends have the form of perf's own."""
    path = recorded(tmp_path, DEFERRED / "p1_churn3.data.xz")
    for options, samples in ((), 874), (("--no-merge-callchains",), 874 + 2335):
        assert command(path, *options) == 0
        lines = capsys.readouterr().out.splitlines()
        stacks = parse_script("\n".join(line for line in lines if "stopped: " not in line))
        assert len(stacks) == samples
        assert sum(line.startswith("stopped: ") for line in lines) == samples


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recorded(tmp_path, OWN / "perf" / "v3" / "recur.data.xz")
    assert command(path, "--elf", elf(tmp_path, "v3/recur"), "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    first = printed["samples"][0]
    assert (printed["perf.data"], len(printed["samples"])) == ("recur.data", 108)
    assert (first["comm"], first["pid"], first["tid"]) == ("recur", 2069, 2069)
    assert (first["time"], first["event"]) == (4505045669071, "cpu-clock:u")
    assert first["frames"][0] == {
        "pc": "0x5560e00e955f",
        "function": "fib",
        "offset": 15,
        "module": "/w/out/v3/recur",
        "signal": False,
    }
    assert (first["stop"], first["cookie"], first["merged"]) == ("no-module", None, False)
    assert printed["absent"] == ["/usr/lib/x86_64-linux-gnu/libc.so.6"]


def test_a_session_is_one_object_however_small(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(made(tmp_path, MADE.sample(5, 10)), "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert [sample["why"] for sample in printed["samples"]] == ["no user registers in the sample"]
    assert printed["remarks"] == []


def test_why_stacks_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = made(
        tmp_path,
        MADE.mmap2(5, TEXT, PATH),
        leaf(MADE, 5, 10),
        MADE.sample(5, 11, chain=(Context.KERNEL, 1 << 63, Context.USER, 0x401030)),
        MADE.sample(5, 12, chain=(Context.USER_DEFERRED, 77)),
        MADE.sample(5, 13, chain=(Context.USER_DEFERRED, 78)),
        MADE.deferred(5, 77, (0x401030,), 14),
        MADE.sample(5, 15, misc=Misc.KERNEL, ip=1 << 63),
    )
    assert command(path, "--elf", elf(tmp_path, "v3/mini-O2"), elf(tmp_path, "v3/sig")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("stopped: ")] == [
        "stopped: outermost frame",
        "stopped: end of the recorded callchain",
        "stopped: end of the recorded callchain",
        "stopped: the callchain was deferred, cookie 4e",
        "stopped: no user registers in the sample",
    ]
    assert lines[-1] == "sig: not mapped; not used"


def test_another_build_is_not_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recorded(tmp_path, OWN / "perf" / "v3" / "recur.data.xz")
    assert command(path, "--elf", elf(tmp_path, "v1/recur")) == 0
    out = capsys.readouterr().out
    assert "stopped: the recur given with --elf has another build id\n" in out
    assert "recur: its build id or machine is not the recorded one; not used\n" in out


def test_what_is_missing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recorded(tmp_path, OWN / "perf" / "v3" / "zt.data.xz")
    path.write_bytes(path.read_bytes()[:800000])
    assert command(path) == 0
    out = capsys.readouterr().out
    assert "perf.data incomplete: the end of the last record\n" in out
    assert "bytes of data behind the end of the file\n" in out


def test_bad_input_is_one_line_and_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = made(tmp_path, MADE.comm(5, 5, b"x"))
    other = tmp_path / "other"
    other.write_bytes(b"PERFILE2" + bytes(20))
    text = tmp_path / "text"
    text.write_bytes(b"nothing of the sort")
    for path, cause in (
        (empty, "no stack to unwind; missing: nothing"),
        (other, "the header is cut"),
        (text, "neither an ELF core file, a perf.data nor a stack dump"),
    ):
        assert command(path) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        assert cause in captured.err


def test_names_do_not_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = made(tmp_path, MADE.comm(5, 5, b"\x1b[31m\n"), MADE.sample(5, 10))
    assert command(path) == 0
    assert "\x1b" not in capsys.readouterr().out
