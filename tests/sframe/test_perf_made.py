"""Sessions made record by record: file and pipe, both byte orders, several events, what tasks inherit."""

import struct

import pytest

from stackweave.core.sframe import Module, StopReason
from stackweave.core.sframe.errors import DumpError
from stackweave.core.sframe.perf import PerfFile, PerfSession, PerfStack
from stackweave.core.sframe.perf.constants import Context, Feature, Misc, RecordType, SampleType

from .perf_made import AMD64_MASK, USUAL, Made, Session
from .recordings import OWN, module

LEAF, IN_START = 0x401030, 0x401014
"""In mini-O2: a function with CFA = SP + 8 throughout, and the call in `_start`."""
STACK = 0x7FFF0000
TEXT = (0x401000, 0x1000, 0x1000)
MINI = module(OWN / "elf" / "v3" / "mini-O2.xz")
PATH = b"/x/mini-O2"
RESTORER = bytes.fromhex("48c7c00f0000000f05")
"""mov $__NR_rt_sigreturn, %rax; syscall"""

LE = Made()
BOTH = pytest.mark.parametrize("made", [LE, Made("big")], ids=["little", "big"])


def registers(pc: int = LEAF, sp: int = STACK) -> list[int]:
    """By perf's numbers: bp 6, sp 7, ip 8."""
    return [0, 1, 2, 3, 4, 5, 0xB0, sp, pc, *range(9, 20)]


def leaf(made: Made, tid: int, time: int, returns_to: int = IN_START) -> bytes:
    """A sample in LEAF."""
    return made.sample(tid, time, registers=registers(), stack=made.words(returns_to))


def opened(data: bytes, *modules: Module) -> PerfSession:
    return PerfSession(PerfFile(data, "made"), modules or [MINI])


def stacks(*records: bytes, made: Made = LE) -> list[PerfStack]:
    session = opened(Session(made, records=list(records)).as_file())
    found = list(session.stacks())
    assert session.missing == ()
    return found


def stop(stack: PerfStack) -> StopReason | None:
    return stack.trace.stop if stack.trace else None


def event_name(stack: PerfStack) -> str | None:
    return stack.event.name if stack.event else None


def pcs(stack: PerfStack) -> list[int]:
    return [place.pc for place in stack.user]


@BOTH
def test_a_file_and_a_pipe_say_the_same(made: Made) -> None:
    """AMD64 files are never big-endian; the layout does not care."""
    session = Session(
        made,
        features={Feature.EVENT_DESC: made.event_names({b"cycles:u": (7,)})},
        records=[
            made.mmap2(5, TEXT, PATH, build_id=MINI.build_id),
            made.comm(5, 5, b"mini"),
            made.sample(5, 10, chain=(Context.KERNEL, 1 << 63, Context.USER, LEAF, IN_START)),
        ],
    )
    for data in (session.as_file(), session.as_pipe()):
        found = opened(data)
        (stack,) = found.stacks()
        assert found.missing == ()
        assert found.file.features.texts[Feature.ARCH] == "x86_64"
        assert (stack.comm, stack.pid, stack.tid, stack.cpu, stack.time) == ("mini", 5, 5, 3, 10)
        assert event_name(stack) == "cycles:u"
        assert ([place.pc for place in stack.kernel], pcs(stack)) == ([1 << 63], [LEAF, IN_START])
        names = [place.module and place.module.symbol(place.lookup_pc) for place in stack.user]
        assert [name and name.name for name in names] == ["up", "_start"]
        assert stack.why_not == ""


def test_a_stack_is_unwound() -> None:
    (stack,) = stacks(LE.mmap2(5, TEXT, PATH), leaf(LE, 5, 10))
    assert stop(stack) is StopReason.OUTERMOST
    assert pcs(stack) == [LEAF, IN_START]
    assert [place.is_exact for place in stack.user] == [True, False]


def test_only_what_the_kernel_could_copy_is_read() -> None:
    copied = LE.words(IN_START)
    for filled, frames in ((8, 2), (7, 1), (0, 1), (1 << 40, 2)):
        sample = LE.sample(5, 10, registers=registers(), stack=copied, filled=filled)
        (stack,) = stacks(LE.mmap2(5, TEXT, PATH), sample)
        assert len(stack.user) == frames


def test_samples_that_cannot_be_unwound_say_why() -> None:
    kept = [
        LE.sample(5, 10),
        LE.sample(5, 11, registers=registers(), abi=1),
        LE.sample(5, 12, misc=Misc.KERNEL, ip=(1 << 64) - 5000),
    ]
    found = stacks(*kept)
    assert [stack.why_not for stack in found] == [
        "no user registers in the sample",
        "a 32-bit task",
        "no user registers in the sample",
    ]
    assert [(pcs(stack), len(stack.kernel)) for stack in found] == [
        ([0x1234], 0),
        ([0x1234], 0),
        ([], 1),
    ]


def test_every_field_before_the_stack_is_passed_over() -> None:
    """A sample with all that may stand before the registers, and more behind them."""
    kind = USUAL | SampleType.IDENTIFIER | SampleType.ADDR | SampleType.ID | SampleType.STREAM_ID
    kind |= SampleType.PERIOD | SampleType.READ | SampleType.RAW | SampleType.BRANCH_STACK
    behind = 1 << 14 | 1 << 15 | 1 << 20
    group = 1 | 2 | 4 | 8 | 16
    flags = 1 << 18
    attr = LE.pack("II", 0, 128) + LE.words(3, 1000, kind | behind, group, flags) + bytes(24)
    attr = (attr + LE.words(1 << 17 | 1 << 19, AMD64_MASK)).ljust(128, b"\0")
    body = LE.words(7, 0x1234) + LE.pack("IIQ", 5, 5, 10) + LE.words(0xADD, 7, 8)
    body += LE.pack("II", 3, 0) + LE.words(1000)  # CPU, period
    body += LE.words(2, 100, 90, 1, 7, 0, 2, 8, 0)  # a group of two counters
    body += LE.words(0) + LE.pack("I", 4) + b"rawr"  # no callchain
    body += LE.words(2, 0, *(1, 2, 3), *(4, 5, 6), 50, 60)  # two branches and their counters
    body += LE.words(2, *registers()) + LE.words(8, IN_START, 8) + LE.words(99, 98, 97)
    mapped = LE.mmap2(5, TEXT, PATH)
    # this event's trailer has the ids as well
    mapped = mapped[:-24] + LE.pack("IIQ", 5, 5, 1) + LE.words(7, 8) + LE.pack("II", 0, 0)
    mapped = LE.record(RecordType.MMAP2, mapped[8:] + LE.words(7))
    session = Session(attrs=[(attr, (7,))], records=[mapped, LE.record(9, body)])
    (stack,) = opened(session.as_file()).stacks()
    assert (pcs(stack), stack.cpu, stack.time) == ([LEAF, IN_START], 3, 10)
    assert event_name(stack) == "cache-misses"


def test_records_find_their_event_by_id() -> None:
    """Two events that record different things, told by IDENTIFIER: in front of samples, behind others."""
    first = USUAL | SampleType.IDENTIFIER
    second = SampleType.IDENTIFIER | SampleType.TID | SampleType.TIME
    mapped = LE.mmap2(5, TEXT, PATH)[8:] + LE.words(1)
    named = LE.pack("II", 5, 5) + b"mini\0\0\0\0" + LE.pack("IIQ", 5, 5, 2) + LE.words(2)
    records = [
        LE.record(RecordType.MMAP2, mapped),
        LE.record(RecordType.COMM, named),
        LE.record(9, LE.words(1) + leaf(LE, 5, 10)[8:]),
        LE.record(9, LE.words(2) + LE.pack("IIQ", 5, 6, 11)),
        LE.record(9, LE.words(3) + LE.pack("IIQ", 5, 6, 12)),
    ]
    names = {b"first": (1,), b"second": (2,)}
    session = Session(
        attrs=[(LE.attr(first), (1,)), (LE.attr(second), (2,))],
        features={Feature.EVENT_DESC: LE.event_names(names)},
        records=records,
    )
    found = opened(session.as_file())
    both = list(found.stacks())
    assert [(event_name(s), s.comm, s.tid) for s in both] == [
        ("first", "mini", 5),
        ("second", ":6", 6),
    ]
    assert pcs(both[0]) == [LEAF, IN_START]
    assert found.missing == ("events of some records",)


def test_an_event_may_be_renamed_in_a_pipe() -> None:
    update = LE.record(RecordType.EVENT_UPDATE, LE.words(2, 7) + b"mine\0")
    session = Session(records=[update, LE.sample(5, 10)])
    (stack,) = opened(session.as_pipe()).stacks()
    assert event_name(stack) == "mine"


def test_a_child_inherits_mappings_and_name() -> None:
    fork = LE.task(RecordType.FORK, (6, 5), (6, 5), 3)
    thread = LE.task(RecordType.FORK, (5, 5), (7, 5), 3)
    own = LE.mmap2(6, (0x500000, 0x1000, 0), b"/x/own", time=4)
    found = stacks(
        LE.mmap2(5, TEXT, PATH),
        LE.comm(5, 5, b"mini"),
        fork,
        thread,
        own,
        leaf(LE, 5, 10),
        leaf(LE, 6, 11),
        leaf(LE, 5, 12, 0x500010),
        leaf(LE, 6, 13, 0x500010),
    )
    assert [(stack.comm, len(stack.user)) for stack in found[:2]] == [("mini", 2), ("mini", 2)]
    assert [stop(stack) for stack in found[2:]] == [
        StopReason.BAD_RETURN_ADDRESS,
        StopReason.NO_MODULE,
    ]


def test_perfs_own_forks_inherit_nothing() -> None:
    fork = LE.task(RecordType.FORK, (6, 5), (6, 5), 3, Misc.FORK_EXEC)
    (stack,) = stacks(LE.mmap2(5, TEXT, PATH), fork, leaf(LE, 6, 10))
    assert stop(stack) is StopReason.NO_MODULE


def test_a_new_program_begins_with_nothing() -> None:
    mapped, renamed = LE.mmap2(5, TEXT, PATH), LE.comm(5, 5, b"new", 3)
    (stack,) = stacks(mapped, renamed, leaf(LE, 5, 10))
    assert (stack.comm, len(stack.user)) == ("new", 2)
    started = LE.comm(5, 5, b"new", 3, is_exec=True)
    (stack,) = stacks(mapped, started, leaf(LE, 5, 10))
    assert (stack.comm, len(stack.user)) == ("new", 1)


def test_mappings_end_with_the_last_thread() -> None:
    begin = [LE.mmap2(5, TEXT, PATH), LE.comm(5, 5, b"mini"), LE.comm(5, 6, b"other")]
    first = LE.task(RecordType.EXIT, (5, 1), (5, 1), 5)
    second = LE.task(RecordType.EXIT, (5, 1), (6, 1), 7)
    found = stacks(*begin, first, leaf(LE, 5, 6), second, leaf(LE, 5, 8))
    assert [len(stack.user) for stack in found] == [2, 1]


def test_a_mapping_replaces_what_it_covers() -> None:
    """Another file over the middle of the program's text; what is left keeps its place."""
    cover = LE.mmap2(5, (0x401100, 0x100, 0), b"/x/other", time=3)
    samples = [leaf(LE, 5, 10), leaf(LE, 5, 11, 0x401110), leaf(LE, 5, 12, 0x401B2A)]
    found = stacks(LE.mmap2(5, TEXT, PATH), cover, *samples)
    assert [stack.user[-1].path for stack in found] == ["/x/mini-O2", "/x/other", "/x/mini-O2"]
    assert [place.module is not None for place in found[2].user[:2]] == [True, True]


def test_data_mappings_are_no_code() -> None:
    data = LE.mmap2(5, (0x500000, 0x1000, 0), b"/x/data", prot=3)
    (stack,) = stacks(LE.mmap2(5, TEXT, PATH), data, leaf(LE, 5, 10, 0x500010))
    assert stop(stack) is StopReason.BAD_RETURN_ADDRESS


def test_a_trampoline_without_sframe_data_is_known_by_its_code() -> None:
    """As libc's: the file is given, has no `.sframe`, and shows the code that returns from signals."""
    bare = Module.parse(bytes(MINI.image.data), "mini-O2")
    bare.sframe = None
    restorer = MINI.image.contents(0, 0x3000).index(RESTORER) + 0x400000
    context = bytearray(512)
    for offset, value in ((168, LEAF), (160, STACK + 300), (120, 0)):
        context[offset : offset + 8] = LE.words(value)
    sample = LE.sample(5, 10, registers=registers(restorer), stack=bytes(context))
    session = opened(Session(records=[LE.mmap2(5, TEXT, PATH), sample]).as_file(), bare)
    (stack,) = session.stacks()
    assert pcs(stack) == [restorer, LEAF]
    assert stop(stack) is StopReason.NO_SFRAME


def test_a_file_of_another_machine_is_not_used() -> None:
    other = module(OWN / "elf" / "v3-aarch64" / "mini-O2.xz")
    session = opened(Session(records=[LE.mmap2(5, TEXT, PATH), leaf(LE, 5, 10)]).as_file(), other)
    (stack,) = session.stacks()
    assert stop(stack) is StopReason.NO_MODULE
    assert list(session.chooser.mismatched) == [other]


@BOTH
def test_build_ids_choose_the_file(made: Made) -> None:
    """By the mapping's own, by the feature's for old mappings; a wrong one refuses the name's file."""
    assert MINI.build_id
    renamed = Module.parse(bytes(MINI.image.data), "renamed")
    for build_id, frames in ((MINI.build_id, 2), (b"x" * 20, 1)):
        for module_ in (MINI, renamed):
            mapped: list[tuple[dict[int, bytes], bytes]] = [
                ({}, made.mmap2(5, TEXT, PATH, build_id=build_id)),
                ({Feature.BUILD_ID: made.build_ids({PATH: build_id})}, made.mmap(5, TEXT, PATH)),
            ]
            for features, record in mapped:
                records = [record, made.comm(5, 5, b"mini"), leaf(made, 5, 10)]
                session = Session(made, features=features, records=records)
                (stack,) = opened(session.as_file(), module_).stacks()
                assert len(stack.user) == frames


def test_build_ids_in_a_pipe() -> None:
    identity = LE.build_ids({PATH: b"x" * 20})
    (stack,) = opened(
        Session(records=[identity, LE.mmap(5, TEXT, PATH), leaf(LE, 5, 10)]).as_pipe()
    ).stacks()
    assert len(stack.user) == 1


def test_deferred_callchains_of_other_tasks_wait() -> None:
    def asked(tid: int, time: int, cookie: int) -> bytes:
        return LE.sample(tid, time, chain=(Context.USER_DEFERRED, cookie))

    found = stacks(
        asked(5, 10, 77),
        asked(6, 11, 88),
        asked(5, 12, 78),
        LE.deferred(5, 77, (Context.USER, 1000, 2000), 13),
        asked(5, 14, 79),
    )
    assert [(s.tid, s.cookie, s.is_merged, pcs(s)) for s in found] == [
        (5, 77, True, [1000, 2000]),
        (5, 78, False, []),
        (6, 88, False, []),
        (5, 79, False, []),
    ]


def test_what_follows_records_without_being_one_is_passed_over() -> None:
    traced = LE.record(RecordType.TRACING_DATA, LE.pack("I", 13)) + b"not records!!\0\0\0"
    auxiliary = LE.record(RecordType.AUXTRACE, LE.words(24, 0, 0, 0, 0)) + b"no records".ljust(24)
    found = stacks(traced, auxiliary, LE.record(200, b"unknown"), LE.sample(5, 10))
    assert len(found) == 1


def test_an_unfinished_recording_is_read_to_its_end() -> None:
    session = Session(records=[LE.mmap2(5, TEXT, PATH), leaf(LE, 5, 10)])
    found = opened(session.as_file(finished=False))
    assert [pcs(stack) for stack in found.stacks()] == [[LEAF, IN_START]]
    assert found.missing == (
        "the size of the data and all features: the recording was not finished",
    )


@pytest.mark.parametrize("data", [b"", b"PERFILE", b"PERFILE1" + bytes(96), b"\x7fELF" + bytes(99)])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(DumpError, match="not a perf"):
        PerfFile(data, "made")


def test_damaged_headers_are_refused() -> None:
    good = Session(records=[LE.sample(5, 10)]).as_file()
    with pytest.raises(DumpError, match="header is cut"):
        PerfFile(good[:90], "made")
    for at, value in ((16, 8), (24, 1 << 63), (32, 1 << 40)):
        bad = good[:at] + struct.pack("<Q", value) + good[at + 8 :]
        with pytest.raises(DumpError, match="table of events is damaged"):
            PerfFile(bad, "made")
    attrs_at = struct.unpack_from("<Q", good, 24)[0]
    bad = good[: attrs_at + 136] + struct.pack("<Q", 1 << 50) + good[attrs_at + 144 :]
    with pytest.raises(DumpError, match="bytes of ids"):
        PerfFile(bad, "made")
