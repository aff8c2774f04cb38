"""`stackweave unwind`: text, JSON, missing files, and bad input."""

import argparse
import json
from pathlib import Path

import pytest

from stackweave.core import sframe
from stackweave.core.sframe import Backtrace, StopReason
from stackweave.unwind import add_arguments, run

from . import test_core_file as made
from .recordings import OWN, unxz
from .test_cores import members


def command(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([str(argument) for argument in arguments]))


def core(folder: Path, archive: str, name: str) -> Path:
    path = folder / f"{name}.core"
    path.write_bytes(members(OWN / f"{archive}.tar.xz")[path.name])
    return path


def elf(folder: Path, name: str) -> Path:
    path = folder / name.rpartition("/")[2]
    path.write_bytes(unxz(OWN / "elf" / f"{name}.xz"))
    return path


SIG = """\
Thread 20576
#0  0x00005555555553d0 stop_here+0x0 (sig)
#1  0x0000555555555415 work+0x35 (sig)
#2  0x00005555555553fa work+0x1a (sig)
#3  0x00005555555553fa work+0x1a (sig)
#4  0x00005555555553fa work+0x1a (sig)
#5  0x000055555555543f on_usr1+0x1f (sig)
#6  0x00007ffff7e036b0 ?? (libc.so.6)
stopped: libc.so.6 was not given with --elf

not given with --elf: /usr/lib/x86_64-linux-gnu/libc.so.6, \
/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
"""


def test_a_backtrace_with_symbols(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = core(tmp_path, "cores/v3/sig", "sig-a")
    assert command(path, "--elf", elf(tmp_path, "v3/sig")) == 0
    assert capsys.readouterr().out == SIG


def test_signal_frames_are_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = core(tmp_path, "cores/v3/mini", "mini-sig")
    assert command(path, "--elf", elf(tmp_path, "v3/mini-O2"), elf(tmp_path, "v1/recur")) == 0
    out = capsys.readouterr().out
    assert "#4  0x000000000040101f my_restorer+0x0 (mini-O2) [signal]\n" in out
    assert "stopped: outermost frame\n" in out
    assert "recur: not mapped; not used\n" in out


def test_json_equals_gdb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = core(tmp_path, "cores/v3/mini", "mini-sig")
    assert command(path, "--elf", elf(tmp_path, "v3/mini-O2"), "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    truth = json.loads(members(OWN / "cores/v3/mini.tar.xz")["mini-sig.bt.json"])
    (thread,), (expected,) = printed["threads"], truth["threads"]
    assert (thread["lwp"], thread["stop"]) == (expected["lwp"], "outermost")
    assert [
        (f["level"], f["pc"], f["sp"], f["fp"], f["function"], f["module"], f["signal"])
        for f in thread["frames"]
    ] == [
        (f["level"], f["pc"], f["sp"], f["fp"], f["func"], f["obj"], f["type"] == "sigtramp")
        for f in expected["frames"]
    ]


def test_several_elf_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = core(tmp_path, "cores/v3/pltmain", "pltmain-a")
    first, second = elf(tmp_path, "v3/pltmain"), elf(tmp_path, "v3/libplt.so")
    assert command(path, "--elf", first, "--elf", second) == 0
    out = capsys.readouterr().out
    assert "(pltmain)" in out
    assert "(libplt.so)" in out


def test_another_build_is_not_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = core(tmp_path, "cores/v3/recur", "recur-a")
    assert command(path, "--elf", elf(tmp_path, "v1/recur")) == 0
    out = capsys.readouterr().out
    assert "stopped: the recur given with --elf has another build id" in out
    assert "recur: its build id or machine is not the recorded one; not used" in out


def test_a_file_of_another_name_is_known_by_its_build_id(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = core(tmp_path, "cores/v3/recur", "recur-a")
    assert command(path, "--elf", elf(tmp_path, "v3/edge-recur-noshdr")) == 0
    assert "#14 " in capsys.readouterr().out


def test_a_truncated_core_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = core(tmp_path, "kcores/v3/recur-pltmain", "recur-k2")
    path.write_bytes(path.read_bytes()[:300000])
    assert command(path, "--elf", elf(tmp_path, "v3/recur")) == 0
    out = capsys.readouterr().out
    assert "core incomplete: 150560 bytes behind the end of the file\n" in out
    assert "stopped: an address outside the captured memory\n" in out


def test_bad_input_is_one_line_and_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, program = core(tmp_path, "cores/v3/mini", "mini-a"), elf(tmp_path, "v3/mini-O2")
    broken = tmp_path / "broken"
    data = bytearray(program.read_bytes())
    data[data.index(b"\xe2\xde\3")] = 0
    broken.write_bytes(data)
    for arguments in (
        (tmp_path / "nothing",),
        (tmp_path,),
        (program,),
        (good, "--elf", tmp_path / "nothing"),
        (good, "--elf", good),
        (good, "--elf", broken),
        (tmp_path / "no\x1b[31mcolour\n",),
    ):
        assert command(*arguments) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("stackweave unwind: ")
        assert captured.err.count("\n") == 1
        assert "\x1b" not in captured.err


def test_threads_that_share_a_stack_are_not_all_unwound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A core of 180 KiB that claims half a million frames: what it could hold is enough."""
    threads, depth = 500, 1000
    notes = b"".join(
        made.note(b"CORE", 1, made.prstatus(lwp, made.LEAF, made.STACK)) for lwp in range(threads)
    )
    notes += made.note(b"CORE", 0x46494C45, made.nt_file([made.TEXT]))
    stack = (made.LEAF + 1).to_bytes(8, "little") * depth
    path = tmp_path / "hostile.core"
    path.write_bytes(made.core(notes, [(made.STACK, 6, stack, len(stack))]))
    unwound = path.stat().st_size // 8 // (depth + 1) + 1
    assert command(path, "--elf", elf(tmp_path, "v3/mini-O2"), "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert {len(thread["frames"]) for thread in printed["threads"]} == {depth + 1}
    assert len(printed["threads"]) == unwound < threads
    assert f"{threads - unwound} more threads not unwound: the stacks overlap" in printed["remarks"]


def test_three_lines_unwind_a_core(tmp_path: Path) -> None:
    """The example in the room's docstring."""
    path, program = core(tmp_path, "cores/v3/mini", "mini-a"), elf(tmp_path, "v3/mini-O2")
    lines = [line.strip() for line in (sframe.__doc__ or "").splitlines() if line[:4] == "    "]
    assert len(lines) == 3
    source = "\n".join(lines).replace("my.core", str(path)).replace("my-program", str(program))
    printed: list[list[Backtrace]] = []
    exec(source, {"print": printed.append})
    ((trace,),) = printed
    assert (len(trace.frames), trace.stop) == (9, StopReason.OUTERMOST)
