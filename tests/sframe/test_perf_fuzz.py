"""Cut, damaged and hostile sessions: `DumpError` or what is there, with a remark; never more memory or time."""

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackweave.core.sframe import StopReason
from stackweave.core.sframe.errors import DumpError
from stackweave.core.sframe.perf import PerfFile, PerfSession, PerfStack, processes
from stackweave.core.sframe.perf.constants import RecordType

from .perf_made import Made, Session
from .perf_sessions import DEFERRED
from .recordings import OWN, linked_files, unxz
from .test_fuzz import FUZZ, Edits, edited, edits
from .test_perf_made import MINI, PATH, STACK, TEXT, leaf, registers

MADE = Made()
RECORDED = [OWN / "perf" / "v3" / "mini.data.xz", DEFERRED / "p1_churn3.data.xz"]
SMALL = Session(
    records=[
        MADE.mmap2(5, TEXT, PATH, build_id=MINI.build_id),
        MADE.comm(5, 5, b"mini"),
        MADE.task(RecordType.FORK, (6, 5), (6, 5), 3),
        *(leaf(MADE, tid, 10 + tid) for tid in (5, 6, 7)),
        MADE.record(RecordType.FINISHED_ROUND, b""),
        MADE.task(RecordType.EXIT, (6, 5), (6, 5), 40),
        leaf(MADE, 5, 50),
    ]
)


def read(data: bytes, *, merge: bool = True) -> tuple[list[PerfStack], tuple[str, ...]]:
    session = PerfSession(PerfFile(data, "made"), [MINI])
    return list(session.stacks(merge=merge)), session.missing


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_a_session_of_any_length_gives_what_is_there(path: Path) -> None:
    """Cut anywhere behind its header: a part of the stacks, unchanged, and a remark."""
    whole = unxz(path)
    modules = linked_files(OWN / "elf" / "v3" / "x")

    def comparable(data: bytes) -> tuple[list[tuple[object, ...]], tuple[str, ...]]:
        session = PerfSession(PerfFile(data, "cut"), modules)
        seen = [
            (stack.time, stack.tid, [place.pc for place in stack.kernel + stack.user])
            for stack in session.stacks(merge=False)
        ]
        return [tuple(map(str, each)) for each in seen], session.missing

    complete, nothing_missing = comparable(whole)
    assert nothing_missing == ()
    counts = []
    for part in (0.01, 0.3, 0.5, 0.77, 0.99):
        found, missing = comparable(whole[: max(1024, int(len(whole) * part))])
        assert set(found) <= set(complete)
        assert missing
        counts.append(len(found))
    assert counts == sorted(counts)
    assert 0 < counts[-2] < len(complete)


def test_every_cut_of_a_small_session() -> None:
    for data in (SMALL.as_file(), SMALL.as_pipe()):
        complete, _ = read(data)
        for length in range(len(data)):
            try:
                found, missing = read(data[:length])
            except DumpError:
                assert length < 400
                continue
            assert len(found) <= len(complete)
            assert missing or data == SMALL.as_pipe()


@FUZZ
@given(edits, st.booleans(), st.booleans())
def test_damaged_sessions(changes: Edits, as_pipe: bool, merge: bool) -> None:
    data = edited(SMALL.as_pipe() if as_pipe else SMALL.as_file(), changes)
    try:
        found, _ = read(data, merge=merge)
    except DumpError:
        return
    assert len(found) <= len(data) // 8


@FUZZ
@given(st.binary(max_size=400), st.booleans())
def test_any_records(body: bytes, as_pipe: bool) -> None:
    session = Session(records=[body])
    found, _ = read(session.as_pipe() if as_pipe else session.as_file())
    assert len(found) <= len(body) // 8


@FUZZ
@given(st.sampled_from([*RecordType]), st.integers(0, 1 << 16), st.binary(max_size=200))
def test_any_body_of_a_known_record(kind: RecordType, misc: int, body: bytes) -> None:
    record = MADE.record(kind, body, misc & 0xFFFF)
    for session in (Session(records=[record, MADE.sample(5, 10)]), SMALL):
        found, _ = read(session.as_pipe())
        assert len(found) <= 20


def test_counts_that_lie_are_damaged_records() -> None:
    long_chain = MADE.sample(5, 11, chain=(1, 2)).replace(
        MADE.words(2, 1, 2), MADE.words(1 << 61, 1, 2)
    )
    found, missing = read(Session(records=[long_chain, MADE.sample(5, 12)]).as_file())
    assert ([stack.time for stack in found], missing) == ([12], ("damaged records",))


def test_a_record_without_a_size_ends_the_reading() -> None:
    found, missing = read(
        Session(records=[MADE.sample(5, 10), bytes(8), leaf(MADE, 5, 11)]).as_file()
    )
    assert [stack.time for stack in found] == [10]
    assert missing[0].startswith("all behind a damaged record at offset ")


def test_stacks_that_go_round_are_not_walked_for_ever() -> None:
    """A signal trampoline whose saved context is itself: no deeper than the copied stack has words."""
    restorer = next(address for address in range(0x401000, 0x402000) if _is_restorer(address))
    context = bytearray(512)
    for offset, value in ((168, restorer), (160, STACK), (120, 0)):
        context[offset : offset + 8] = value.to_bytes(8, "little")
    sample = MADE.sample(5, 10, registers=registers(restorer), stack=bytes(context))
    (stack,), _ = read(Session(records=[MADE.mmap2(5, TEXT, PATH), sample]).as_file())
    assert stack.trace
    assert stack.trace.stop is StopReason.LIMIT
    assert len(stack.user) == 3 + len(context) // 8


def _is_restorer(address: int) -> bool:
    symbol = MINI.symbols.find(address)
    return symbol is not None and symbol.name == "my_restorer"


def test_mappings_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "MOST_MAPPINGS", 10)
    many = [MADE.mmap2(5, (0x1000 * i, 0x1000, 0), b"/x/y", time=i) for i in range(1, 20)]
    found, missing = read(Session(records=[*many[:10], MADE.sample(5, 30)]).as_file())
    assert (len(found), missing) == (1, ())
    found, missing = read(Session(records=[*many, MADE.sample(5, 30)]).as_file())
    assert (found, missing) == ([], ("all behind this: a process with more than 10 mappings",))


def test_forks_share_mappings_until_they_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_MOST_ALTOGETHER", 100)
    begin = [MADE.mmap2(5, (0x1000 * i, 0x1000, 0), b"/x/y") for i in range(1, 41)]
    forks = [MADE.task(RecordType.FORK, (n, 5), (n, 5), 2) for n in range(10, 50)]
    found, missing = read(Session(records=[*begin, *forks, MADE.sample(5, 30)]).as_file())
    assert (len(found), missing) == (1, ())
    changed = [MADE.mmap2(n, TEXT, PATH, time=3) for n in (10, 11)]
    _, missing = read(Session(records=[*begin, *forks, *changed]).as_file())
    assert missing == ("all behind this: processes with more than 100 mappings altogether",)


def test_mappings_that_nobody_has_any_more_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server forks a child for each request, and child and server map something in between."""
    monkeypatch.setattr(processes, "_MOST_ALTOGETHER", 40)
    begin = [MADE.mmap2(5, (0x1000 * i, 0x1000, 0), b"/x/y") for i in range(1, 11)]
    request = [
        MADE.task(RecordType.FORK, (6, 5), (6, 5), 2),
        MADE.mmap2(5, TEXT, PATH, time=2),
        MADE.mmap2(6, TEXT, PATH, time=2),
        MADE.task(RecordType.EXIT, (6, 5), (6, 5), 2),
    ]
    found, missing = read(Session(records=[*begin, *request * 20, MADE.sample(5, 30)]).as_file())
    assert (len(found), missing) == (1, ())


def test_what_children_copy_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One child, forked again and again, each time to change a mapping."""
    monkeypatch.setattr(processes, "_MOST_COPIED", 100)
    begin = [MADE.mmap2(5, (0x1000 * i, 0x1000, 0), b"/x/y") for i in range(1, 11)]
    again = [
        MADE.task(RecordType.FORK, (6, 5), (6, 5), 2),
        MADE.mmap2(6, TEXT, PATH, time=2),
    ]
    _, missing = read(Session(records=[*begin, *again * 10]).as_file())
    assert missing == ()
    _, missing = read(Session(records=[*begin, *again * 11]).as_file())
    assert missing == ("all behind this: children that change more than 100 inherited mappings",)


def test_memory_does_not_grow_with_the_session() -> None:
    """2000 rounds of a sample each: 4 MiB of which a few pages are held at a time."""

    def peak(*after_each: bytes) -> tuple[int, int]:
        samples = [MADE.sample(5, 10 + i, stack=bytes(2048)) for i in range(2000)]
        records = [record for sample in samples for record in (sample, *after_each)]
        file = PerfFile(Session(records=records).as_file(), "long")
        tracemalloc.start()
        for _ in PerfSession(file).stacks():
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most, len(file.data)

    most, size = peak(MADE.record(RecordType.FINISHED_ROUND, b""))
    assert most < size // 30
    without_rounds, _ = peak()
    assert most < without_rounds < size // 4
