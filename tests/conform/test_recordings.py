"""The emulated protocol against four recordings of a real kernel: exact totals, on the screen and as JSON."""

import json
import lzma
from pathlib import Path

import pytest

from stackweave.__main__ import main
from stackweave.conform.recording import How
from stackweave.core.kernel.upstream import Upstream

from .plants import Change, edit, plant
from .support import NAMES, RECORDINGS, groups_of

TOTALS = {
    "groups": 133,
    "matched": 176,
    "missing": 0,
    "extra": 0,
    "explained": 0,
    "instructions": 173,
    "unmatched instructions": 0,
}

GROUPS = {
    # scripts, groups that cover every instruction, others, instructions
    "inject_basic": (12, 0, 0, 0),
    "inject_bits": (14, 0, 9, 1),
    "inject_unwind_deferred_request": (2, 8, 0, 86),
    "stall_unwind_deferred_request": (87, 1, 0, 86),
}


def test_all_recordings_match(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "--vectors", *map(str, RECORDINGS)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == ", ".join(f"{name} {count}" for name, count in TOTALS.items())
    assert [name for name in lines if name.endswith(".xz")] == [f"{name}.txt.xz" for name in NAMES]
    assert not [line for line in lines if "differs" in line]


def test_the_document_has_every_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "--vectors", "--json", *map(str, RECORDINGS)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["conforms"] is True
    assert document["totals"] == TOTALS
    for path, file in zip(RECORDINGS, document["files"], strict=True):
        groups = file["groups"]
        scripts = [group for group in groups if group["how"] == "script"]
        covered = [group for group in groups if group["covers_every_instruction"]]
        instructions = sum(each["instructions"] for each in file["vectors"])
        counts = (len(scripts), len(covered), len(groups) - len(scripts) - len(covered))
        assert file["path"] == str(path)
        assert file["unread_lines"] == 0
        assert (*counts, instructions) == GROUPS[path.name.removesuffix(".txt.xz")]
        assert all(set(group) == set(groups[0]) for group in groups)
        assert not [each for each in file["vectors"] if each["unmatched"]]


def test_without_vectors_no_instruction_is_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "--json", str(RECORDINGS[0])]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["files"][0]["vectors"] == []
    assert "instructions" not in document["totals"]


def test_every_instruction_of_a_request_was_tried() -> None:
    inject, stall = (groups_of(path) for path in RECORDINGS[2:])
    pairs = {(group.title, group.instructions) for group in inject if group.how is How.INJECT}
    assert pairs == {
        (f"unwind_deferred_request: {outer}, nested {inner}", 86)
        for outer in ("req 0", "req 0 2", "req2 0 1", "req2 1 0")
        for inner in (0, 1)
    }
    [held] = [group for group in stall if group.how is How.STALL]
    assert (held.title, held.instructions, held.matched) == (
        "unwind_deferred_request: req 0, stalled",
        86,
        4,
    )


def test_a_difference_is_shown_and_exits_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    oldest_first = (
        edit(Upstream._walk, "deferral.callbacks.next", "deferral.callbacks.prev"),
        edit(Upstream._walk, "work.list.next", "work.list.prev"),
    )
    plant(monkeypatch, Change("oldest first", oldest_first))
    assert main(["conform", str(RECORDINGS[0])]) == 1
    shown = capsys.readouterr().out
    assert "two tracers in one entry" in shown
    assert "the kernel alone, at +0x0" in shown
    assert main(["conform", "--json", str(RECORDINGS[0])]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["conforms"] is False
    [group] = [
        group
        for group in document["files"][0]["groups"]
        if group["title"] == "two tracers in one entry"
    ]
    [missing] = group["missing"]
    assert missing["offsets"] == [0]
    assert missing["outcome"][0] == "request tracer=0x0 ret=0x0 cookie=0x2 mask=0x9 id=0x2"


def test_an_unpacked_recording_is_the_same(tmp_path: Path) -> None:

    plain = tmp_path / "basic.txt"
    plain.write_bytes(lzma.decompress(RECORDINGS[0].read_bytes()))
    assert groups_of(plain) == groups_of(RECORDINGS[0])
