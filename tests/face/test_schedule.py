"""Schedules: what is kept replays to the same execution, and nothing else is taken for a schedule."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackweave.core import Interpreter, ModelError, Program, RandomWalk, UsageError
from stackweave.programs import Parameters
from stackweave.registry import find
from stackweave.replaying import replay
from stackweave.schedule import (
    LONGEST_TOKEN,
    Origin,
    Schedule,
    by_name,
    keep,
    read,
    token_of,
    write,
)
from stackweave.wire import Plain, seal

from .support import BROKEN, FAILING, HIDDEN, failure, sample, subject

NAMES = st.lists(st.text(max_size=8), unique=True, max_size=5).map(tuple)
SIZES = st.none() | st.integers(1, 99)
NOISE = tuple(Random(0).choices((0, 1), k=60_000))
"""Choices without a pattern, which do not compress."""


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    contexts = draw(NAMES)
    choices = draw(st.lists(st.integers(-5, len(contexts) - 1), max_size=40))
    return Schedule(
        draw(st.text(max_size=20)),
        Parameters(
            draw(st.none() | st.text(max_size=9)),
            draw(SIZES),
            tasks=draw(SIZES),
            flavour=draw(st.none() | st.text(max_size=9)),
        ),
        draw(st.dictionaries(st.text(max_size=9), st.binary(min_size=8, max_size=8), max_size=5)),
        contexts,
        tuple(choices),
        Origin(
            draw(st.text(max_size=9)), draw(st.integers(0, 2**63 - 1)), draw(st.integers(0, 2**40))
        ),
        draw(st.text(max_size=20)),
        draw(st.integers(0, sum(choice >= 0 for choice in choices))),
    )


@given(schedules())
def test_a_token_is_its_schedule(schedule: Schedule) -> None:
    assert read(token_of(schedule)) == schedule


@given(schedule=schedules())
def test_a_file_is_its_schedule(
    tmp_path_factory: pytest.TempPathFactory, schedule: Schedule
) -> None:
    path = tmp_path_factory.mktemp("kept") / "one.swx"
    write(schedule, path)
    assert read(str(path)) == schedule
    assert list(path.parent.iterdir()) == [path]


@given(st.sampled_from(FAILING), st.integers(0, 2**32))
def test_a_token_replays_to_the_same_execution(name: str, seed: int) -> None:
    made = subject(name)
    found = Interpreter(made.program).run(RandomWalk(seed), seed)
    if not found.violations:
        return
    contexts, choices = by_name(made.program, found.schedule)
    schedule = replace(
        failure(sample(name)),
        contexts=contexts,
        choices=choices,
        signature=found.violations[0].signature,
    )
    told = replay(read(token_of(schedule)))
    assert told.outcome == found
    assert sum(1 for step in told.steps if step.number) == found.operations


@pytest.mark.parametrize("name", FAILING)
def test_steps_tell_all_events_in_order(name: str) -> None:
    told = replay(failure(sample(name)))
    events = [event for step in told.steps for event in step.events]
    events += [event for _, event in told.final_events]
    assert events == [each.event for each in told.outcome.events]


def test_a_long_schedule_is_kept_in_a_file(tmp_path: Path) -> None:
    short = failure(sample("lost_update"))
    long = replace(short, choices=NOISE)
    assert keep(short, tmp_path) == token_of(short)
    assert len(token_of(long)) > LONGEST_TOKEN
    kept = keep(long, tmp_path)
    assert [str(path) for path in tmp_path.glob("*.swx")] == [kept]
    assert read(kept) == long


def test_a_folder_that_cannot_be_written_to_loses_no_failure(tmp_path: Path) -> None:
    long = replace(failure(sample("lost_update")), choices=NOISE)
    assert keep(long, tmp_path / "missing") == token_of(long)


def test_a_failing_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "one.swx"
    schedule = failure(sample("lost_update"))
    write(schedule, path)

    def full_disk(descriptor: int) -> None:
        raise OSError("no space")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="no space"):
        write(replace(schedule, signature="other"), path)
    assert list(tmp_path.iterdir()) == [path]
    assert read(str(path)) == schedule


@given(schedules(), st.data())
def test_a_damaged_token_is_refused(schedule: Schedule, data: st.DataObject) -> None:
    token = token_of(schedule)
    place = data.draw(st.integers(4, len(token) - 1))
    with pytest.raises(UsageError):
        read(token[:place])
    other = data.draw(st.sampled_from("abcxyzABCXYZ019-_"))
    damaged = token[:place] + other + token[place + 1 :]
    try:
        assert read(damaged) == schedule  # the last character may have bits that say nothing
    except UsageError:
        assert damaged != token


def plain(**changed: Plain) -> bytes:
    """A schedule's fields, some of them wrong, rightly sealed."""
    fields: dict[str, Plain] = {
        "program": "default",
        "parameters": {},
        "digest": {"core": b"12345678"},
        "contexts": ["a"],
        "choices": [0, 1],
        "origin": ["walk", 0, 0],
        "signature": "s",
    }
    return seal(1, list({**fields, **changed}.values()))


@pytest.mark.parametrize(
    "changed",
    [
        {"program": 1},
        {"parameters": {"unknown": 1}},
        {"parameters": {"cpus": "two"}},
        {"parameters": {"generation": 2}},
        {"parameters": {"flavour": 2}},
        {"digest": {"core": "text"}},
        {"contexts": [1]},
        {"choices": [1, 1]},
        {"choices": [0]},
        {"choices": [0, 0]},
        {"choices": [0, 2**40]},
        {"choices": [0, 1 << 22, 0, 1]},
        {"origin": ["walk", 0]},
        {"origin": ["walk", 0, -1]},
        {"signature": None},
        {"more": 1},
    ],
    ids=str,
)
def test_wrong_fields_are_refused(tmp_path: Path, changed: dict[str, Plain]) -> None:
    path = tmp_path / "one.swx"
    path.write_bytes(b"\x89SWX\r\n" + plain())
    read(str(path))
    path.write_bytes(b"\x89SWX\r\n" + plain(**changed))
    with pytest.raises(UsageError, match="is no schedule"):
        read(str(path))


@pytest.mark.parametrize("cycle", [[], [0], [3], [-1], ["1"], [1, 1]], ids=str)
def test_a_wrong_cycle_is_refused(tmp_path: Path, cycle: list[Plain]) -> None:
    path = tmp_path / "one.swx"
    fields: list[Plain] = ["default", {}, {}, ["a"], [0, 2, -1, 9], ["search", 0, 0], "fair-cycle"]
    path.write_bytes(b"\x89SWX\r\n" + seal(2, [*fields, 2]))
    assert read(str(path)).cycle == 2
    path.write_bytes(b"\x89SWX\r\n" + seal(2, [*fields, *cycle]))
    with pytest.raises(UsageError, match="is no schedule"):
        read(str(path))


def test_a_token_is_of_the_version_that_it_begins_with() -> None:
    one = failure(sample("lost_update"))
    for schedule, other in ((one, "sw2."), (replace(one, cycle=1), "sw1.")):
        token = token_of(schedule)
        assert read(token) == schedule
        with pytest.raises(UsageError, match="version"):
            read(other + token[4:])


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("nowhere.swx", "cannot read"),
        ("sw3.AAAA", "where sw1. or sw2. is read"),
        ("sw1.", "cut short"),
        ("sw1.ü", "damaged"),
        ("sw1." + "A" * 300_000, "version"),
        (__file__, "does not begin"),
    ],
    ids=["missing", "version", "empty", "letter", "zeros", "no schedule"],
)
def test_what_is_no_schedule_is_refused_by_its_reason(reference: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        read(reference)


def stale(tmp_path: Path, before: str, after: str) -> str:
    """Why a failure of BROKEN is refused once a piece of its text is another."""
    path = tmp_path / "mine.py"
    path.write_text(BROKEN)
    schedule = failure(f"{path}:program")
    replay(schedule)
    assert before in BROKEN
    path.write_text(BROKEN.replace(before, after))
    with pytest.raises(UsageError, match="stale") as refused:
        replay(schedule)
    return str(refused.value)


def test_a_changed_source_makes_it_stale(tmp_path: Path) -> None:
    why = stale(tmp_path, "old + 1", "old + 1 ")
    assert why.endswith("in its program source")


def test_a_changed_layout_makes_it_stale(tmp_path: Path) -> None:
    assert "layout, program source" in stale(tmp_path, '"word"', '"counter"')


def test_a_missing_context_is_named(tmp_path: Path) -> None:
    why = stale(tmp_path, '"right"', '"other"')
    assert "contexts, program source" in why
    assert why.endswith("it has no context right any more")


def test_a_constant_of_a_helpers_counts_as_source(tmp_path: Path) -> None:
    helper, path = tmp_path / "digest_constant_of_mine.py", tmp_path / "mine.py"
    helper.write_text("SUM = 2\n")
    text = BROKEN.replace("== 2", "== SUM")
    path.write_text(f"if True:\n    from {helper.stem} import SUM\n{text}")
    schedule = failure(f"{path}:program")
    replay(schedule)
    helper.write_text("SUM = 3\n")
    with pytest.raises(UsageError, match=r"stale: .* program source"):
        replay(schedule)


def test_a_helper_of_the_users_counts_as_source(tmp_path: Path) -> None:
    helper, path = tmp_path / "digest_helper_of_mine.py", tmp_path / "mine.py"
    body, rest = BROKEN.split("async def end")
    helper.write_text(body)
    path.write_text(
        f"{body.splitlines()[1]}\nfrom {helper.stem} import body\n\nasync def end{rest}"
    )
    schedule = failure(f"{path}:program")
    replay(schedule)
    helper.write_text(body + "# more\n")
    with pytest.raises(UsageError, match=r"stale: .* program source"):
        replay(schedule)


@pytest.mark.parametrize("item", ["core", "layout", "contexts", "program source"])
def test_each_item_of_the_digest_is_compared(item: str) -> None:
    schedule = failure(sample("lost_update"))
    other = replace(schedule, digest={**schedule.digest, item: bytes(8)})
    with pytest.raises(UsageError, match=f"stale: .* {item}$"):
        replay(other)


def test_a_built_in_program_depends_on_the_kernel_model() -> None:
    recipe = find("default")
    made = recipe.make(Parameters())
    from stackweave.digest import digest_of

    items = {"layout", "contexts", "program source", "core"}
    rooms = {"kernel model", "monitors", "actors", "unwinder"}
    assert set(digest_of(made, recipe.module)) == items | rooms
    assert set(failure(sample("lost_update")).digest) == items


def test_a_missing_context_is_refused_without_a_digest_too() -> None:
    program = Program("empty")
    with pytest.raises(UsageError, match="no context thread"):
        failure(sample("lost_update")).decisions(program)


def test_a_protocol_with_a_hidden_effect_is_named_as_the_cause(tmp_path: Path) -> None:
    path = tmp_path / "hidden.py"
    path.write_text(HIDDEN)
    with pytest.raises(ModelError, match="a captured list"):
        failure(f"{path}:program")
