"""Writes the packed programs of `core/sframe/data` from the recordings in `tests/data/sframe`.

Run as `python -m tests.sframe.pack`. States are picked for diverse call chains: each pick adds
the most caller-callee pairs not seen yet. The unwinder has no say in it.
"""

import json
import lzma
from base64 import b64encode
from itertools import pairwise
from pathlib import Path
from typing import Final

from .recordings import OWN, Sample, elf_path, recording, unxz

TARGET: Final = Path(__file__).parents[2] / "core" / "sframe" / "data"
PROGRAMS: Final = {
    "mini-v1": ("v1/mini-O2", "static program without libc, gcc 12 -O2, binutils 2.40"),
    "mini-v3": ("v3/mini-O2", "static program without libc, gcc 16 -O2, binutils 2.47.50"),
    "plt-v3": ("v3/pltmain", "program and shared library, lazy PLT, gcc 16, binutils 2.47.50"),
    "recur-v2": ("v2/recur", "deep recursion and qsort callbacks, gcc 14, binutils 2.44"),
    "recur-v3": ("v3/recur", "deep recursion and qsort callbacks, gcc 16, binutils 2.47.50"),
}
STATES: Final = 10
COVERED: Final = ("end", "nosframe", "EXTRA")
"""Reference stops at which the whole described stack was recovered."""
_ABOVE: Final = 16
"""Bytes kept above the last return address."""


def chain(sample: Sample) -> tuple[str, ...]:
    """The functions on the stack, innermost first."""
    registers = sample.dump.registers
    pcs = [registers.pc, *(f.pc - 1 for f in sample.truth[: sample.expected_frames])]
    return tuple(_function(sample, pc) for pc in pcs)


def _function(sample: Sample, pc: int) -> str:
    loaded = sample.space.find_module(pc)
    symbol = loaded.symbol(pc) if loaded else None
    return "?" if symbol is None or symbol.name.endswith("@plt") else symbol.name


def pick(samples: tuple[Sample, ...]) -> list[Sample]:
    """States with diverse chains, in recorded order."""
    open_ = {
        sample.step: (sample, set(pairwise(names)) | {(names[0], "")})
        for sample in samples
        if sample.expected_stop in COVERED
        and 2 <= sample.expected_frames <= sample.readable_frames
        and not any(f.from_signal for f in sample.truth[: sample.expected_frames])
        for names in [chain(sample)]
    }
    seen: set[tuple[str, str]] = set()
    picked: list[Sample] = []
    while open_ and len(picked) < STATES:
        step = max(open_, key=lambda s: (len(open_[s][1] - seen), len(open_[s][0].truth), -s))
        sample, edges = open_.pop(step)
        if not edges - seen and len(picked) >= 6:
            break
        seen |= edges
        picked.append(sample)
    return sorted(picked, key=lambda sample: sample.step)


def packed(name: str) -> bytes:
    """The contents of one packed file."""
    source, about = PROGRAMS[name]
    recorded = OWN / "steps" / f"{source}.jsonl.xz"
    samples = pick(recording(recorded).samples)
    space = samples[0].space
    used = sorted({loaded.module.name for loaded in space.modules.values()})
    contents = {
        "about": about,
        "elf": {n: b64encode(unxz(elf_path(recorded, n))).decode() for n in used},
        "mappings": [[m.low, m.high, m.offset, m.basename] for m in space.mappings],
        "states": [_state(sample) for sample in samples],
    }
    return json.dumps(contents, separators=(",", ":"), sort_keys=True).encode()


def _state(sample: Sample) -> dict[str, object]:
    dump, frames = sample.dump, sample.truth[: sample.expected_frames]
    needed = max(frame.sp for frame in frames) + _ABOVE - dump.base
    others = dump.registers.others
    return {
        "pc": dump.registers.pc,
        "registers": [others[number] for number in range(16)],
        "base": dump.base,
        "stack": dump.stack[:needed].hex(),
        "truth": [dump.registers.pc, *(frame.pc for frame in frames)],
    }


if __name__ == "__main__":
    for program in PROGRAMS:
        (TARGET / f"{program}.json.xz").write_bytes(lzma.compress(packed(program), preset=9))
