"""Cores of AArch64 and s390x, written here from recorded samples, and their signal frames."""

import struct
from collections.abc import Callable, Mapping
from typing import Final

import pytest

from stackweave.core.sframe import (
    Backtrace,
    CoreFile,
    ElfError,
    LoadedModule,
    Module,
    Registers,
    SFrameSection,
    StopReason,
    Unwinder,
    aarch64,
    amd64,
    s390x,
)
from stackweave.core.sframe.elf import (
    EM_AARCH64,
    EM_S390,
    EM_X86_64,
    PF_X,
    ByteOrder,
    ElfImage,
    parse_elf,
)
from stackweave.core.sframe.rules import Architecture

from . import checks
from .recordings import OWN, Recording, Sample, elf_path, module, recording
from .sections import SIGNAL, Function, section
from .test_core_file import PAGE, Load, core, note, nt_file

NAMES: Final = (
    "v3-aarch64/mini-pac",
    "v3-aarch64/mini-be-O2",
    "v3-aarch64/recur-nopie",
    "v3-s390x/mini-O0",
    "v3-s390x/mini-O2",
    "v3-s390x/recur-nopie",
)
MACHINES: Final = {"aarch64": EM_AARCH64, "s390x": EM_S390}
SIGRETURN: Final = bytes.fromhex("681180d2010000d4")
"""`mov x8, #139; svc #0`, as the kernel's vDSO has it; code is little-endian always."""


def recorded(name: str) -> Recording:
    return recording(OWN / "steps" / f"{name}.jsonl.xz")


def program_of(name: str) -> Module:
    return module(elf_path(OWN / "steps" / f"{name}.jsonl.xz", name.partition("/")[2]))


def is_aarch64(name: str) -> bool:
    return "aarch64" in name


def order_of(name: str) -> str:
    return "<" if is_aarch64(name) and "-be-" not in name else ">"


def thread_notes(name: str, lwp: int, registers: Registers) -> bytes:
    """NT_PRSTATUS, and NT_FPREGSET where it matters, as the kernel lays them out."""
    order, others = order_of(name), registers.others
    if is_aarch64(name):
        words = [*(others[number] for number in range(32)), registers.pc, 0]
        floats = b""
    else:
        access = [0] * 8
        words = [1 << 32, registers.pc, *(others[number] for number in range(16)), *access, 0]
        by_number = {f: others[16 + index] for index, f in enumerate(F_REGISTERS)}
        values = struct.pack(">16Q", *(by_number[f] for f in range(16)))
        floats = note(b"CORE", 2, bytes(8) + values, order)
    general = struct.pack(f"{order}{len(words)}Q", *words)
    head = bytes(32) + struct.pack(order + "I", lwp) + bytes(76)
    return note(b"CORE", 1, head + general + bytes(8), order) + floats


F_REGISTERS: Final = (0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15)
"""The numbers of the floating point registers in DWARF's order, from 16 on."""


def made(name: str, samples: tuple[Sample, ...], *extra: Load) -> CoreFile:
    """A core with a thread for each sample, which must not share addresses of the stack."""
    program, order = program_of(name), order_of(name)
    path = b"/x/" + program.name.encode()
    ranges = [
        (load.address & -PAGE, load.address + load.memory_size, load.offset // PAGE, path)
        for load in program.loads
        if load.file_size
    ]
    notes = b"".join(
        thread_notes(name, 100 + index, sample.dump.registers)
        for index, sample in enumerate(samples)
    )
    notes += note(b"CORE", 0x46494C45, nt_file(ranges, order), order)
    stacks = [(s.dump.base, 6, s.dump.stack, len(s.dump.stack)) for s in samples]
    machine = EM_AARCH64 if is_aarch64(name) else EM_S390
    data = core(notes, [*stacks, *extra], machine=machine, order=order)
    return CoreFile(parse_elf(data, "made.core"), [program])


def frames(trace: Backtrace) -> list[tuple[int, int, int | None, bool]]:
    return [(frame.pc, frame.sp, frame.fp, frame.is_exact) for frame in trace.frames]


@pytest.mark.parametrize("name", NAMES)
def test_threads_of_a_core_unwind_like_the_sample(name: str) -> None:
    """Chains end at the program's end; what is mapped there otherwise, the core does not say."""
    for sample in recorded(name).samples[::40]:
        found = made(name, (sample,))
        assert found.missing == ()
        (thread,) = found.threads
        assert (thread.lwp, thread.registers.pc) == (100, sample.dump.registers.pc)
        trace = found.unwind(thread)
        true = [(f.pc, f.sp, f.fp, f.from_signal) for f in sample.truth]
        outside = (depth for depth, frame in enumerate(true) if not found.is_code(frame[0] - 1))
        depth = min(next(outside, len(true)), sample.expected_frames)
        top = sample.dump.registers
        assert frames(trace) == [(top.pc, top.sp, top.fp, True), *true[:depth]]


def test_floating_point_registers_belong_to_the_thread_before_them() -> None:
    name = "v3-s390x/mini-O2"
    samples = recorded(name).samples
    kept = next(s for s in samples if s.dump.registers.others[16] and s.expected_frames)
    bare = thread_notes(name, 1, kept.dump.registers)[: 20 + 336]
    full = thread_notes(name, 2, kept.dump.registers)
    found = CoreFile(parse_elf(core(bare + full, machine=EM_S390, order=">"), "made.core"))
    assert [thread.lwp for thread in found.threads] == [1, 2]
    first, second = (thread.registers.others for thread in found.threads)
    assert second == kept.dump.registers.others
    assert first == {n: word for n, word in second.items() if n < 16}


@pytest.mark.parametrize("name", ["v3-aarch64/mini-O2", "v3-aarch64/mini-be-O2"])
def test_the_kernels_trampoline_is_known_by_its_code(name: str) -> None:
    """The vDSO is in every core of the kernel; below it the whole stack is recovered."""
    crossed = 0
    for sample in recorded(name).samples:
        trampoline = next((f for f in sample.truth if f.pc >> 32), None)
        on_it = sample.dump.registers.pc >> 32
        if trampoline is None and not on_it:
            continue
        at = sample.dump.registers.pc & -PAGE if on_it else trampoline.pc if trampoline else 0
        found = made(name, (sample,), (at, 1 | PF_X, SIGRETURN + bytes(8), PAGE))
        trace = found.unwind(found.threads[0])
        assert checks.equal_frames(sample, trace.frames[1:]) == len(sample.truth)
        assert trace.stop is StopReason.OUTERMOST
        crossed += 1
    assert crossed == sum(s.expected_stop == "nofde" for s in recorded(name).samples) > 20


@pytest.mark.parametrize(
    ("machine", "order"), [(EM_AARCH64, "<"), (EM_AARCH64, ">"), (EM_S390, ">")]
)
def test_a_core_takes_no_modules_of_another_machine(machine: int, order: str) -> None:
    """Names may agree: a mapped `mini-O2` of another machine is not the one given."""
    ranges = nt_file([(0x400000, 0x402000, 0, b"/x/mini-O2")], order)
    data = core(note(b"CORE", 0x46494C45, ranges, order), machine=machine, order=order)
    given = module(OWN / "elf" / "v3" / "mini-O2.xz")
    found = CoreFile(parse_elf(data, "made.core"), [given])
    assert (found.space.modules, list(found.chooser.mismatched)) == ({}, [given])


@pytest.mark.parametrize(("machine", "order"), [(EM_X86_64, ">"), (EM_S390, "<"), (40, "<")])
def test_cores_of_other_machines_are_refused(machine: int, order: str) -> None:
    with pytest.raises(ElfError, match="is not AMD64, AArch64 or s390x"):
        CoreFile(parse_elf(core(b"", machine=machine, order=order), "other.core"))


STACK: Final = 0x7FFF_0000
CODE: Final = 0x5000_0000
ELSEWHERE: Final = 0x9000_0000
INTERRUPTED: Final = 0x4000

Memory = dict[int, int]


def amd64_frame() -> Memory:
    saved = {STACK + offset: 0x9000 + offset for offset in range(40, 176, 8)}
    code = bytes.fromhex("48c7c00f0000000f05909090909090909090")
    return {
        **saved,
        **{CODE + at: int.from_bytes(code[at : at + 8], "little") for at in range(10)},
        STACK + 168: INTERRUPTED,
        STACK + 160: ELSEWHERE,
    }


def aarch64_frame(order: str = "<") -> Memory:
    sigcontext = STACK + 128 + 176
    saved = {sigcontext + 8 + 8 * number: 0x100 + number for number in range(31)}
    words = {CODE: SIGRETURN}
    code = {at: struct.unpack(order + "Q", word)[0] for at, word in words.items()}
    return {**saved, **code, sigcontext + 256: ELSEWHERE, sigcontext + 264: INTERRUPTED}


def s390x_regs(at: int) -> Memory:
    general = {at + 16 + 8 * number: 0x100 + number for number in range(16)}
    floats = {at + 216 + 8 * number: 0x200 + number for number in range(16)}
    return {**general, **floats, at: 1, at + 8: INTERRUPTED, at + 16 + 8 * 15: ELSEWHERE}


def s390x_rt_frame() -> Memory:
    return {**s390x_regs(STACK + 160 + 8 + 128 + 40), CODE: 0x0AAD << 48}


def s390x_frame() -> Memory:
    return {**s390x_regs(STACK + 400), STACK + 168: STACK + 400, CODE: 0x0A77 << 48}


CONTEXTS: Final[list[tuple[Callable[[], Memory], Architecture, int, int, Mapping[int, int]]]] = [
    (amd64_frame, amd64, 3, 0x9078, {7: ELSEWHERE, 6: 0x9078, 12: 0x9048}),
    (aarch64_frame, aarch64, 2, 0x11D, {31: ELSEWHERE, 29: 0x11D, 30: 0x11E}),
    (lambda: aarch64_frame(">"), aarch64, 1, 0x11D, {31: ELSEWHERE, 30: 0x11E}),
    (s390x_rt_frame, s390x, 4, 0x10B, {15: ELSEWHERE, 14: 0x10E, 16: 0x200, 17: 0x202}),
    (s390x_frame, s390x, 4, 0x10B, {15: ELSEWHERE, 14: 0x10E, 31: 0x20F, 20: 0x201}),
]
EVERY_CONTEXT = pytest.mark.parametrize(
    ("frame", "architecture", "abi", "fp", "others"),
    CONTEXTS,
    ids=["amd64", "aarch64", "aarch64-be", "s390x-rt", "s390x"],
)


def unwound(
    memory: Memory, architecture: Architecture | None, loaded: LoadedModule | None
) -> Backtrace:
    unwinder = Unwinder(memory.get, lambda a: loaded if a >= CODE else None, None, architecture)
    return unwinder.unwind(Registers(CODE, STACK, 0))


@EVERY_CONTEXT
def test_signal_contexts(
    frame: Callable[[], Memory],
    architecture: Architecture,
    abi: int,
    fp: int,
    others: Mapping[int, int],
) -> None:
    """Told by the code where there is no table, by an entry without rows where there is one."""
    machine = {3: EM_X86_64, 4: EM_S390}.get(abi, EM_AARCH64)
    order: ByteOrder = "big" if abi in (1, 4) else "little"
    entry = Module(ElfImage("made", b"", 3, machine, (), (), (), order))
    entry.sframe = SFrameSection(section(Function(0, 16, info=SIGNAL), abi=abi), 0)
    table = LoadedModule(entry, CODE)
    for trace in (unwound(frame(), architecture, None), unwound(frame(), None, table)):
        _, interrupted = trace.frames
        assert (interrupted.pc, interrupted.sp, interrupted.fp) == (INTERRUPTED, ELSEWHERE, fp)
        assert interrupted.is_exact
        assert interrupted.others is not None
        assert others.items() <= interrupted.others.items()


@EVERY_CONTEXT
def test_other_code_is_no_trampoline(
    frame: Callable[[], Memory],
    architecture: Architecture,
    abi: int,
    fp: int,
    others: Mapping[int, int],
) -> None:
    memory = frame()
    for changed in (None, memory[CODE] ^ 1 << 55):
        for at in range(CODE, CODE + 10):
            memory.pop(at, None)
        if changed is not None:
            memory[CODE] = changed
        trace = unwound(memory, architecture, None)
        assert (len(trace.frames), trace.stop) == (1, StopReason.NO_MODULE)


def test_s390x_needs_the_instruction_to_know_the_context() -> None:
    """Both kinds of handlers return to an entry without rows, with different frames on the stack."""
    entry = Module(ElfImage("made", b"", 3, EM_S390, (), (), (), "big"))
    entry.sframe = SFrameSection(section(Function(0, 16, info=SIGNAL), abi=4), 0)
    memory = s390x_rt_frame()
    del memory[CODE]
    trace = unwound(memory, None, LoadedModule(entry, CODE))
    assert (len(trace.frames), trace.stop) == (1, StopReason.SIGNAL_ENTRY)
