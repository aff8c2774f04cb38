"""Arbitrary and mutated bytes: `SFrameError` or `ElfError`, and nothing else."""

import argparse
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackweave.core.sframe import (
    CoreFile,
    ElfError,
    LoadedModule,
    Module,
    Registers,
    SFrameError,
    SFrameSection,
    Unwinder,
    UnwindType,
)
from stackweave.core.sframe.architectures import ARCHITECTURES
from stackweave.core.sframe.constants import Abi
from stackweave.core.sframe.elf import parse_elf
from stackweave.core.sframe.unwind import DEFAULT_LIMIT
from stackweave.unwind import add_arguments, run

from . import checks
from .recordings import OWN, linked_files, module
from .test_cores import members

PROGRAMS = [
    *(("v1", "mini-O2"), ("v2", "recur"), ("v3", "flexasm"), ("llvm", "recur"), ("v3", "recur.o")),
    *(("v3-aarch64", "mini-pac"), ("v3-aarch64", "mini-be-O2"), ("v3-s390x", "mini-O2")),
    *(("v2-aarch64", "mini-O2"), ("v3-s390x", "s390x-mini-O2-as-v2pcrel")),
]
FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)

Edits = list[tuple[int, bytes]]
edits = st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=8)), max_size=6)


def edited(data: bytes, changes: Edits, within: int | None = None) -> bytes:
    """Overwrite bytes at the given places, taken modulo the length."""
    damaged = bytearray(data)
    for place, new in changes:
        at = place % (within or len(damaged))
        damaged[at : at + len(new)] = new
    return bytes(damaged[: len(data)])


def section_of(tag: str, name: str) -> tuple[bytes, int]:
    found = module(OWN / "elf" / tag / f"{name}.xz")
    (section,) = (s for s in found.image.sections if s.name == b".sframe")
    return found.image.contents(section.offset, section.size), section.address


def read_all(contents: bytes, address: int) -> None:
    """Decode everything; only `SFrameError` may come out."""
    try:
        section = SFrameSection(contents, address)
    except SFrameError:
        return
    for table in section.tables:
        for index, start in enumerate(table.starts):
            with suppress(SFrameError):
                checks.interpreted_rows(section, table, index)
            with suppress(SFrameError):
                section.rule_at(start)


@FUZZ
@given(st.binary(max_size=300), st.integers(0, 1 << 48))
def test_any_bytes(contents: bytes, address: int) -> None:
    read_all(contents, address)


@FUZZ
@given(
    st.sampled_from([1, 2, 3]),
    st.sampled_from(Abi),
    st.integers(0, 255),
    st.lists(st.integers(0, 120), min_size=5, max_size=5),
    st.binary(max_size=250),
)
def test_any_bytes_behind_a_plausible_header(
    version: int, abi: Abi, flags: int, sizes: list[int], body: bytes
) -> None:
    magic = b"\xde\xe2" if abi.is_big_endian else b"\xe2\xde"
    fixed_ra = 0xF8 if abi is Abi.AMD64_ENDIAN_LITTLE else 0
    header = magic + bytes((version, flags & 7, abi, 0, fixed_ra, 0))
    header += b"".join(size.to_bytes(4, "big" if abi.is_big_endian else "little") for size in sizes)
    read_all(header + body, 0x1000)


@pytest.mark.parametrize(("tag", "name"), PROGRAMS)
@FUZZ
@given(edits)
def test_damaged_sections(tag: str, name: str, changes: Edits) -> None:
    contents, address = section_of(tag, name)
    read_all(edited(contents, changes), address)


@pytest.mark.parametrize(("tag", "name"), PROGRAMS)
@settings(FUZZ, max_examples=50)
@given(edits, st.data())
def test_any_registers_and_memory(tag: str, name: str, changes: Edits, data: st.DataObject) -> None:
    """The walk ends, within the program or outside, and raises nothing."""
    found = module(OWN / "elf" / tag / f"{name}.xz")
    contents, address = section_of(tag, name)
    try:
        section = SFrameSection(edited(contents, changes), address)
    except SFrameError:
        return
    starts = [start % (1 << 64) for table in section.tables for start in table.starts] or [0]
    code = st.builds(
        lambda start, steps: start + 4 * steps, st.sampled_from(starts), st.integers(0, 15)
    )
    stack = st.integers(0, 99).map(lambda step: 0x7000_0000 + 8 * step)
    word = st.one_of(code, code, stack, st.integers(0, (1 << 64) - 1))
    words = data.draw(st.lists(st.one_of(word, word, word, st.none()), min_size=4, max_size=24))
    others = dict(enumerate(data.draw(st.lists(word, max_size=33))))
    registers = Registers(data.draw(code), 0x7000_0000, data.draw(stack), others)
    damaged = Module(replace(found.image, sections=(), segments=()))
    damaged.sframe = section
    unwinder = Unwinder(
        lambda at: words[at // 8 % len(words)],
        lambda at: LoadedModule(damaged, 0) if at >> 40 == 0 else None,
        None,
        ARCHITECTURES[damaged.abi],
        tuple(UnwindType),
    )
    trace = unwinder.unwind(registers, 60)
    assert 1 <= len(trace.frames) <= 60
    assert all(0 <= frame.pc < 1 << 64 and 0 <= frame.sp < 1 << 64 for frame in trace.frames)


@pytest.mark.parametrize(("tag", "name"), PROGRAMS)
@FUZZ
@given(edits, st.integers(0, 1 << 16))
def test_damaged_elf_headers(tag: str, name: str, changes: Edits, length: int) -> None:
    """The header and the program headers lead every walk over the file."""
    found = module(OWN / "elf" / tag / f"{name}.xz")
    whole = found.image.contents(0, 1 << 20)
    for within in (64, 64 + 56 * len(found.image.segments)):
        damaged = edited(whole, changes, within)[: len(whole) - length % 64 * 16]
        try:
            damaged_module = Module.parse(damaged, name)
        except (ElfError, SFrameError):
            continue
        assert damaged_module.symbols.find(1 << 63) is None
        assert damaged_module.build_id is None or damaged_module.build_id


@FUZZ
@given(edits, st.sampled_from(["header", "notes", "anywhere"]))
def test_damaged_cores(changes: Edits, where: str) -> None:
    archive = OWN / "cores" / "v3" / "mini.tar.xz"
    whole = members(archive)["mini-sig.core"]
    image = parse_elf(whole, "core")
    notes = image.segments[0].offset
    damaged = {
        "header": lambda: edited(whole, changes, 64 + 56 * len(image.segments)),
        "notes": lambda: whole[:notes] + edited(whole[notes:], changes, 2048),
        "anywhere": lambda: edited(whole, changes),
    }[where]()
    try:
        core = CoreFile(parse_elf(damaged, "core"), linked_files(archive))
    except ElfError:
        return
    for thread in core.threads:
        assert len(core.unwind(thread).frames) <= DEFAULT_LIMIT


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF\2\1" + b"\xff" * 200, b"x" * 5000])
def test_the_command_refuses_what_is_no_core(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "core"
    path.write_bytes(content)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert run(parser.parse_args([str(path)])) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
