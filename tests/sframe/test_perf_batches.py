"""Sessions in batches, by the compiled unwinder, and sample by sample in Python: the same to every register."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackweave.core.sframe import Module
from stackweave.core.sframe.batch.arrays import Samples
from stackweave.core.sframe.errors import DumpError
from stackweave.core.sframe.perf import PerfFile, PerfSession, PerfStack, batches, session
from stackweave.core.sframe.perf.constants import RecordType
from stackweave.core.sframe.perf.maps import Mapped, Maps
from stackweave.core.sframe.perf.registers import Sampled
from stackweave.core.sframe.perf.taken import Taken
from stackweave.core.sframe.unwind import StopReason

from .perf_made import Made, Session
from .perf_sessions import DEFERRED
from .recordings import OWN, elf_path, label, linked_files, module, paths, recording, unxz
from .test_fuzz import FUZZ, Edits, edited, edits
from .test_perf_fuzz import SMALL
from .test_perf_machines import CASES, as_copied, written
from .test_perf_made import MINI, PATH, STACK, TEXT, registers

SIZES = (1, 3, 10**9)
CHURN = DEFERRED / "p1_churn3.data.xz"
RECORDED = [*((path, True) for path in paths("perf", "*.data.xz")), (CHURN, True), (CHURN, False)]
LE = Made()
OTHER = (0x401000, 0x80, 0)
"""Covers `TEXT`'s beginning."""


def told(data: bytes, modules: Sequence[Module], *, merge: bool = True) -> list[object]:
    """All that can be asked of each stack when it comes, and what the session says afterwards."""
    opened = PerfSession(PerfFile(data, "some"), modules)
    lines: list[object] = []
    for stack in opened.stacks(merge=merge):
        head = stack.comm, stack.pid, stack.tid, stack.cpu, stack.time, stack.cookie
        event = stack.event.name if stack.event else None
        places = stack.kernel, stack.user, stack.is_merged, stack.why_not
        traced = stack.dump, stack.stop, stack.trace
        mapped = opened.mappings(stack.pid or 0), tuple(opened.absent)
        lines.append((head, event, places, traced, mapped))
    return [*lines, opened.missing, opened.chooser.remarks()]


def check(
    data: bytes, modules: Sequence[Module], *, merge: bool = True, sizes: Sequence[int] = SIZES
) -> int:
    """Both ways; the number of lines."""
    expected = told(data, modules, merge=merge)
    for size in sizes:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(session, "_SMALL_JOB", 0)
            patch.setattr(session, "_BATCH", size)
            patch.setattr(batches, "_FEW", 1)
            patch.setattr(batches, "_MAPPINGS", 1 << 20)
            assert told(data, modules, merge=merge) == expected, size
    return len(expected)


@pytest.mark.parametrize(
    ("path", "merge"), RECORDED, ids=[f"{label(path)}-{merge}" for path, merge in RECORDED]
)
def test_recorded_sessions(path: Path, merge: bool) -> None:
    modules = linked_files(path if path.parent != DEFERRED else OWN / "elf" / "v3" / "x")
    assert check(unxz(path), modules, merge=merge) > 30


@pytest.mark.parametrize(("name", "machine", "names", "mask"), CASES, ids=[c[0] for c in CASES])
def test_every_machine(name: str, machine: str, names: tuple[str, ...], mask: int) -> None:
    path = OWN / "steps" / f"{name}.jsonl.xz"
    program = module(elf_path(path, name.rpartition("/")[2]))
    dumps = [as_copied(sample.dump) for sample in recording(path).samples[::11]]
    check(written(dumps, program, machine, names, mask), [program])


def busy() -> bytes:
    """Three processes in turn, whose mappings come, are covered and go; stacks lie in their text as well."""
    random = Random(3)
    records = [LE.mmap2(5, TEXT, PATH)]
    for time in range(10, 900, 3):
        pid = random.choice((5, 6, 7))
        choice = random.randrange(40)
        if choice == 0:
            records.append(LE.mmap2(pid, TEXT, PATH, time=time))
        elif choice == 1:
            records.append(LE.mmap2(pid, OTHER, b"/x/other", time=time))
        elif choice == 2:
            records.append(LE.task(RecordType.FORK, (pid, 5), (pid, 5), time))
        elif choice == 3:
            records.append(LE.comm(pid, pid, b"new", time, is_exec=random.random() < 0.3))
        elif choice == 4:
            sp = TEXT[0] + 8 * random.randrange(64)  # only the file tells what lies behind
            records.append(LE.sample(pid, time, registers=registers(sp=sp)))
        elif choice == 5:
            high = LE.words(*[random.choice((0x401014, 0x401B2A))] * 3)
            registers_at_end = registers(sp=(1 << 64) - 16)
            records.append(LE.sample(pid, time, registers=registers_at_end, stack=high))
        else:
            words = [random.choice((0x401014, 0x401031, 0x401110, 0x401B2A)) for _ in range(9)]
            stack = LE.words(*words)[: random.choice((72, 72, 72, 12, 0))]
            pc = random.choice((0x401030, 0x401014, 0x401100, 0x401B2A, 5))
            taken = registers(pc, STACK)
            records.append(LE.sample(pid, time, registers=taken, stack=stack))
    return Session(LE, records=records).as_file()


def test_processes_in_turn() -> None:
    """The more often batches end, the less they would show: so all sizes."""
    data = busy()
    stacks = PerfSession(PerfFile(data, "busy"), [MINI]).stacks()
    assert len({(stack.stop, len(stack.user)) for stack in stacks}) > 5
    assert check(data, [MINI], sizes=(1, 2, 3, 10, 100, 10**9)) > 200


@FUZZ
@given(edits, st.booleans(), st.booleans())
def test_damaged_sessions(changes: Edits, as_pipe: bool, merge: bool) -> None:
    data = edited(SMALL.as_pipe() if as_pipe else SMALL.as_file(), changes)
    try:
        PerfFile(data, "damaged")
    except DumpError:
        return
    check(data, [MINI], merge=merge, sizes=(10**9,))


def watched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the batches that will be told."""
    sizes: list[int] = []
    original = batches.Batches.tell

    def tell(self: batches.Batches, batch: Sequence[Taken]) -> Iterator[PerfStack]:
        sizes.append(len(batch))
        return original(self, batch)

    monkeypatch.setattr(batches.Batches, "tell", tell)
    return sizes


def test_a_long_job_changes_over_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    path = OWN / "perf" / "v3" / "recur.data.xz"
    modules = linked_files(path)
    expected = told(unxz(path), modules)
    monkeypatch.setattr(session, "_SMALL_JOB", 50)
    sizes = watched(monkeypatch)
    assert told(unxz(path), modules) == expected
    assert 20 < sum(sizes) < len(expected) - 10


def test_batches_end_before_their_frames_become_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sample may have 12 frames."""
    monkeypatch.setattr(session, "_SMALL_JOB", 0)
    monkeypatch.setattr(session, "_MOST_FRAMES", 100)
    sizes = watched(monkeypatch)
    samples = [
        LE.sample(5, 10 + at, registers=registers(), stack=bytes(72), filled=72) for at in range(25)
    ]
    made = Session(LE, records=[LE.mmap2(5, TEXT, PATH), *samples])
    stops = [s.stop for s in PerfSession(PerfFile(made.as_file(), "deep"), [MINI]).stacks()]
    assert stops == [StopReason.BAD_RETURN_ADDRESS] * 25
    assert sizes == [9, 9, 7]


def a_register_off(monkeypatch: pytest.MonkeyPatch) -> None:
    original = batches.pack

    def wrong(group: Sequence[Taken], places: Sampled | None) -> Samples:
        samples = original(group, places)
        return samples._replace(sps=samples.sps + 8)

    monkeypatch.setattr(batches, "pack", wrong)


def batches_that_outlive_mappings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_CHANGES", ())


def mappings_kept_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Maps.insert

    def insert(self: Maps, new: Mapped) -> None:
        original(self, new)
        self.changes = 0

    monkeypatch.setattr(Maps, "insert", insert)


@pytest.mark.parametrize(
    "plant", [a_register_off, batches_that_outlive_mappings, mappings_kept_too_long]
)
def test_planted_wrong_batches_show(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = busy()
    expected = told(data, [MINI])
    monkeypatch.setattr(session, "_SMALL_JOB", 0)
    monkeypatch.setattr(batches, "_FEW", 1)
    assert told(data, [MINI]) == expected
    plant(monkeypatch)
    assert told(data, [MINI]) != expected
