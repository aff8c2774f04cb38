"""Journals of live runs: they replay to equal events, whole or torn, and nothing else is taken for one."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from stackweave.__main__ import main
from stackweave.actors import UserStacks
from stackweave.actors.live import Live
from stackweave.core import UsageError
from stackweave.exits import Exit
from stackweave.programs import Parameters
from stackweave.run.again import replay_journal
from stackweave.run.command import BACKENDS
from stackweave.run.journal import Records
from stackweave.run.records import Arrived, Chunk, End, Header, Record, from_frame, to_frame
from stackweave.schedule import token_of
from stackweave.wire import Plain, WireError, pack
from stackweave.wire.frames import HEAD, Frame
from stackweave.wire.journal import JournalReader, JournalWriter
from stackweave.wire.messages import Nmi, Stop

from .support import Commands, failure, sample

SMALL = 256
"""Decisions of a chunk, so that short runs have several."""

pytestmark = pytest.mark.usefixtures("calm")

Change = Callable[[list[Record]], list[Record]]


@pytest.fixture(scope="module", params=BACKENDS)
def journal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a short run."""
    path = tmp_path_factory.mktemp("journals") / "kept"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stackweave.run.journal.CHUNK", SMALL)
        patch.setattr("stackweave.actors.soak.CHURN_GAP", 1 << 28)
        main(["run", "--entries", "20", "--backend", request.param, "--journal", str(path)])
    return path


def records_of(path: Path) -> list[Record]:
    """All that is in a journal."""
    with JournalReader(path) as reader:
        return [from_frame(frame) for frame in reader]


def written(path: Path, frames: Sequence[Frame]) -> Path:
    """A journal of these frames."""
    with JournalWriter.create(path) as journal:
        for frame in frames:
            journal.write(frame)
    return path


def boundaries(path: Path) -> list[int]:
    """Where each frame ends."""
    ends = [5]
    with JournalReader(path) as reader:
        for frame in reader:
            ends.append(ends[-1] + HEAD + len(frame.payload))
    return ends[1:]


# what was written replays


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_journal_replays_to_equal_events(command: Commands, backend: str) -> None:
    words = ("run", "--backend", backend, "--entries", "120", "--seed", "7")
    run = command(*words, "--journal", "kept", "--json")
    replay = command("replay", "kept", "--json")
    told, again = run.json(), replay.json()
    assert run.code == replay.code == again["exit"]
    for key in ("program", "parameters", "backend", "codec", "seed", "operations"):
        assert told[key] == again[key]
    without_leave = [{**each, "allowed": False} for each in told["violations"]]
    assert without_leave == again["violations"]
    assert (again["ended"], again["torn"], again["difference"]) == (True, False, None)
    assert again["messages"] > 100
    assert told["journal"] == "kept"


def test_the_run_names_the_command_that_replays_it(command: Commands) -> None:
    run = command("run", "--entries", "30", "--journal", "its journal")
    assert run.out.endswith("\n\nreplay: stackweave replay 'its journal'\n")
    replay = command("replay", "its journal")
    operations = run.out.split("entries, ")[1].split()[0]
    assert f"\n{operations} operations and " in replay.out
    assert " messages replayed: equal events, equal memory\n" in replay.out
    assert replay.err == ""


def test_the_other_codecs_journal_is_the_same(command: Commands, tmp_path: Path) -> None:
    for codec in ("msgpack", "msgspec"):
        words = ("run", "--backend", "asyncio", "--entries", "60", "--journal", codec)
        command(*words, "--codec", codec)
    (norm, *rest), (header, *others) = (
        records_of(tmp_path / codec) for codec in ("msgpack", "msgspec")
    )
    assert rest == others
    assert isinstance(norm, Header)
    assert header == replace(norm, codec="msgspec")


def test_chunks_come_while_the_run_goes_on(journal: Path) -> None:
    records = records_of(journal)
    assert isinstance(records[0], Header)
    assert isinstance(records[-1], End)
    chunks = [each for each in records if isinstance(each, Chunk)]
    assert len(chunks) > 4
    assert all(SMALL <= len(each.decisions) < SMALL + 16 for each in chunks[:-1])
    assert sum(isinstance(each, Arrived) for each in records) > 10


def test_what_ends_a_run_ends_its_replay(
    command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(self: UserStacks, stack: int, readable: bool) -> tuple[int, ...]:
        raise RuntimeError("no stack")

    monkeypatch.setattr(UserStacks, "unwind", breaks)
    run = command("run", "--journal", "kept")
    assert "\nended by crash:RuntimeError: nothing runs after it\n" in run.out
    replay = command("replay", "kept")
    assert "replayed: equal events" in replay.out
    assert "!! crash:RuntimeError: RuntimeError: no stack" in replay.out


def test_a_run_that_deadlocks_replays_to_it(
    command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stackweave.run.session.sources", lambda emulator: [])
    run = command("run", "--journal", "kept")
    assert "\nended by deadlock: nothing runs after it\n" in run.out
    replay = command("replay", "kept")
    assert replay.code == Exit.VIOLATION
    assert "replayed: equal events" in replay.out
    assert "!! deadlock: " in replay.out


def test_a_run_that_is_given_up_replays(command: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stackweave.run.session.Live", partial(Live, patience=1))
    run = command("run", "--entries", "10", "--journal", "kept")
    assert "\ngiven up: it did not come to rest when it was asked to stop\n" in run.out
    again = command("replay", "kept", "--json").json()
    assert (again["ended"], again["difference"]) == (True, None)


# what differs is named


def test_a_model_that_shows_other_events_differs(
    command: Commands, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unwind = UserStacks.unwind

    def another(self: UserStacks, stack: int, readable: bool) -> tuple[int, ...]:
        return (*unwind(self, stack, readable), 1)

    monkeypatch.setattr(UserStacks, "unwind", another)
    replay = command("replay", str(journal))
    assert replay.code == Exit.VIOLATION
    assert "\nthe replay DIFFERS from the run, at decisions " in replay.out
    assert "equal" not in replay.out


def third_chunk(records: list[Record]) -> int:
    """Where it is."""
    return [at for at, each in enumerate(records) if isinstance(each, Chunk)][2]


def other_digest(records: list[Record]) -> list[Record]:
    at = third_chunk(records)
    chunk = records[at]
    assert isinstance(chunk, Chunk)
    return [*records[:at], replace(chunk, shown=bytes(16)), *records[at + 1 :]]


def other_move(records: list[Record]) -> list[Record]:
    at = third_chunk(records)
    chunk = records[at]
    assert isinstance(chunk, Chunk)
    move = next(n for n, each in enumerate(chunk.decisions) if each >= 0)
    another = (chunk.decisions[move] + 1) % 12
    decisions = (*chunk.decisions[:move], another, *chunk.decisions[move + 1 :])
    return [*records[:at], replace(chunk, decisions=decisions), *records[at + 1 :]]


def stray_choice(records: list[Record]) -> list[Record]:
    at = third_chunk(records)
    chunk = records[at]
    assert isinstance(chunk, Chunk)
    decisions = (-1, *chunk.decisions)
    return [*records[:at], replace(chunk, decisions=decisions), *records[at + 1 :]]


def no_such_context(records: list[Record]) -> list[Record]:
    at = third_chunk(records)
    chunk = records[at]
    assert isinstance(chunk, Chunk)
    decisions = (12, *chunk.decisions)
    return [*records[:at], replace(chunk, decisions=decisions), *records[at + 1 :]]


def missing_message(records: list[Record]) -> list[Record]:
    at = third_chunk(records)
    second = max(n for n, each in enumerate(records[:at]) if isinstance(each, Chunk))
    first = next(n for n in range(second, len(records)) if isinstance(records[n], Arrived))
    return [*records[:first], *records[first + 1 :]]


def another_message(records: list[Record]) -> list[Record]:
    at = third_chunk(records)
    decisions = sum(len(each.decisions) for each in records[:at] if isinstance(each, Chunk))
    second = max(n for n, each in enumerate(records[:at]) if isinstance(each, Chunk))
    more = [Arrived(decisions, "cpu0.nmis", Nmi(0))] * 17
    return [*records[: second + 1], *more, *records[second + 1 :]]


@pytest.mark.parametrize(
    "change",
    [other_digest, other_move, stray_choice, no_such_context, missing_message, another_message],
)
def test_what_differs_is_named_by_its_chunk(
    command: Commands, journal: Path, tmp_path: Path, change: Change
) -> None:
    records = records_of(journal)
    at = third_chunk(records)
    before = sum(len(each.decisions) for each in records[:at] if isinstance(each, Chunk))
    path = written(tmp_path / "changed", [to_frame(each) for each in change(records)])
    replay = command("replay", str(path))
    assert replay.code == Exit.VIOLATION
    [line] = [each for each in replay.out.splitlines() if "DIFFERS" in each]
    where = line.removeprefix("the replay DIFFERS from the run, at ")
    if change in (other_move, missing_message):  # what is read only may be noticed later
        assert where.startswith("the end") or int(where.split()[1].replace(",", "")) >= before
    else:
        assert where.startswith(f"decisions {before:,} to ")
    assert isinstance(command("replay", str(path), "--json").json()["difference"], str)


@pytest.mark.parametrize(
    "change",
    [
        {"operations": 7},
        {"verdict": "incomplete"},
        {"signatures": {"lost": 99}},
        {"shown": bytes(16)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_end_differs(
    command: Commands, journal: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    *records, end = records_of(journal)
    assert isinstance(end, End)
    changed = replace(end, **change)  # type: ignore[arg-type]  # each as its field
    path = written(tmp_path / "changed", [to_frame(each) for each in [*records, changed]])
    replay = command("replay", str(path))
    assert replay.code == Exit.VIOLATION
    assert "\nthe replay DIFFERS from the run, at the end: " in replay.out


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
    ids=str,
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


def test_a_record_is_its_frame(journal: Path) -> None:
    for record in records_of(journal):
        assert from_frame(to_frame(record)) == record


def test_reading_does_not_run_ahead(journal: Path) -> None:
    with Records(journal) as records:
        assert records.header.program == "live"
        assert not records.ended
        assert [type(each) for each in records][-1] is End
        assert records.ended


# what is shown


def test_lanes_end_at_the_first_violation(command: Commands) -> None:
    run = command("run", "--backend", "asyncio", "--entries", "300", "--journal", "kept", "--json")
    first, *_ = run.json()["violations"]
    replay = command("replay", "kept")
    assert f"\n{first['signature']}, operation {first['first_operation']:,}, and " in replay.out
    assert f"\n!! {first['first_operation']:>4} " in replay.out
    assert f"\n!! {first['signature']}: " in replay.out
    assert "\nothers: stackweave replay kept --around STEP\n" in replay.out
    steps = command("replay", "kept", "--json").json()["steps"]
    assert steps[-1]["step"] == first["first_operation"]
    assert len(steps) <= 61


def test_operations_around_a_step_are_shown(command: Commands) -> None:
    operations = command("run", "--entries", "60", "--journal", "kept", "--json").json()[
        "operations"
    ]
    steps = command("replay", "kept", "--around", "1000", "--json").json()["steps"]
    assert [each["step"] for each in steps] == list(range(970, 1031))
    shown = command("replay", "kept", "--around", "1000").out
    assert "\noperation 1,000, and up to 30 before and after it:\n" in shown
    assert all(f" {number} " in shown for number in (970, 1000, 1030))
    last = command("replay", "kept", "--around", str(operations), "--json").json()["steps"]
    assert last[-1]["step"] == operations
    assert command("replay", "kept", "--around", "5", "--json").json()["steps"][0]["step"] == 0
    beyond = command("replay", "kept", "--around", str(operations + 1))
    assert beyond.code == Exit.USAGE
    assert beyond.err.endswith(f": {operations:,} replay\n")


def test_what_is_around_is_asked_of_journals_only(command: Commands) -> None:
    token = token_of(failure(sample("lost_update")))
    replay = command("replay", token, "--around", "5")
    assert replay.code == Exit.USAGE
    assert "--around is for journals" in replay.err
