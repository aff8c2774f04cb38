"""Folded stacks: the lines, what must be escaped, and perf's own stacks."""

from collections import Counter
from pathlib import Path

import pytest

from stackweave.pictures import NamedFrame, NamedStack, Thread, folded
from stackweave.pictures.folded import write_folded

from ..sframe.perf_sessions import printed
from ..sframe.recordings import OWN
from ..sframe.test_command import command, elf
from ..sframe.test_perf_command import recorded
from .made import OTHER, hostile, many, stack, written


def test_lines() -> None:
    stacks = [stack("Mab"), stack("MC"), stack("Mab", thread=OTHER), stack("M"), stack("")]
    assert written(write_folded, stacks).decode() == "prog 1\nprog;M 1\nprog;M;C 1\nprog;M;a;b 2\n"


def test_unknown_functions_are_their_modules() -> None:
    frames = (
        NamedFrame(1, None, 0, "/usr/lib/libc.so.6"),
        NamedFrame(2, None, 0, "[vdso]"),
        NamedFrame(3, None, 0, None),
    )
    found = written(write_folded, [NamedStack(Thread(""), frames)])
    assert found == b"[unknown];[unknown];[vdso];[libc.so.6] 1\n"


def well_formed(lines: bytes) -> bool:
    """One line per stack, of thread, M and one more frame."""
    text = lines.decode()
    fields = [line.rpartition(" ")[0].split(";") for line in text.splitlines()]
    return len(fields) == len(hostile()) and all(
        len(each) == 3 and each[1] == "M" and each[0] == each[2] for each in fields
    )


def test_names_cannot_change_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert well_formed(written(write_folded, hostile()))
    monkeypatch.setattr(folded, "_escaped", lambda label: label.encode("utf-8", "replace").decode())
    assert not well_formed(written(write_folded, hostile())), "the check sees nothing"


def test_the_same_stacks_give_the_same_bytes() -> None:
    stacks = list(many(500))
    lines = written(write_folded, stacks)
    assert lines == written(write_folded, reversed(stacks))
    assert sum(int(line.rpartition(b" ")[2]) for line in lines.splitlines()) == 500


def from_main(names: list[str]) -> str | None:
    """A stack, outermost first, without what stands before main, which is libc's."""
    return ";".join(names[names.index("main") :]) if "main" in names else None


def test_stacks_are_perfs(tmp_path: Path) -> None:
    path = OWN / "perf" / "v2" / "lua.data.xz"
    samples = printed(path.with_name("lua.script.txt.xz"))
    expected = Counter(
        from_main([each.function or "" for each in reversed(sample.frames)])
        for sample in samples
        if sample.frames[0].file.endswith("/lua")
    )
    arguments = (recorded(tmp_path, path), "--elf", elf(tmp_path, "v2/lua"))
    assert command(*arguments, "--format", "folded", "-o", tmp_path / "folded") == 0
    found: Counter[str | None] = Counter()
    for line in (tmp_path / "folded").read_text().splitlines():
        names, _, count = line.rpartition(" ")
        found[from_main(names.split(";"))] += int(count)
    assert len(expected) > 30
    assert found.pop(None) == len(samples) - expected.total() == 2, "libc has no SFrame data"
    assert found == expected
