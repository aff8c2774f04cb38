"""Cores of gdb and of the kernel against gdb's own backtraces."""

import io
import json
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from stackweave.core.sframe import Backtrace, CoreFile
from stackweave.core.sframe.elf import parse_elf

from . import checks
from .recordings import DATA, OWN, linked_files, paths, unxz

ARCHIVES = [*paths("cores", "*.tar.xz"), *paths("kcores", "*.tar.xz")]
CORES = 27


@cache
def members(archive: Path) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(unxz(archive))) as tar:
        return {m.name: tar.extractfile(m).read() for m in tar}  # type: ignore[union-attr] # files


def cores() -> Iterator[tuple[Path, str]]:
    for archive in ARCHIVES:
        for name in sorted(members(archive)):
            if name.endswith(".core"):
                yield archive, name


def open_core(archive: Path, name: str) -> CoreFile:
    return CoreFile(parse_elf(members(archive)[name], name), linked_files(archive))


def threads(archive: Path, name: str) -> dict[int, list[dict[str, str]]]:
    """gdb's frames of each thread, by its number."""
    truth = json.loads(members(archive)[name.removesuffix(".core") + ".bt.json"])
    return {thread["lwp"]: thread["frames"] for thread in truth["threads"]}


def unwound(archive: Path, name: str) -> Iterator[tuple[Backtrace, list[dict[str, str]]]]:
    core, truth = open_core(archive, name), threads(archive, name)
    assert {thread.lwp for thread in core.threads} == set(truth)
    for thread in core.threads:
        yield core.unwind(thread), truth[thread.lwp]


FOUND = list(cores())
ALL = pytest.mark.parametrize(
    ("archive", "name"), FOUND, ids=[f"{archive.parent.name}/{name}" for archive, name in FOUND]
)


def test_the_cores_are_there() -> None:
    assert ARCHIVES
    assert len(FOUND) == CORES or DATA != OWN


@ALL
def test_frames_equal_gdbs(archive: Path, name: str) -> None:
    for trace, truth in unwound(archive, name):
        assert checks.core_problems(trace, truth) == []


@ALL
def test_functions_have_gdbs_names(archive: Path, name: str) -> None:
    """PLT stubs apart, which no symbol names."""
    for trace, truth in unwound(archive, name):
        for level, (frame, true) in enumerate(zip(trace.frames, truth, strict=False)):
            if frame.module is None:
                continue
            interrupted = level + 1 < len(trace.frames) and trace.frames[level + 1].is_exact
            symbol = frame.module.symbol(frame.pc if interrupted else frame.lookup_pc)
            assert frame.module.module.name == true["obj"]
            if symbol is not None:
                assert symbol.name == true["func"]


@ALL
def test_a_core_of_any_length_is_read_or_refused(archive: Path, name: str) -> None:
    """Cut anywhere, a core gives frames that are still true, and says what is missing."""
    whole, truth = members(archive)[name], threads(archive, name)
    for part in (0.0001, 0.1, 0.5, 0.9, 0.999):
        cut = whole[: max(64, int(len(whole) * part))]
        core = CoreFile(parse_elf(cut, name), linked_files(archive))
        assert core.missing
        for thread in core.threads:
            got = core.unwind(thread)
            frames = zip(got.frames, truth[thread.lwp], strict=False)
            assert all(frame.pc == int(true["pc"], 16) for frame, true in frames)


def test_only_a_readable_stack_is_needed_without_modules() -> None:
    archive = OWN / "cores" / "v3" / "mini.tar.xz"
    core = CoreFile(parse_elf(members(archive)["mini-a.core"], "mini-a.core"))
    (thread,) = core.threads
    assert [frame.pc for frame in core.unwind(thread).frames] == [thread.registers.pc]
    assert [path.rpartition("/")[2] for path in core.absent_files()] == ["mini-O2"]


def test_a_file_with_another_build_id_is_not_used() -> None:
    archive = OWN / "cores" / "v3" / "mini.tar.xz"
    image = parse_elf(members(archive)["mini-a.core"], "mini-a.core")
    core = CoreFile(image, linked_files(OWN / "elf" / "v1" / "recur.xz"))
    assert [module.name for module in core.chooser.mismatched] == ["mini-O2"]
    assert core.space.modules == {}


def test_what_the_core_left_out_is_read_from_the_file() -> None:
    """Kernel cores hold no text; the program's own file does."""
    archive = OWN / "kcores" / "v3" / "recur-pltmain.tar.xz"
    core = open_core(archive, "recur-k2.core")
    loaded = next(iter(core.space.modules.values()))
    text = next(load for load in loaded.module.loads if load.flags & 1)
    expected = loaded.module.image.contents(text.offset, 8)
    assert core.read_bytes(text.address + loaded.bias, 8) == expected
    assert core.read(0x10) is None
