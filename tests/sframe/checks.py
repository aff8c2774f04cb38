"""Compares backtraces with the truth; says what is wrong. The planted bugs must trip these."""

from collections.abc import Sequence
from typing import Final

from stackweave.core.sframe import Backtrace, Frame, SFrameSection, StopReason
from stackweave.core.sframe.decode import FrameRow, Table
from stackweave.core.sframe.lookup import interpret
from stackweave.core.sframe.rules import FrameRule

from .recordings import Recording, Sample, TrueFrame

InterpretedRows = list[tuple[FrameRow, FrameRule]]

ACCEPTED_STOPS: Final = {
    "end": {StopReason.OUTERMOST},
    "end-S": {StopReason.SIGNAL_ENTRY},
    "nosframe": {StopReason.NO_SFRAME, StopReason.NO_MODULE},
    "nofde": {StopReason.NO_ENTRY},
    "cap": {StopReason.OUTSIDE_STACK},
    "unsafe": {StopReason.UNSAFE_REGISTER},
    "EXTRA": {StopReason.BAD_RETURN_ADDRESS, StopReason.OUTERMOST},
}
"""Which of our reasons agree with a reference stop, if both stop at the same depth."""


def problems(recording: Recording, sample: Sample, trace: Backtrace) -> list[str]:
    """Everything in which the trace contradicts the truth or falls short of the reference."""
    got = trace.frames[1:]
    equal = equal_frames(sample, got)
    where = f"{recording.name} step {sample.step}"
    found = []
    if len(got) > equal and not _may_differ(recording, sample, trace, equal):
        found.append(
            f"{where}: frame {equal + 1} is {got[equal]}, truth {sample.truth[equal:][:1]}"
        )
    wanted = min(sample.expected_frames, sample.readable_frames)
    if equal < wanted:
        found.append(f"{where}: {equal} frames of {wanted}, stopped by {trace.stop}")
    if equal == len(got) == sample.expected_frames and not _stop_accepted(sample, trace.stop):
        found.append(f"{where}: stopped by {trace.stop}, reference says {sample.expected_stop}")
    return found


def equal_frames(sample: Sample, got: Sequence[Frame]) -> int:
    """How many callers equal the truth, from the innermost on."""
    equal = 0
    for depth, (frame, true) in enumerate(zip(got, sample.truth, strict=False)):
        if not _same(frame, true, fp_needed=depth < sample.expected_frames):
            break
        equal += 1
    return equal


def _same(frame: Frame, true: TrueFrame, fp_needed: bool) -> bool:
    """PC, SP and FP; beyond the reference's depth FP may be unknown, never wrong."""
    fp_right = frame.fp == true.fp or (frame.fp is None and not fp_needed)
    return (frame.pc, frame.sp, frame.is_exact) == (true.pc, true.sp, true.from_signal) and fp_right


def _may_differ(recording: Recording, sample: Sample, trace: Backtrace, equal: int) -> bool:
    """A toolchain bug at the frame that was stepped from, or one bogus caller of `_start`."""
    if sample.expected_stop == "EXTRA":
        return equal == sample.expected_frames and len(trace.frames) == equal + 2
    frame = trace.frames[equal]
    if frame.module is None:
        return False
    site = (frame.module.module.name, frame.lookup_pc - frame.module.bias)
    return sample.expected_stop.startswith("MISMATCH") and site in recording.wrong_at


def _stop_accepted(sample: Sample, stop: StopReason) -> bool:
    if sample.expected_stop.startswith("MISMATCH"):
        return True
    return stop in ACCEPTED_STOPS[sample.expected_stop.partition("-reg")[0]]


def interpreted_rows(section: SFrameSection, table: Table, index: int) -> InterpretedRows:
    """Every row of a function with its equations, or `SFrameError`."""
    descriptor = table.descriptor(index)
    return [
        (row, interpret(section.architecture, table, descriptor, row))
        for row in table.rows(descriptor)
    ]


def core_problems(trace: Backtrace, truth: list[dict[str, str]]) -> list[str]:
    """Contradictions to gdb's backtrace, and frames missing though the one below is described."""
    found = []
    for level, (frame, true) in enumerate(zip(trace.frames, truth, strict=False)):
        values = (frame.pc, frame.sp, frame.fp)
        if values != tuple(int(true[name], 16) for name in ("pc", "sp", "fp")):
            found.append(f"#{level} is {frame}, gdb says {true}")
    described = 0
    while described < len(trace.frames) and _is_described(trace.frames[described]):
        described += 1
    if len(trace.frames) < min(described + 1, len(truth)):
        found.append(f"{len(trace.frames)} frames, gdb has {len(truth)}; stopped by {trace.stop}")
    if len(trace.frames) > len(truth) and described + 1 < len(trace.frames):
        found.append(f"{len(trace.frames)} frames, gdb has only {len(truth)}")
    return found


def _is_described(frame: Frame) -> bool:
    if frame.module is None or frame.module.module.sframe is None:
        return False
    address = frame.lookup_pc - frame.module.bias
    return any(
        start <= address < start + size
        for table in frame.module.module.sframe.tables
        for start, size in zip(table.starts, table.sizes, strict=True)
    )
