"""Wrong unwinders: the comparison with the recorded truth must reject each of them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stackweave.core.sframe import (
    Backtrace,
    Frame,
    StackDump,
    StopReason,
    aarch64,
    amd64,
    decode,
    rules,
    s390x,
    unwind,
)
from stackweave.core.sframe.constants import BaseRegister, Flag
from stackweave.core.sframe.decode import FrameRow, FunctionDescriptor
from stackweave.core.sframe.header import Header
from stackweave.core.sframe.rules import ADDRESS_MASK, CFA, FrameRule, Location

from . import checks, recordings
from .recordings import OWN
from .test_cores import open_core, threads

Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(autouse=True)
def _decoded_afresh() -> Iterator[None]:
    """Modules remember their rules; a planted bug must neither miss nor outlive them."""
    for cached in (recordings.module, recordings.recording):
        cached.cache_clear()
    yield
    for cached in (recordings.module, recordings.recording):
        cached.cache_clear()


def swapped_fp_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The published pseudocode: the FP's control and offset words exchanged."""
    original = rules.flexible_locations

    def swapped(
        header: Header, function: FunctionDescriptor, row: FrameRow
    ) -> tuple[Location, Location | None, Location | None]:
        words = row.words
        if len(words) >= 5:
            words = (*words[:-2], words[-1], words[-2])
        return original(header, function, replace(row, words=words))

    monkeypatch.setattr(amd64, "flexible_locations", swapped)


def repeat_size_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "V1_REPEAT_SIZE", 1 << 20)


def always_pc_relative(monkeypatch: pytest.MonkeyPatch) -> None:
    original = decode._addresses

    def relative(section: bytes, address: int, header: Header) -> tuple[list[int], list[int]]:
        flags = header.flags | Flag.FDE_FUNC_START_PCREL
        return original(section, address, replace(header, flags=flags))

    monkeypatch.setattr(decode, "_addresses", relative)


def always_section_relative(monkeypatch: pytest.MonkeyPatch) -> None:
    original = decode._addresses

    def relative(section: bytes, address: int, header: Header) -> tuple[list[int], list[int]]:
        return original(section, address, replace(header, flags=Flag(0)))

    monkeypatch.setattr(decode, "_addresses", relative)


def base_registers_swapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "BaseRegister", lambda bit: BaseRegister(1 - bit))


def dereference_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    def location(register: int, offset: int, dereference: bool) -> Location:
        return Location(register, offset, dereference and register == CFA)

    monkeypatch.setattr(rules, "Location", location)


def saved_fp_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unwind.Unwinder, "_fp", lambda *_: 0x55)


def caller_sp_off_by_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    class Shifted(Frame):
        def __init__(self, pc: int, sp: int, fp: int | None, exact: bool, *rest: object) -> None:
            super().__init__(pc, sp if exact else sp - 8, fp, exact, *rest)  # type: ignore[arg-type] # passed on

    monkeypatch.setattr(unwind, "Frame", Shifted)


def ucontext_read_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {**amd64.SIGNAL_FRAME.registers, amd64.SP: 152}
    monkeypatch.setattr(amd64, "SIGNAL_FRAME", replace(amd64.SIGNAL_FRAME, registers=wrong))


def codes_of_signed_addresses_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aarch64, "_PAC_MASK", ADDRESS_MASK)


def wrong_half_of_the_address_stripped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aarch64, "_PAC_MASK", ADDRESS_MASK >> 49)


def link_register_known_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """RA unchanged in a frame that is not the topmost: the topmost's LR is taken for it."""
    original = unwind.Unwinder._caller

    def remembering(self: unwind.Unwinder, frame: Frame, rule: FrameRule, *rest: object) -> Frame:
        caller = original(self, frame, rule, *rest)  # type: ignore[arg-type] # passed on
        return replace(caller, others=frame.others)

    monkeypatch.setattr(unwind.Unwinder, "_caller", remembering)


def offsets_of_the_cfa_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s390x, "_decoded", lambda word: word + 160)


def caller_sp_is_the_cfa(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s390x, "_decoded", lambda word: 8 * word + 160)
    monkeypatch.setattr(s390x, "CFA_TO_SP", 0)


def registers_saved_in_registers_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    original = s390x._frame

    def forgetful(
        function: FunctionDescriptor, cfa: Location, ra: Location | None, fp: Location | None
    ) -> FrameRule:
        return original(function, cfa, ra, fp if fp and fp.dereference else None)

    monkeypatch.setattr(s390x, "_frame", forgetful)


def words_read_in_the_other_byte_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def little(self: StackDump, address: int) -> int | None:
        offset = address - self.base
        inside = 0 <= offset <= len(self.stack) - 8
        return int.from_bytes(self.stack[offset : offset + 8], "little") if inside else None

    monkeypatch.setattr(StackDump, "read", little)


def trampolines_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amd64, "is_trampoline", lambda pc, read: read(pc) is not None)


PLANTS: list[tuple[Plant, str]] = [
    (swapped_fp_words, "v3/flexasm"),
    (repeat_size_ignored, "v1/pltmain"),
    (always_pc_relative, "v1/mini-O2"),
    (always_pc_relative, "v2/recur"),
    (always_section_relative, "v3/recur"),
    (always_section_relative, "llvm/recur"),
    (base_registers_swapped, "v2/recur"),
    (dereference_forgotten, "v3/flexasm"),
    (saved_fp_forgotten, "v3/recur"),
    (caller_sp_off_by_a_word, "v3/mini-O2"),
    (ucontext_read_wrongly, "v3/mini-O2"),
    (ucontext_read_wrongly, "v1/mini-O2"),
    (trampolines_everywhere, "v1/pltmain"),
    (codes_of_signed_addresses_kept, "v3-aarch64/mini-pac"),
    (wrong_half_of_the_address_stripped, "v3-aarch64/mini-pac"),
    (link_register_known_everywhere, "v1-aarch64/mini-O2"),
    (words_read_in_the_other_byte_order, "v3-aarch64/mini-be-O2"),
    (offsets_of_the_cfa_not_decoded, "v3-s390x/mini-O0"),
    (caller_sp_is_the_cfa, "v3-s390x/mini-O2"),
    (registers_saved_in_registers_forgotten, "v3-s390x/mini-O2"),
]


def found_problems(path: Path) -> list[str]:
    recorded = recordings.recording(path)
    return [
        problem
        for sample in recorded.samples
        for problem in checks.problems(recorded, sample, sample.dump.unwind(sample.space))
    ]


@pytest.mark.parametrize(
    ("plant", "name"), PLANTS, ids=[f"{plant.__name__}-{name}" for plant, name in PLANTS]
)
def test_a_wrong_unwinder_is_rejected(
    plant: Plant, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = OWN / "steps" / f"{name}.jsonl.xz"
    assert found_problems(path) == []
    for cached in (recordings.module, recordings.recording):
        cached.cache_clear()
    plant(monkeypatch)
    assert found_problems(path) != []


@pytest.mark.parametrize("name", ["v3/flexasm", "v1/pltmain", "v1/mini-O2", "v3/mini-O2"])
def test_wrong_reasons_and_missing_frames_are_rejected(name: str) -> None:
    recorded = recordings.recording(OWN / "steps" / f"{name}.jsonl.xz")
    sample = next(s for s in recorded.samples if s.expected_frames)
    trace = sample.dump.unwind(sample.space)
    assert checks.problems(recorded, sample, trace) == []
    wrong = (
        Backtrace(trace.frames, StopReason.LIMIT),
        Backtrace(trace.frames[:-1], trace.stop),
        Backtrace((*trace.frames, trace.frames[-1], trace.frames[-1]), trace.stop),
        Backtrace((trace.frames[0], *trace.frames[:-1]), trace.stop),
    )
    assert all(checks.problems(recorded, sample, other) for other in wrong)


def test_wrong_core_traces_are_rejected() -> None:
    archive = OWN / "cores" / "v3" / "sig.tar.xz"
    core, (truth,) = open_core(archive, "sig-a.core"), threads(archive, "sig-a.core").values()
    (thread,) = core.threads
    trace = core.unwind(thread)
    assert checks.core_problems(trace, truth) == []
    moved = replace(trace.frames[2], sp=trace.frames[2].sp + 8)
    wrong = (
        Backtrace(trace.frames[:-1], trace.stop),
        Backtrace((*trace.frames[:2], moved, *trace.frames[3:]), trace.stop),
        Backtrace((*trace.frames, replace(moved, pc=1)), trace.stop),
    )
    assert all(checks.core_problems(other, truth) for other in wrong)
