"""Samples of every machine and byte order: registers by perf's numbers, stacks from SP upwards."""

from dataclasses import replace
from typing import Final

import pytest

from stackweave.core.sframe import AddressSpace, Backtrace, FileMapping, Module, StackDump
from stackweave.core.sframe.elf import PF_X
from stackweave.core.sframe.perf import PerfFile, PerfSession
from stackweave.core.sframe.perf.constants import Feature
from stackweave.core.sframe.perf.registers import MACHINES, machine_of, registers_of

from .perf_made import AARCH64_MASK, AMD64_MASK, S390X_MASK, USUAL, Made, Session
from .recordings import OWN, REGISTER_NAMES, elf_path, module, recording

PAGE: Final = 0x1000
AMD64: Final = (
    *("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "pc", "flags", "cs", "ss"),
    *(f"r{i}" for i in range(8, 16)),
)
AARCH64: Final = (*(f"x{i}" for i in range(31)), "sp", "pc")
S390X: Final = (*(f"r{i}" for i in range(16)), *(f"f{i}" for i in range(16)), "mask", "pc")
"""The registers in perf's order, without those that the usual mask leaves out."""

CASES: Final = [
    ("v3/mini-O2", "x86_64", AMD64, AMD64_MASK),
    ("v3-aarch64/mini-O2", "aarch64", AARCH64, AARCH64_MASK),
    ("v3-aarch64/mini-pac", "aarch64", AARCH64, AARCH64_MASK),
    ("v3-aarch64/mini-be-O2", "aarch64_be", AARCH64, AARCH64_MASK),
    ("v3-s390x/mini-O0", "s390x", S390X, S390X_MASK),
    ("v3-s390x/mini-O2", "s390x", S390X, S390X_MASK),
]
EVERY: Final = 11
"""One sample in so many: enough for prologues, bodies and epilogues."""


def as_copied(dump: StackDump) -> StackDump:
    """What the kernel copies: from the stack pointer upwards."""
    below = max(0, dump.registers.sp - dump.base)
    size = len(dump.stack) - below & ~7
    return replace(dump, base=dump.base + below, stack=dump.stack[below:][:size])


def mappings_of(program: Module) -> list[FileMapping]:
    """Where a static program's code is mapped."""
    return [
        FileMapping(
            load.address & -PAGE,
            (load.address + load.memory_size + PAGE - 1) & -PAGE,
            load.offset & -PAGE,
            f"/x/{program.name}",
        )
        for load in program.loads
        if load.flags & PF_X
    ]


def written(
    dumps: list[StackDump], program: Module, machine: str, names: tuple[str, ...], mask: int
) -> bytes:
    """A session with a sample for each dump."""
    made = Made(dumps[0].byte_order)
    features = {int(Feature.ARCH): made.text(machine.encode())}
    session = Session(made, [(made.attr(USUAL, mask), (7,))], features)
    for mapping in mappings_of(program):
        place = (mapping.low, mapping.high - mapping.low, mapping.offset)
        session.records.append(made.mmap2(1, place, mapping.path.encode()))
    for time, dump in enumerate(dumps):
        numbered = dump.registers.others
        values = {name: numbered[n] for n, name in enumerate(REGISTER_NAMES[machine])}
        values["pc"] = dump.registers.pc
        registers = [values.get(name, 0x33) for name in names]
        session.records.append(made.sample(1, 10 + time, registers=registers, stack=dump.stack))
    return session.as_file()


def shown(trace: Backtrace | None) -> list[tuple[int, int, int | None]]:
    return [(frame.pc, frame.sp, frame.fp) for frame in trace.frames] if trace else []


def unequal(name: str, machine: str, names: tuple[str, ...], mask: int) -> int:
    """How many samples of a written session are unwound otherwise than the recorded stacks are."""
    path = OWN / "steps" / f"{name}.jsonl.xz"
    program = module(elf_path(path, name.rpartition("/")[2]))
    dumps = [as_copied(sample.dump) for sample in recording(path).samples[::EVERY]]
    space = AddressSpace(
        mappings_of(program), {mapping.path: program for mapping in mappings_of(program)}
    )
    data = written(dumps, program, machine, names, mask)
    ours = [shown(stack.trace) for stack in PerfSession(PerfFile(data, "made"), [program]).stacks()]
    true = [shown(dump.unwind(space)) for dump in dumps]
    assert len(ours) == len(true) > 100
    assert sum(map(len, true)) > 3 * len(true)
    return sum(mine != right for mine, right in zip(ours, true, strict=True))


@pytest.mark.parametrize(("name", "machine", "names", "mask"), CASES, ids=[c[0] for c in CASES])
def test_a_copied_stack_is_unwound_like_the_recorded_one(
    name: str, machine: str, names: tuple[str, ...], mask: int
) -> None:
    assert unequal(name, machine, names, mask) == 0


@pytest.mark.parametrize(("name", "machine", "names", "mask"), CASES, ids=[c[0] for c in CASES])
def test_wrong_numbers_are_seen(
    name: str, machine: str, names: tuple[str, ...], mask: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the frame pointer's and the link register's neighbours are taken for them."""
    right = MACHINES[machine]
    wrong = {
        number: dwarf if dwarf == right.architecture.SP else dwarf ^ 1
        for number, dwarf in right.dwarf.items()
    }
    monkeypatch.setitem(MACHINES, machine, replace(right, dwarf=wrong))
    assert unequal(name, machine, names, mask) > 0


def test_floating_point_registers_of_s390x() -> None:
    """GCC saves general registers in them; DWARF counts them in another order than perf does."""
    values = tuple(range(100, 134))
    taken = registers_of(MACHINES["s390x"], S390X_MASK, values)
    assert taken is not None
    names = dict(enumerate(REGISTER_NAMES["s390x"]))
    assert {names[n]: value for n, value in taken.others.items()} == {
        name: 100 + S390X.index(name) for name in S390X[:32]
    }
    assert (taken.pc, taken.sp, taken.fp) == (133, 115, 111)


@pytest.mark.parametrize(
    ("mask", "machine"),
    [(AMD64_MASK, "x86_64"), (AARCH64_MASK, "aarch64"), (S390X_MASK, "s390x"), (1, None)],
)
def test_a_file_that_does_not_name_its_machine(mask: int, machine: str | None) -> None:
    assert machine_of(None, mask) is (MACHINES[machine] if machine else None)
    assert machine_of("sparc64", mask) is None


def test_registers_that_were_not_sampled() -> None:
    assert registers_of(MACHINES["x86_64"], 0b1_1000_0000, (5, 6)) is None
    taken = registers_of(MACHINES["x86_64"], 0b1_1100_0000, (4, 5, 6))
    assert taken is not None
    assert (taken.pc, taken.sp, taken.fp, dict(taken.others)) == (6, 5, 4, {6: 4, 7: 5})
