"""Reads the recorded data: linked files, single-step recordings, cores and their truths.

The data folder is `tests/data/sframe`; STACKWEAVE_SFRAME_DATA names another of the same shape.
Everything found there is tried.
"""

import json
import lzma
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from stackweave.core.sframe.address_space import AddressSpace, FileMapping
from stackweave.core.sframe.amd64 import FP, REGISTER_NAMES, SP
from stackweave.core.sframe.dump import StackDump
from stackweave.core.sframe.module import Module
from stackweave.core.sframe.rules import Registers

_OWN: Final = Path(__file__).parents[1] / "data" / "sframe"
DATA: Final = Path(os.environ.get("STACKWEAVE_SFRAME_DATA", _OWN))
IS_OWN: Final = DATA.samefile(_OWN)
"""Whether these are the project's own recordings, whose figures are known."""
only_own: Final = pytest.mark.skipif(not IS_OWN, reason="knows the project's own recordings")
"""Marks tests about one particular recording."""

TAGS: Final = ("v1", "v2", "v3", "llvm")
"""The AMD64 folders: which toolchain wrote the files."""


@dataclass(frozen=True, slots=True)
class TrueFrame:
    """One frame of the shadow stack."""

    pc: int
    sp: int
    fp: int
    from_signal: bool
    """The frame was interrupted by a signal: pc is no return address."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A captured stack with its truth and what an SFrame-only unwinder gets."""

    step: int
    dump: StackDump
    space: AddressSpace
    truth: tuple[TrueFrame, ...]
    """The callers, innermost first; the sample's own registers are frame 0."""
    expected_frames: int
    expected_stop: str

    @property
    def readable_frames(self) -> int:
        """Callers whose return address really is in the recording.

        Text that looked like an environment string was overwritten with `x` after recording,
        and bytes of a return address may look like one (`E=UUUU`). No unwinder reads those.
        """
        for depth, frame in enumerate(self.truth):
            if not frame.from_signal:
                word = self.dump.read(frame.sp - 8)
                if word is not None and word != frame.pc and b"xxxx" in word.to_bytes(8, "little"):
                    return depth
        return len(self.truth)


@dataclass(frozen=True, slots=True)
class Recording:
    """One single-stepped program."""

    name: str
    samples: tuple[Sample, ...]
    frames_total: int
    """Frames that the reference recovered over all samples."""
    wrong_at: frozenset[tuple[str, int]]
    """(module, linked address) at which the toolchain's SFrame data are wrong."""


def unxz(path: Path) -> bytes:
    return lzma.decompress(path.read_bytes())


def paths(kind: str, pattern: str) -> list[Path]:
    """Files of one kind in all AMD64 folders."""
    return sorted(path for tag in TAGS for path in (DATA / kind / tag).glob(pattern))


def label(path: Path) -> str:
    """`tag/name` for test ids and messages."""
    return f"{path.parent.name}/{path.name.partition('.')[0]}"


@cache
def module(tag: str, name: str) -> Module | None:
    """The linked file `name` of a toolchain, decoded once; None if it was not recorded."""
    path = DATA / "elf" / tag / f"{name}.xz"
    return Module.parse(unxz(path), name) if path.exists() else None


def linked_files(tag: str) -> list[Module]:
    """Every program and library of a toolchain (no object files, no variants)."""
    names = sorted(path.name.removesuffix(".xz") for path in (DATA / "elf" / tag).glob("*.xz"))
    plain = (n for n in names if not n.endswith(".o") and "edge-" not in n and "-as-" not in n)
    return [found for n in plain if (found := module(tag, n)) is not None]


@cache
def recording(path: Path) -> Recording:
    """Decode a `steps` file and its `expect` file."""
    tag, name = path.parent.name, path.name.removesuffix(".jsonl.xz")
    expect = json.loads(unxz(path.with_name(f"{name}.expect.json.xz")))
    expected = {step: (n, stop) for step, n, stop in expect["samples_step_frames_stop"]}
    return Recording(
        label(path),
        tuple(_samples(path, tag, expected)),
        expect["frames_total"],
        frozenset((n, int(pc, 16)) for n, pc in expect["sframe_differs_from_truth_at"]),
    )


def _samples(path: Path, tag: str, expected: dict[int, tuple[int, str]]) -> Iterator[Sample]:
    space = AddressSpace((), {})
    for line in unxz(path).splitlines():
        entry = json.loads(line)
        if "maps" in entry:
            space = _space(entry["maps"], tag)
        elif "regs" in entry:
            registers = {n: int(value, 16) for n, value in entry["regs"].items()}
            others = {number: registers[n] for number, n in enumerate(REGISTER_NAMES)}
            dump = StackDump(
                Registers(int(entry["pc"], 16), others[SP], others[FP], others),
                int(entry["stack_addr"], 16),
                bytes.fromhex(entry["stack"]),
            )
            truth = tuple(_true_frame(frame) for frame in entry["truth"])
            yield Sample(entry["step"], dump, space, truth, *expected[entry["step"]])


def _space(maps: list[dict[str, str]], tag: str) -> AddressSpace:
    mappings = [
        FileMapping(int(m["lo"], 16), int(m["hi"], 16), int(m["off"], 16), m["path"]) for m in maps
    ]
    modules = {m.path: found for m in mappings if (found := module(tag, m.basename)) is not None}
    return AddressSpace(mappings, modules)


def _true_frame(frame: dict[str, str]) -> TrueFrame:
    fp = int(frame["fp"], 16)
    if "signal" in frame:
        return TrueFrame(int(frame["pc"], 16), int(frame["sp"], 16), fp, True)
    return TrueFrame(int(frame["ra"], 16), int(frame["slot"], 16) + 8, fp, False)
