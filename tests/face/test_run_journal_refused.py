"""Journals that are torn, damaged, stale or no journals of live runs."""

import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from stackweave.core import UsageError
from stackweave.exits import Exit
from stackweave.programs import Parameters
from stackweave.run.again import replay_journal
from stackweave.run.records import Arrived, Header, Record, from_frame, to_frame
from stackweave.wire import Plain, WireError, pack
from stackweave.wire.frames import Frame
from stackweave.wire.messages import Stop

from .journals import Change, boundaries, records_of, third_chunk, written
from .support import Commands

pytestmark = pytest.mark.usefixtures("calm")

# torn, damaged, stale


def test_a_torn_journal_replays_as_far_as_it_goes(journal: Path, tmp_path: Path) -> None:
    whole, ends = journal.read_bytes(), boundaries(journal)
    decisions = list(replay_journal(journal).decisions)
    path, replayed = tmp_path / "torn", set()
    for size in sorted(
        {*range(1, len(whole), 97), *ends[:-1:5], *ends[:2], ends[-2], ends[-1] - 1}
    ):
        path.write_bytes(whole[:size])
        if size < ends[0]:
            with pytest.raises(UsageError, match="cut short before its header"):
                replay_journal(path)
            continue
        again = replay_journal(path)
        assert again.difference is None
        assert not again.ended
        assert again.torn == (size not in ends)
        assert list(again.decisions) == decisions[: len(again.decisions)]
        replayed.add(len(again.decisions))
    assert len(replayed) > 4


def test_a_torn_journal_says_that_it_is_one(
    command: Commands, journal: Path, tmp_path: Path
) -> None:
    whole, ends = journal.read_bytes(), boundaries(journal)
    path = tmp_path / "torn"
    for size, why in ((ends[-1] - 1, "its end is torn"), (ends[-2], "it has no end")):
        path.write_bytes(whole[:size])
        replay = command("replay", str(path))
        assert f"only the beginning of a run, as far as the journal goes: {why}\n" in replay.out
        assert "replayed: equal events" in replay.out
    assert "only the beginning" not in command("replay", str(journal)).out


def test_no_flipped_bit_goes_unseen(journal: Path, tmp_path: Path) -> None:
    whole = journal.read_bytes()
    path, refused = tmp_path / "flipped", 0
    places = [*range(60), *range(60, len(whole), 61), *range(len(whole) - 60, len(whole), 7)]
    for number, place in enumerate(places):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << number % 8
        path.write_bytes(flipped)
        try:
            again = replay_journal(path)
        except UsageError:
            refused += 1
        else:  # in the last frame: it is taken for a torn one
            assert (again.ended, again.torn, again.difference) == (False, True, None)
            assert place >= boundaries(journal)[-2]
    assert refused > 100


def test_a_damaged_journal_exits_2_with_one_line(
    command: Commands, journal: Path, tmp_path: Path
) -> None:
    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 1
    path = tmp_path / "damaged"
    path.write_bytes(data)
    replay = command("replay", str(path))
    assert replay.code == Exit.USAGE
    assert replay.out == ""
    assert replay.err.startswith(f"stackweave: {path}: byte ")
    assert ": damaged: " in replay.err
    assert replay.err.count("\n") == 1


ITEMS = ("layout", "contexts", "program source", "core", "kernel model", "monitors", "actors")


@pytest.mark.parametrize("item", [*ITEMS, "unwinder"])
def test_a_stale_journal_says_what_changed(
    command: Commands, journal: Path, tmp_path: Path, item: str
) -> None:
    header, *rest = records_of(journal)
    assert isinstance(header, Header)
    assert item in header.digest
    other = replace(header, digest={**header.digest, item: bytes(8)})
    path = written(tmp_path / "stale", [to_frame(each) for each in [other, *rest]])
    replay = command("replay", str(path))
    assert replay.code == Exit.USAGE
    assert (
        replay.err == f"stackweave: the schedule is stale: live has changed since, in its {item}\n"
    )


# what is no journal of a live run


def no_header(records: list[Record]) -> list[Record]:
    return records[1:]


def only_end(records: list[Record]) -> list[Record]:
    return records[-1:]


def second_header(records: list[Record]) -> list[Record]:
    return [records[0], records[0], *records[1:]]


def after_end(records: list[Record]) -> list[Record]:
    return [*records, records[-1]]


def with_header(**fields: object) -> Change:
    def change(records: list[Record]) -> list[Record]:
        header, *rest = records
        assert isinstance(header, Header)
        return [replace(header, **fields), *rest]  # type: ignore[arg-type]  # each as its field

    return change


def with_message(position: int, mailbox: str) -> Change:
    def change(records: list[Record]) -> list[Record]:
        at = third_chunk(records)
        return [*records[: at + 1], Arrived(position, mailbox, Stop()), *records[at + 1 :]]

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (no_header, "no header"),
        (only_end, "no header"),
        (lambda records: [], "cut short before its header"),
        (second_header, "a second header"),
        (after_end, "goes on after its end"),
        (with_header(program="default"), "no program of live runs"),
        (with_header(contexts=("task0",)), "counts other contexts"),
        (with_header(parameters=Parameters(cpus=1 << 40)), "at most 64"),
        (with_header(parameters=Parameters(cpus=0)), "needs at least 1 cpus"),
        (with_header(parameters=Parameters(generation="none")), "no generation 'none'"),
        (with_header(parameters=Parameters(flavour="none")), "none"),
        (with_header(parameters=Parameters(tasks=3)), "stale"),
        (with_message(1 << 40, "nowhere"), "'nowhere', a mailbox that there is not"),
        (with_message(0, "cpu0.nmis"), "already past"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_contents_are_refused(
    command: Commands, journal: Path, tmp_path: Path, change: Change, why: str
) -> None:
    records = records_of(journal)
    path = written(tmp_path / "changed", [to_frame(each) for each in change(records)])
    replay = command("replay", str(path))
    assert replay.code == Exit.USAGE
    assert replay.out == ""
    assert why in replay.err
    assert replay.err.count("\n") == 1


HEADS: list[Plain] = [1, "live", {}, "trio", "msgpack", 0, ["task0"], {}]


FRAMES = [
    (Frame(0, pack([])), "kind 0"),
    (Frame(1, pack([])), "version None"),
    (Frame(1, pack([2, *HEADS[1:]])), "version 2"),
    (Frame(1, pack(HEADS[:-1])), "header is not a list of 8"),
    (Frame(1, pack([*HEADS[:2], {"cats": 1}, *HEADS[3:]])), "unknown parameters"),
    (Frame(1, pack([*HEADS[:5], -1, *HEADS[6:]])), "seed is not an integer"),
    (Frame(1, pack([*HEADS[:7], {"core": 1}])), "a hash is not bytes"),
    (Frame(2, pack([-1, "cpu0.nmis", b""])), "position is not an integer"),
    (Frame(2, pack([0, "cpu0.nmis", b""])), "not a message"),
    (Frame(2, pack([0, "cpu0.nmis"])), "message is not a list of 3"),
    (Frame(3, pack(["decisions", bytes(16)])), "decisions is not bytes"),
    (Frame(3, pack([b"decisions", bytes(16)])), "decisions: "),
    (Frame(3, pack([zlib.compress(b""), bytes(16)])), "are not 1 to"),
    (Frame(3, pack([zlib.compress(b"odd"), bytes(16)])), "are not 1 to"),
    (Frame(3, pack([zlib.compress(bytes(1 << 24)), bytes(16)])), "are not 1 to"),
    (Frame(3, pack([zlib.compress(bytes(2))[:-1], bytes(16)])), "are not 1 to"),
    (Frame(3, pack([zlib.compress(bytes(2)), bytes(15)])), "a digest of 15 bytes"),
    (Frame(4, pack([0, "clean", {"lost": 0}, bytes(16)])), "count is not an integer"),
    (Frame(4, pack([0, "clean", [], bytes(16)])), "signatures is not a map"),
    (Frame(4, b"\xc1"), "not a value"),
]


@pytest.mark.parametrize(("frame", "why"), FRAMES, ids=str)
def test_other_frames_are_refused(frame: Frame, why: str) -> None:
    with pytest.raises(WireError, match=why):
        from_frame(frame)
