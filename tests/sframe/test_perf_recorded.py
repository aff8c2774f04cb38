"""Recorded sessions against `perf script`: every sample's header, and frames as far as SFrame covers them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from stackweave.core.sframe import Module, Registers, StackDump, StopReason
from stackweave.core.sframe.perf import PerfStack, Place, records, registers, sample, session

from .perf_sessions import DEFERRED, PrintedFrame, PrintedStack, open_session, printed, stacks
from .recordings import DATA, OWN, label, linked_files, paths

SESSIONS: Final = paths("perf", "*.data.xz")
SAMPLES: Final = 771
RESTORERS: Final = ("__restore_rt", "my_restorer")
"""Signal trampolines, which perf does not look up by the address before."""
VARIABLES: Final = ("pool", "sink")
"""Data of `mini` that perf takes for functions."""


def script(recorded: Path) -> list[PrintedStack]:
    return printed(recorded.with_name(recorded.name.replace(".data.", ".script.txt.")))


def problems(path: Path) -> list[str]:
    """Everything in which our stacks contradict perf's or end too soon."""
    modules = linked_files(path)
    found = []
    ours = list(stacks(path))
    for stack, true in zip(ours, script(path), strict=True):
        where = f"{label(path)} at {true.microseconds}"
        header = (stack.comm, stack.tid, (stack.time or 0) // 1000)
        if header != (true.comm, true.tid, true.microseconds):
            found.append(f"{where}: {header} is not perf's {true}")
        elif not _same_frames(stack, true, file_offsets="/v1/" in str(path)):
            found.append(f"{where}: {stack.user} are not perf's {true.frames}")
        elif not _is_deep_enough(stack, true, modules):
            found.append(f"{where}: {len(stack.user)} frames, stopped by {stack.trace}")
    return found


def _same_frames(stack: PerfStack, true: PrintedStack, *, file_offsets: bool) -> bool:
    return len(stack.user) <= len(true.frames) and all(
        _same(ours, frame, file_offsets=file_offsets)
        for ours, frame in zip(stack.user, true.frames, strict=False)
    )


def _same(ours: Place, frame: PrintedFrame, *, file_offsets: bool) -> bool:
    """The address, the function's name and the file."""
    address = ours.pc if frame.function in RESTORERS else ours.lookup_pc
    if file_offsets and ours.module:
        address -= ours.module.bias
    elif file_offsets:  # where an unknown file begins is not known, but it begins with a page
        address = frame.ip & -0x1000 | address & 0xFFF
    symbol = ours.module.symbol(address) if ours.module and not file_offsets else None
    is_named = symbol is None or frame.function in (symbol.name, None, *VARIABLES)
    return address == frame.ip and is_named and ours.path == frame.file


def _is_deep_enough(stack: PerfStack, true: PrintedStack, modules: list[Module]) -> bool:
    """One frame beyond those that lie in files with SFrame data, or all that perf has."""
    names = {module.name for module in modules}
    files = [frame.file.rpartition("/")[2] in names for frame in true.frames]
    described = files.index(False) if False in files else len(files)
    return len(stack.user) == min(described + 1, len(files))


def test_the_sessions_are_there() -> None:
    assert DATA != OWN or len(SESSIONS) == 8


@pytest.mark.parametrize("path", SESSIONS, ids=map(label, SESSIONS))
def test_frames_equal_perfs(path: Path) -> None:
    assert problems(path) == []


def test_every_stack_says_why_it_ends() -> None:
    own = sorted((OWN / "perf").glob("*/*.data.xz"))
    found = [stack.trace.stop for path in own for stack in stacks(path) if stack.trace]
    assert len(found) == SAMPLES
    assert {stop: found.count(stop) for stop in set(found)} == {
        StopReason.NO_MODULE: 753,
        StopReason.OUTERMOST: 16,
        StopReason.OUTSIDE_STACK: 2,
    }


def test_perfs_own_pipe_is_the_same_session() -> None:
    def shown(path: Path) -> list[object]:
        session = open_session(path, linked_files(OWN / "perf" / "v1" / "x"))
        return [
            (stack.comm, stack.tid, stack.time, stack.event and stack.event.name, stack.user)
            for stack in session.stacks()
        ]

    pipe = DEFERRED / "recur.pipe.data.xz"
    assert open_session(pipe).file.is_pipe
    assert shown(pipe) == shown(OWN / "perf" / "v1" / "recur.data.xz")


def test_a_session_tells_where_it_was_recorded() -> None:
    features = open_session(OWN / "perf" / "v1" / "recur.data.xz").file.features
    assert features.command[:4] == ("/usr/bin/perf", "record", "-q", "-e")
    assert {feature.name: text for feature, text in features.texts.items()} == {
        "HOSTNAME": "vm",
        "OSRELEASE": "6.18.44-fc-v595",
        "VERSION": "6.1.187",
        "ARCH": "x86_64",
    }


def test_a_file_of_another_build_is_not_used() -> None:
    """The V2 session knows the build ids from its feature section, the V3 one from its mappings."""
    for of, other in (("v2/lua", "v3"), ("v3/recur", "v2"), ("v3/sig", "v2")):
        path = OWN / "perf" / f"{of}.data.xz"
        opened = open_session(path, linked_files(OWN / "elf" / other / "x"))
        assert {len(stack.user) for stack in opened.stacks()} == {1}
        name = of.rpartition("/")[2]
        mismatched = [module.name for module in opened.chooser.mismatched]
        assert mismatched == ([name] if (OWN / "elf" / other / f"{name}.xz").exists() else [])


def test_without_modules_the_first_frame_is_all() -> None:
    opened = open_session(OWN / "perf" / "v3" / "zt.data.xz")
    assert {len(stack.user) for stack in opened.stacks()} == {1}
    assert [path.rpartition("/")[2] for path in opened.absent] == ["zt", "libc.so.6"]
    assert opened.missing == ()


def stack_one_word_off(monkeypatch: pytest.MonkeyPatch) -> None:
    original = sample.Sample.dump

    def shifted(self: sample.Sample, taken: Registers) -> StackDump:
        dump = original(self, taken)
        return replace(dump, base=dump.base + 8)

    monkeypatch.setattr(sample.Sample, "dump", shifted)


def registers_in_falling_order(monkeypatch: pytest.MonkeyPatch) -> None:
    original = registers.registers_of
    monkeypatch.setattr(
        "stackweave.core.sframe.perf.taken.registers_of",
        lambda machine, mask, values: original(machine, mask, values[::-1]),
    )


def mappings_without_offsets(monkeypatch: pytest.MonkeyPatch) -> None:
    original = records.Mmap
    monkeypatch.setattr(
        records, "Mmap", lambda pid, low, size, _, *rest: original(pid, low, size, 0, *rest)
    )


def order_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mappings come into force when they are read: other CPUs' samples of before see them."""
    monkeypatch.setattr(session.PerfSession, "_time", lambda *_: None)


@pytest.mark.parametrize(
    ("plant", "name"),
    [
        (stack_one_word_off, "v3/recur"),
        (registers_in_falling_order, "v3/sig"),
        (mappings_without_offsets, "v1/recur"),
        (order_of_the_file, "v3/mini"),
    ],
)
def test_a_wrong_reader_is_rejected(
    plant: Callable[[pytest.MonkeyPatch], None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = OWN / "perf" / f"{name}.data.xz"
    assert problems(path) == []
    plant(monkeypatch)
    assert problems(path) != []
