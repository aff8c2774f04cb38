"""The compiled unwinder against the one in Python: every recorded stack, and stacks that nobody would record."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from stackweave.core.sframe import AddressSpace, StackDump
from stackweave.core.sframe.address_space import FileMapping
from stackweave.core.sframe.batch import BatchUnwinder
from stackweave.core.sframe.batch import process as process_module
from stackweave.core.sframe.batch.arrays import ModuleTable, Rule
from stackweave.core.sframe.batch.tables import table_of
from stackweave.core.sframe.errors import SFrameError
from stackweave.core.sframe.lookup import SFrameSection
from stackweave.core.sframe.module import LoadedModule, Module
from stackweave.core.sframe.rules import Registers
from stackweave.core.sframe.unwind import Backtrace

from .recordings import OneModule, label, paths, recording

RECORDINGS = paths("steps", "*.jsonl.xz")
_PAGE = 0x1000


def linked(module: Module) -> AddressSpace:
    """A program where it was linked."""
    mappings = [
        FileMapping(
            load.address & -_PAGE,
            (load.address + load.memory_size + _PAGE - 1) & -_PAGE,
            load.offset & -_PAGE,
            module.name,
        )
        for load in module.loads
    ]
    return AddressSpace(mappings, {module.name: module})


def stacks(path: Path) -> tuple[AddressSpace, list[StackDump]]:
    """A recording's stacks, and where their modules are."""
    samples = recording(path).samples
    space = samples[0].space
    if isinstance(space, OneModule):
        loaded = space.find_module(0)
        assert isinstance(loaded, LoadedModule)
        space = linked(loaded.module)
    return space, [sample.dump for sample in samples]


def told(trace: Backtrace) -> object:
    """Registers beside pc, sp and fp are not told by the batch, but for the topmost frame's."""
    return [replace(frame, others=None) for frame in trace.frames], trace.stop


def check_equal(space: AddressSpace, dumps: Sequence[StackDump], limit: int = 4096) -> int:
    """Every backtrace equals that of the unwinder in Python; how many were left to it."""
    found = BatchUnwinder(space).unwind(dumps, limit)
    assert len(found) == len(dumps)
    frames = 0
    for number, dump in enumerate(dumps):
        expected = dump.unwind(space, limit=limit)
        frames += len(expected.frames)
        assert told(found.backtrace(number)) == told(expected), number
    assert found.frames == frames
    return len(found.aside)


@pytest.mark.parametrize("path", RECORDINGS, ids=label)
def test_every_recorded_stack(path: Path) -> None:
    space, dumps = stacks(path)
    aside = check_equal(space, dumps[::3])
    assert aside < len(dumps) / 9, "nearly all are for the loop"


SOME = [
    path
    for path in RECORDINGS
    if label(path).endswith(("/mini-O2", "/sig", "/flexasm", "/pltmain"))
]


@pytest.mark.parametrize("path", SOME, ids=label)
def test_stacks_that_nobody_would_record(path: Path) -> None:
    random = Random(7)
    space, dumps = stacks(path)
    places = [low for mapping in space.mappings for low in (mapping.low, mapping.high - 1)]

    def spoilt(dump: StackDump) -> StackDump:
        stack = bytearray(dump.stack)
        for _ in range(random.randrange(4)):
            at = 8 * random.randrange(max(len(stack) // 8, 1))
            word = random.choice(
                (
                    random.getrandbits(64),
                    random.choice(places),
                    dump.base + random.randrange(4096),
                    1,
                )
            )
            stack[at : at + 8] = word.to_bytes(8, dump.byte_order)
        others = dict(dump.registers.others)
        for number in list(others):
            if random.random() < 0.1:
                del others[number]
        pc = random.choice((dump.registers.pc, dump.registers.pc + 1, random.choice(places), 0))
        sp = dump.registers.sp + random.choice((0, 0, 8, -8, 1, 1 << 40))
        fp = random.choice((dump.registers.fp, sp, sp + 16, 0, (1 << 64) - 8))
        cut = random.choice((len(stack), len(stack) // 2, 9, 0))
        registers = Registers(pc, sp, fp, others)
        return replace(dump, registers=registers, stack=bytes(stack[:cut]))

    chosen = [spoilt(random.choice(dumps)) for _ in range(400)]
    check_equal(space, chosen)
    check_equal(space, chosen[:50], limit=3)


def test_no_stacks_at_all() -> None:
    space, _ = stacks(SOME[0])
    assert len(BatchUnwinder(space).unwind([])) == 0
    assert check_equal(AddressSpace((), {}), stacks(SOME[0])[1][:5]) == 0


def test_many_stacks_need_no_more_room_than_their_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stackweave.core.sframe.batch.runner._ROOM", 5)
    space, dumps = stacks(SOME[0])
    check_equal(space, dumps[:40], limit=50)


@pytest.mark.parametrize("path", SOME, ids=label)
def test_damaged_tables(path: Path) -> None:
    """Bytes of the section are changed: whatever the unwinder in Python makes of it."""
    random = Random(11)
    space, dumps = stacks(path)
    mapped = next(iter(space.modules.values()))
    section = mapped.module.sframe
    assert section is not None
    contents = section.tables[0].section
    checked = 0
    for _ in range(30):
        patched = bytearray(contents)
        for _ in range(random.randrange(1, 4)):
            patched[random.randrange(28, len(patched))] = random.randrange(256)
        try:
            damaged = SFrameSection(bytes(patched), section.address)
        except SFrameError:
            continue
        checked += 1
        mapped.module.sframe = damaged
        try:
            check_equal(space, random.sample(dumps, 25))
        finally:
            mapped.module.sframe = section
    assert checked > 10


@pytest.mark.parametrize("column", [Rule.CFA_OFFSET, Rule.RA_OFFSET, Rule.RA_MASK, Rule.HAS_FP])
def test_planted_a_wrong_rule_shows(column: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(section: SFrameSection) -> ModuleTable | None:
        table = table_of(section)
        assert table is not None
        table.rules[:, column] ^= 8
        return table

    monkeypatch.setattr(process_module, "table_of", wrong)
    space, dumps = stacks(SOME[0])
    with pytest.raises(AssertionError):
        check_equal(space, dumps)
