"""Stack dumps: written from cores, perf sessions and packed programs, read back, and refused."""

import argparse
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackweave.core.sframe import FileMapping, Module, Registers, StackDump, StopReason, packed
from stackweave.core.sframe.capture import captured, mappings_of
from stackweave.core.sframe.dump_file import (
    LONGEST_STACK,
    DumpedMapping,
    DumpedTask,
    DumpFile,
    dump_bytes,
)
from stackweave.core.sframe.errors import DumpError
from stackweave.unwind import add_arguments, run

from .perf_sessions import open_session
from .recordings import OWN, linked_files, module
from .test_cores import ARCHIVES, members, open_core
from .test_fuzz import FUZZ, Edits, edited, edits

TASK: Final = DumpedTask(
    7, "näme", StackDump(Registers(0x401030, 0x7000, 0, {7: 0x7000, 6: 0}), 0x7000, b"\1" * 9)
)
MAPPING: Final = DumpedMapping(FileMapping(0x401000, 0x402000, 0x1000, "/x/mini-O2"), b"id")
FIELDS: Final = {
    "tid": 7,
    "name": "n",
    "pc": 1,
    "sp": 2,
    "fp": 3,
    "registers": {},
    "order": "little",
    "base": 4,
    "stack": b"",
}
HEADER: Final = {"stackweave-dump": 1, "mappings": []}


def written(mappings: Iterable[DumpedMapping], *tasks: DumpedTask) -> bytes:
    return b"".join(dump_bytes(mappings, tasks))


def opened(data: bytes, *modules: Module) -> DumpFile:
    return DumpFile(data, "made.dump", modules)


def values(*each: object) -> bytes:
    return b"".join(msgpack.packb(value) or b"" for value in each)


def test_what_is_written_is_read() -> None:
    big = DumpedTask(8, "", StackDump(Registers((1 << 64) - 1, 8, 9, {}), 10, b"", "big"))
    dump = opened(written([MAPPING], TASK, big))
    assert dump.space.mappings == (MAPPING.mapping,)
    assert list(dump.tasks()) == [TASK, big]
    assert dump.missing == []
    assert dump.absent_files() == ("/x/mini-O2",)


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_threads_of_cores(archive: Path) -> None:
    """What a dump of a thread gives equals what the core itself gives."""
    for name in sorted(n for n in members(archive) if n.endswith(".core")):
        core = open_core(archive, name)
        tasks = [DumpedTask(thread.lwp, "", captured(core, thread)) for thread in core.threads]
        dump = opened(written(mappings_of(core), *tasks), *linked_files(archive))
        for thread, task in zip(core.threads, dump.tasks(), strict=True):
            ours, expected = task.stack.unwind(dump.space), core.unwind(thread)
            assert [f.pc for f in ours.frames] == [f.pc for f in expected.frames]
            assert [f.fp for f in ours.frames] == [f.fp for f in expected.frames]
            assert ours.stop is expected.stop


def test_samples_of_a_session() -> None:
    path = OWN / "perf" / "v3" / "recur.data.xz"
    session = open_session(path, linked_files(path))
    compared = 0
    for stack in session.stacks():
        assert stack.dump is not None
        assert stack.trace is not None
        assert stack.pid is not None
        task = DumpedTask(stack.tid or 0, stack.comm, stack.dump)
        dump = opened(written(session.mappings(stack.pid), task), *linked_files(path))
        (read,) = dump.tasks()
        trace = read.stack.unwind(dump.space)
        assert [f.pc for f in trace.frames] == [f.pc for f in stack.trace.frames]
        compared += len(trace.frames)
    assert compared > 500


def test_tasks_of_the_emulator() -> None:
    for name in packed.names():
        program = packed.load(name)
        for state in program.states[:3]:
            task = DumpedTask(1, name, state.dump)
            mappings = [DumpedMapping(mapping) for mapping in state.space.mappings]
            dump = opened(written(mappings, task), *program.modules.values())
            (read,) = dump.tasks()
            pcs = [frame.pc for frame in read.stack.unwind(dump.space).frames]
            assert tuple(pcs[: len(state.truth)]) == state.truth


def test_build_ids_choose_the_file() -> None:
    mini = module(OWN / "elf" / "v3" / "mini-O2.xz")
    for build_id, stop in (
        (None, StopReason.OUTSIDE_STACK),
        (mini.build_id, StopReason.OUTSIDE_STACK),
        (b"another", StopReason.NO_MODULE),
    ):
        stack = StackDump(Registers(0x401030, 0x7000, 0), 0x7000, b"")
        mapping = DumpedMapping(MAPPING.mapping, build_id)
        dump = opened(written([mapping], DumpedTask(1, "", stack)), mini)
        (task,) = dump.tasks()
        assert task.stack.unwind(dump.space).stop is stop


def test_a_cut_file_gives_the_tasks_before_the_cut() -> None:
    header = len(written([MAPPING]))
    data = written([MAPPING], TASK, TASK, TASK)
    size = (len(data) - header) // 3
    for length in range(header, len(data)):
        dump = opened(data[:length])
        assert list(dump.tasks()) == [TASK] * ((length - header) // size)
        assert bool(dump.missing) == bool((length - header) % size)


WRONG: Final = [
    ("header is not a map|not a stack dump", values([1])),
    ("not a stack dump of version 1", values({"stackweave-dump": 2, "mappings": []})),
    ("mappings are not a list", values({"stackweave-dump": 1})),
    ("a mapping is not a list of five", values({**HEADER, "mappings": [[1]]})),
    ("a mapping's place", values({**HEADER, "mappings": [[-1, 2, 3, "p", None]]})),
    ("a path is not a text", values({**HEADER, "mappings": [[1, 2, 3, b"p", None]]})),
    ("a build id", values({**HEADER, "mappings": [[1, 2, 3, "p", b""]]})),
    ("a task is not a map", values(HEADER, 5)),
    ("pc is not a 64-bit number", values(HEADER, {**FIELDS, "pc": "x"})),
    ("fp is not a 64-bit number", values(HEADER, {**FIELDS, "fp": None})),
    ("tid is not a 64-bit number", values(HEADER, {**FIELDS, "tid": True})),
    ("registers is not a map", values(HEADER, {**FIELDS, "registers": []})),
    ("a register's number", values(HEADER, {**FIELDS, "registers": {"rax": 1}})),
    ("stack is not", values(HEADER, {**FIELDS, "stack": "text"})),
    ("order is neither", values(HEADER, {**FIELDS, "order": "middle"})),
    ("name is not a text", values(HEADER, {**FIELDS, "name": b"n"})),
    ("too many maps", values(HEADER, {**FIELDS, "more": [{}] * 3})),
    ("exceeds|max", b"\x82\xafstackweave-dump\1\xa8mappings\xdd\xff\xff\xff\xff"),
]


@pytest.mark.parametrize(("cause", "data"), WRONG, ids=[cause for cause, _ in WRONG])
def test_a_file_that_breaks_a_rule_is_refused(cause: str, data: bytes) -> None:
    with pytest.raises(DumpError, match=cause):
        list(opened(data).tasks())


def test_the_writer_keeps_the_rules_too() -> None:
    negative = DumpedTask(-1, "", TASK.stack)
    with pytest.raises(DumpError, match="tid"):
        written([], negative)
    with pytest.raises(DumpError, match="a path"):
        written([DumpedMapping(FileMapping(0, 1, 0, "x" * 5000))])


def test_a_value_that_does_not_end_is_refused() -> None:
    """A task of 256 stacks: no more of it is read than a sound task has."""
    stack = b"\xc6" + LONGEST_STACK.to_bytes(4, "big") + bytes(LONGEST_STACK)
    endless = b"\xde\1\0" + b"".join(bytes((key,)) + stack for key in range(4))
    with pytest.raises(DumpError, match="a value of more than 8388608 bytes"):
        list(opened(values(HEADER) + endless).tasks())


@FUZZ
@given(edits)
def test_damaged_dumps(changes: Edits) -> None:
    data = edited(written([MAPPING], TASK, TASK), changes)
    try:
        assert len(list(opened(data).tasks())) <= len(data)
    except DumpError:
        return


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes_behind_a_header(body: bytes) -> None:
    try:
        list(opened(values(HEADER) + body).tasks())
    except DumpError:
        return


def command(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    code = run(parser.parse_args([str(argument) for argument in arguments]))
    captured_ = capsys.readouterr()
    return code, captured_.out, captured_.err


def test_the_command_reads_dumps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, program = tmp_path / "my.dump", tmp_path / "mini-O2"
    mini = module(OWN / "elf" / "v3" / "mini-O2.xz")
    program.write_bytes(bytes(mini.image.data))
    stack = StackDump(Registers(0x401030, 0x7000, 0), 0x7000, (0x401014).to_bytes(8, "little"))
    data = written([DumpedMapping(MAPPING.mapping)], DumpedTask(7, "my task", stack))
    path.write_bytes(data)
    code, out, err = command(capsys, path, "--elf", program)
    assert (code, err) == (0, "")
    assert out == (
        "Task 7 my task\n"
        "#0  0x0000000000401030 up+0x0 (mini-O2)\n"
        "#1  0x0000000000401014 _start+0x14 (mini-O2)\n"
        "stopped: outermost frame\n\n"
    )
    code, out, _ = command(capsys, path, "--elf", program, "--json")
    (task,) = json.loads(out)["tasks"]
    assert (code, task["tid"], task["stop"], len(task["frames"])) == (0, 7, "outermost", 2)
    path.write_bytes(data[:-1])
    code, out, err = command(capsys, path)
    assert (code, out) == (2, "")
    assert (
        err == "stackweave unwind: my.dump: no stack to unwind; missing: the end of the last task\n"
    )


def test_the_documents_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The code in docs/dump.md runs, and the command reads what it writes."""
    document = Path(__file__).parents[2] / "docs" / "dump.md"
    (code,) = re.findall(r"```python\n(.*?)```", document.read_text(), re.DOTALL)
    archive = OWN / "cores" / "v3" / "mini.tar.xz"
    (tmp_path / "my.core").write_bytes(members(archive)["mini-a.core"])
    mini = module(OWN / "elf" / "v3" / "mini-O2.xz")
    (tmp_path / "my-program").write_bytes(bytes(mini.image.data))
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    exit_code, out, _ = command(capsys, "my.dump", "--elf", "my-program")
    assert exit_code == 0
    assert "#8 " in out
    assert "stopped: outermost frame" in out
