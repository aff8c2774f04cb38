"""Every single-stepped sample against its shadow stack."""

from pathlib import Path

import pytest

from stackweave.core.sframe import AddressSpace, StopReason

from . import checks
from .recordings import OWN, OneModule, Recording, Sample, label, module, paths, recording

RECORDINGS = paths("steps", "*.jsonl.xz")
FRAMES = {
    "llvm/recur": 4311,
    "v1/mini-O2": 6652,
    "v1/pltmain": 2282,
    "v1/recur": 3563,
    "v2/lua": 51102,
    "v2/recur": 3590,
    "v2/recur-Os": 3100,
    "v2/sig": 857,
    "v2/zt": 7067,
    "v1-aarch64/mini-O2": 4956,
    "v2-aarch64/mini-O2": 4991,
    "v3-aarch64/mini-O2": 4940,
    "v3-aarch64/mini-be-O2": 4940,
    "v3-aarch64/mini-pac": 5357,
    "v3-aarch64/recur-nopie": 2266,
    "v3-s390x/mini-O0": 7150,
    "v3-s390x/mini-O2": 4468,
    "v3-s390x/recur-nopie": 2566,
    "v3/flexasm": 135,
    "v3/mini-O2": 6462,
    "v3/mini-pie": 6462,
    "v3/pltmain": 2226,
    "v3/recur": 3280,
    "v3/recur-Os": 2944,
    "v3/recur-nopie": 3280,
    "v3/sig": 811,
    "v3/zt": 6850,
}
"""Frames that the reference recovers in the project's own recordings."""


def blanked_samples(recorded: Recording) -> list[Sample]:
    """Samples in which the recording overwrote a return address that the reference had."""
    return [s for s in recorded.samples if s.readable_frames < s.expected_frames]


def test_the_recordings_are_there() -> None:
    assert RECORDINGS
    recorded = [recording(path) for path in paths("steps", "*.jsonl.xz", OWN)]
    assert {each.name: each.frames_total for each in recorded} == FRAMES
    blanked = {each.name: len(blanked_samples(each)) for each in recorded}
    assert {name: count for name, count in blanked.items() if count} == {"v2/lua": 17}


@pytest.mark.parametrize("path", RECORDINGS, ids=label)
def test_every_frame_equals_the_truth(path: Path) -> None:
    recorded = recording(path)
    found, equal = [], 0
    for sample in recorded.samples:
        trace = sample.dump.unwind(sample.space)
        found += checks.problems(recorded, sample, trace)
        equal += checks.equal_frames(sample, trace.frames[1:])
    assert found == []
    blanked = sum(s.expected_frames - s.readable_frames for s in blanked_samples(recorded))
    assert equal >= recorded.frames_total - blanked


@pytest.mark.parametrize("path", RECORDINGS, ids=label)
def test_blanked_return_addresses_are_few(path: Path) -> None:
    """The one allowance for damaged recordings must not swallow real failures."""
    recorded = recording(path)
    assert len(blanked_samples(recorded)) <= len(recorded.samples) // 50


def test_signal_frames_are_crossed() -> None:
    """The trampoline's entry has no rows, yet the stack below it is recovered to the end."""
    recorded = recording(OWN / "steps" / "v3" / "mini-O2.jsonl.xz")
    crossed = [s for s in recorded.samples if s.expected_stop == "end-S"]
    assert len(crossed) == 28
    for sample in crossed:
        trace = sample.dump.unwind(sample.space)
        assert len(trace.frames) == len(sample.truth) + 1
        assert any(frame.is_exact for frame in trace.frames[1:])


def test_a_trampoline_without_an_entry_is_crossed() -> None:
    """Binutils 2.40 leaves the trampoline out; its code, in the program's file, tells it."""
    recorded = recording(OWN / "steps" / "v1" / "mini-O2.jsonl.xz")
    crossed = [s for s in recorded.samples if s.expected_stop == "nofde"]
    assert len(crossed) == 33
    for sample in crossed:
        trace = sample.dump.unwind(sample.space)
        assert checks.equal_frames(sample, trace.frames[1:]) == len(sample.truth)
        assert trace.stop is StopReason.BAD_RETURN_ADDRESS  # of `_start`, which V1 cannot mark


@pytest.mark.parametrize(
    ("name", "recorded_as"),
    [
        ("v3/x86_64-mini-O2-as-v2pcrel-aux8-unsorted", "v3/mini-O2"),
        ("v3-s390x/s390x-mini-O2-as-v2pcrel", "v3-s390x/mini-O2"),
    ],
)
def test_sections_written_again_as_v2_give_the_same_frames(name: str, recorded_as: str) -> None:
    """Registers saved in registers are odd words there; trampolines have only their code."""
    again = module(OWN / "elf" / f"{name}.xz")
    recorded = recording(OWN / "steps" / f"{recorded_as}.jsonl.xz")
    for sample in recorded.samples:
        if isinstance(sample.space, OneModule):
            space: AddressSpace = OneModule(again)
        else:
            space = AddressSpace(sample.space.mappings, dict.fromkeys(sample.space.modules, again))
        trace, expected = sample.dump.unwind(space), sample.dump.unwind(sample.space)
        assert [(f.pc, f.sp, f.fp) for f in trace.frames] == [
            (f.pc, f.sp, f.fp) for f in expected.frames
        ]
        assert trace.stop is expected.stop
        assert checks.problems(recorded, sample, trace) == []


def test_an_unknown_fp_does_not_end_the_walk() -> None:
    """flexasm keeps the FP in r12 around a call: its caller is known, but not that FP."""
    recorded = recording(OWN / "steps" / "v3" / "flexasm.jsonl.xz")
    traces = [s.dump.unwind(s.space) for s in recorded.samples]
    unknown = [trace for trace in traces if any(frame.fp is None for frame in trace.frames)]
    assert len(unknown) == 4
    assert {len(trace.frames) for trace in unknown} == {3}
