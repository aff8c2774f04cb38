"""Reads the recorded data: linked files, single-step recordings, cores and their truths.

The project's own are in `tests/data/sframe`. STACKWEAVE_SFRAME_DATA names another folder of the
same shape, and then everything found there is tried instead. Tests about one particular file
always take the project's own.
"""

import json
import lzma
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from stackweave.core.sframe.address_space import AddressSpace, FileMapping
from stackweave.core.sframe.amd64 import FP, SP
from stackweave.core.sframe.dump import StackDump
from stackweave.core.sframe.module import Module
from stackweave.core.sframe.rules import Registers

OWN: Final = Path(__file__).parents[1] / "data" / "sframe"
"""The project's own recordings, whose figures are known."""
DATA: Final = Path(os.environ.get("STACKWEAVE_SFRAME_DATA", OWN))
"""The recordings to try."""

REGISTER_NAMES: Final = (
    *("rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp"),
    *("r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"),
)
"""General registers by DWARF number."""

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


def paths(kind: str, pattern: str, data: Path = DATA) -> list[Path]:
    """Files of one kind in all AMD64 folders."""
    return sorted(path for tag in TAGS for path in (data / kind / tag).glob(pattern))


def label(path: Path) -> str:
    """`tag/name` for test ids and messages."""
    return f"{path.parent.name}/{path.name.partition('.')[0]}"


def elf_path(recorded: Path, name: str) -> Path:
    """The linked file `name` of the toolchain that a recording belongs to."""
    return recorded.parents[2] / "elf" / recorded.parent.name / f"{name}.xz"


@cache
def module(path: Path) -> Module:
    """A linked file, decoded once."""
    return Module.parse(unxz(path), path.name.removesuffix(".xz"))


def linked_files(recorded: Path) -> list[Module]:
    """Every program and library of a recording's toolchain (no object files, no variants)."""
    found = sorted(elf_path(recorded, "").parent.glob("*.xz"))
    variants = (".o.xz", "edge-", "-as-")
    return [module(path) for path in found if not any(v in path.name for v in variants)]


@cache
def recording(path: Path) -> Recording:
    """Decode a `steps` file and its `expect` file."""
    name = path.name.removesuffix(".jsonl.xz")
    expect = json.loads(unxz(path.with_name(f"{name}.expect.json.xz")))
    expected = {step: (n, stop) for step, n, stop in expect["samples_step_frames_stop"]}
    return Recording(
        label(path),
        tuple(_samples(path, expected)),
        expect["frames_total"],
        frozenset((n, int(pc, 16)) for n, pc in expect["sframe_differs_from_truth_at"]),
    )


def _samples(path: Path, expected: dict[int, tuple[int, str]]) -> Iterator[Sample]:
    space = AddressSpace((), {})
    for line in unxz(path).splitlines():
        entry = json.loads(line)
        if "maps" in entry:
            space = _space(entry["maps"], path)
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


def _space(maps: list[dict[str, str]], recorded: Path) -> AddressSpace:
    mappings = [
        FileMapping(int(m["lo"], 16), int(m["hi"], 16), int(m["off"], 16), m["path"]) for m in maps
    ]
    files = {m.path: elf_path(recorded, m.basename) for m in mappings}
    return AddressSpace(mappings, {n: module(p) for n, p in files.items() if p.exists()})


def _true_frame(frame: dict[str, str]) -> TrueFrame:
    fp = int(frame["fp"], 16)
    if "signal" in frame:
        return TrueFrame(int(frame["pc"], 16), int(frame["sp"], 16), fp, True)
    return TrueFrame(int(frame["ra"], 16), int(frame["slot"], 16) + 8, fp, False)
