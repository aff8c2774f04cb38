"""Journals of live runs: they replay to equal events, what differs is named, and any part of them is shown."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from stackweave.actors import UserStacks
from stackweave.actors.live import Live
from stackweave.exits import Exit
from stackweave.run.command import BACKENDS
from stackweave.run.journal import Records
from stackweave.run.records import Arrived, Chunk, End, Header, Record, from_frame, to_frame
from stackweave.schedule import token_of
from stackweave.wire.messages import Nmi

from .journals import SMALL, Change, records_of, third_chunk, written
from .support import Commands, failure, sample

pytestmark = pytest.mark.usefixtures("calm")

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
