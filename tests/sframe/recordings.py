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
from typing import Any, Final

from stackweave.core.sframe import aarch64, amd64, s390x
from stackweave.core.sframe.address_space import AddressSpace, FileMapping
from stackweave.core.sframe.dump import StackDump
from stackweave.core.sframe.module import LoadedModule, Module
from stackweave.core.sframe.rules import Architecture, Registers

OWN: Final = Path(__file__).parents[1] / "data" / "sframe"
"""The project's own recordings, whose figures are known."""
DATA: Final = Path(os.environ.get("STACKWEAVE_SFRAME_DATA", OWN))
"""The recordings to try."""

ARCHITECTURES: Final[dict[str, Architecture]] = {
    "x86_64": amd64,
    "aarch64": aarch64,
    "aarch64_be": aarch64,
    "s390x": s390x,
}
_AARCH64_NAMES: Final = (*(f"x{number}" for number in range(31)), "sp")
_FLOATS: Final = (0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15)
REGISTER_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "x86_64": (
        *("rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp"),
        *("r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"),
    ),
    "aarch64": _AARCH64_NAMES,
    "aarch64_be": _AARCH64_NAMES,
    "s390x": (*(f"r{n}" for n in range(16)), *(f"f{n}" for n in _FLOATS)),
}
"""Registers by DWARF number."""

TAGS: Final = (
    *("v1", "v2", "v3", "llvm"),
    *("v1-aarch64", "v2-aarch64", "v3-aarch64", "v3-s390x"),
)
"""The folders: which toolchain wrote the files, for which machine if not AMD64."""


@dataclass(frozen=True, slots=True)
class TrueFrame:
    """One frame of the shadow stack."""

    pc: int
    sp: int
    fp: int
    from_signal: bool
    """The frame was interrupted by a signal: pc is no return address."""
    slot: int | None
    """Where the call instruction saved pc, if it did."""


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
            if frame.slot is not None:
                word = self.dump.read(frame.slot)
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
    """Files of one kind in all folders."""
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


class OneModule(AddressSpace):
    """A recording without maps: the program is asked about every address, as the reference did."""

    def __init__(self, program: Module) -> None:
        super().__init__((), {})
        self._program = LoadedModule(program, 0)

    def find_module(self, address: int) -> LoadedModule | None:
        return self._program

    def is_code(self, address: int) -> bool:
        return True


def _samples(path: Path, expected: dict[int, tuple[int, str]]) -> Iterator[Sample]:
    header, *entries = map(json.loads, unxz(path).splitlines())
    space: AddressSpace | None = None
    for entry in entries:
        if "maps" in entry:
            space = _space(entry["maps"], path)
        elif "regs" in entry:
            space = space or OneModule(module(elf_path(path, header["prog"])))
            truth = tuple(_true_frame(frame) for frame in entry["truth"])
            yield Sample(
                entry["step"], _dump(header, entry), space, truth, *expected[entry["step"]]
            )


def _dump(header: dict[str, str], entry: dict[str, Any]) -> StackDump:
    architecture = ARCHITECTURES[header["arch"]]
    values = {name: int(value, 16) for name, value in entry["regs"].items()}
    others = {n: values[name] for n, name in enumerate(REGISTER_NAMES[header["arch"]])}
    return StackDump(
        Registers(int(entry["pc"], 16), others[architecture.SP], others[architecture.FP], others),
        int(entry["stack_addr"], 16),
        bytes.fromhex(entry["stack"]),
        "big" if header.get("endian") == "big" else "little",
    )


def _space(maps: list[dict[str, str]], recorded: Path) -> AddressSpace:
    mappings = [
        FileMapping(int(m["lo"], 16), int(m["hi"], 16), int(m["off"], 16), m["path"]) for m in maps
    ]
    files = {m.path: elf_path(recorded, m.basename) for m in mappings}
    return AddressSpace(mappings, {n: module(p) for n, p in files.items() if p.exists()})


def _true_frame(frame: dict[str, str]) -> TrueFrame:
    fp = int(frame["fp"], 16)
    if "signal" in frame:
        return TrueFrame(int(frame["pc"], 16), int(frame["sp"], 16), fp, True, None)
    if "slot" in frame:
        slot = int(frame["slot"], 16)
        return TrueFrame(int(frame["ra"], 16), slot + 8, fp, False, slot)
    return TrueFrame(int(frame["ra"], 16), int(frame["sp"], 16), fp, False, None)
