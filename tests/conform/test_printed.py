"""Forms of recordings that are not among the data: printed from the emulation, read, and compared with it."""

from pathlib import Path

import pytest

from stackweave.conform.compare import Group, Reason
from stackweave.conform.recording import How, read_recording
from stackweave.conform.vectors import compare_vectors

from .printing import STEP, print_injected, print_stalled, print_watched
from .support import groups_of

Text = list[str]


def _write(tmp_path: Path, text: Text) -> Path:
    path = tmp_path / "printed.txt"
    path.write_text("\n".join(text) + "\n")
    return path


def _groups(tmp_path: Path, text: Text, how: How) -> list[Group]:
    return [group for group in groups_of(_write(tmp_path, text)) if group.how is how]


@pytest.mark.parametrize(
    ("symbol", "instructions", "outcomes"),
    [
        ("unwind_deferred_request", 16, 46 - 2),
        ("task_work_add", 6, 8),
        ("unwind_deferred_task_work", 2, 8),
        ("process_unwind_deferred", 21, 26),
        ("unwind_user_faultable", 13, 16),
        ("task_work_run", 10, 16),
        ("do_syscall_64", 13, 32),
    ],
)
def test_injected_files(symbol: str, instructions: int, outcomes: int, tmp_path: Path) -> None:
    text = print_injected([symbol])
    groups = _groups(tmp_path, text, How.INJECT)
    assert len(groups) == 8
    assert all(group.covered and group.instructions == instructions for group in groups)
    assert not any(group.failed for group in groups)
    assert sum(group.matched for group in groups) == outcomes
    [vectors] = compare_vectors(read_recording(tmp_path / "printed.txt"))
    assert (vectors.symbol, vectors.instructions, vectors.unmatched) == (symbol, instructions, ())


def test_several_functions_in_one_file(tmp_path: Path) -> None:
    groups = _groups(tmp_path, print_injected(["task_work_add", "task_work_run"]), How.INJECT)
    assert len(groups) == 16
    assert all(group.covered and not group.failed for group in groups)


def test_lines_after_the_last_state_belong_to_the_next_case(tmp_path: Path) -> None:
    recording = read_recording(_write(tmp_path, print_injected(["task_work_add"], ("req 0",))))
    last = recording.cases[-1]
    assert (last.how, len(last.lines), len(last.before.bits)) == (How.SCRIPT, 2, 2)


@pytest.mark.parametrize(
    ("symbol", "instructions", "outcomes", "waits"),
    [
        ("unwind_deferred_request", 15, 3, 0),
        ("process_unwind_deferred", 21, 5, 12),
        ("unwind_user_faultable", 13, 1, 0),
        ("task_work_run", 10, 2, 0),
    ],
)
def test_stalled_files(
    symbol: str, instructions: int, outcomes: int, waits: int, tmp_path: Path
) -> None:
    text = print_stalled(symbol)
    assert sum("had to wait" in line for line in text) == waits
    [group] = _groups(tmp_path, text, How.STALL)
    assert (group.covered, group.failed) == (True, False)
    assert (group.instructions, group.matched) == (instructions, outcomes)


@pytest.mark.parametrize("answer", [0, 1])
def test_a_test_of_bit_minus_one_may_have_either_answer(answer: int, tmp_path: Path) -> None:
    text = print_stalled("process_unwind_deferred", answer)
    [group] = _groups(tmp_path, text, How.STALL)
    assert not group.failed
    assert Reason.CHANCE not in group.explained
    # the one place that always shows what the other answer shows: before the walk loads the list's head
    text = _without_offset(text, 8 * STEP, unplantable=True)
    [group] = _groups(tmp_path, text, How.STALL)
    assert not group.failed
    assert group.explained.count(Reason.CHANCE) == answer


def _end(text: Text, at: int) -> int:
    return next((i for i in range(at + 1, len(text)) if text[i].startswith("case")), len(text))


def _drop_case(text: Text, at: int) -> None:
    text[at : _end(text, at)] = [f"off={STEP:#x} unplantable errno=84"]


@pytest.mark.parametrize("field", ["mask", "id"])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("equals", [True, False])
def test_watched_files(field: str, equals: bool, first: int, tmp_path: Path) -> None:
    text = print_watched(field, equals=equals, first=first)
    assert any(" write " in line for line in text)
    groups = _groups(tmp_path, text, How.WATCH)
    assert len(groups) == 32
    assert not any(group.failed or group.covered for group in groups)
    assert sum(group.matched for group in groups) == 32


@pytest.mark.parametrize("field", ["mask", "id"])
def test_watched_files_may_list_no_writes(field: str, tmp_path: Path) -> None:
    groups = _groups(tmp_path, print_watched(field, writes=False), How.WATCH)
    assert len(groups) == 32
    assert not any(group.failed for group in groups)


# damage


def _first(text: Text, *parts: str) -> int:
    return next(at for at, line in enumerate(text) if all(part in line for part in parts))


def test_one_number_changed_is_one_missing_outcome(tmp_path: Path) -> None:
    for name, parts in (
        ("completed=0x10", ("callback", "completed=0x10")),
        ("ret=0", ("  request", "ret=0")),
        ("cache_nr=0", ("state", "cache_nr=0")),
        ("hit=1", ("injected", "hit=1")),
    ):
        text = print_injected(["task_work_run"], ("req 0",))
        at = _first(text, *parts)
        before, _, value = name.partition("=")
        text[at] = text[at].replace(name, f"{before}={int(value, 0) ^ 1:#x}")
        groups = _groups(tmp_path, text, How.INJECT)
        assert sum(len(group.missing) for group in groups) == 1, name
        [(_, offsets)] = [missing for group in groups for missing in group.missing]
        assert offsets == (0,)


def test_one_cookie_changed_is_one_missing_outcome(tmp_path: Path) -> None:
    text = print_injected(["task_work_run"], ("req 0",))
    at = _first(text, "  callback")
    text[at] = text[at].replace("cookie=0x3", "cookie=0x4")
    groups = _groups(tmp_path, text, How.INJECT)
    assert [len(group.missing) for group in groups] == [1, 0]


def test_an_outcome_that_the_file_lacks_is_extra(tmp_path: Path) -> None:
    text = print_injected(["process_unwind_deferred"], ("req 0",))
    whole = _groups(tmp_path, text, How.INJECT)
    lone = next(
        at
        for at, line in enumerate(text)
        if line.startswith("case") and "inner=1" in line and _is_lone(tmp_path, text, at)
    )
    _drop_case(text, lone)
    groups = _groups(tmp_path, text, How.INJECT)
    assert [len(group.extra) for group in groups] == [0, 1]
    assert [len(group.missing) for group in groups] == [0, 0]
    assert groups[1].matched == whole[1].matched - 1


def _is_lone(tmp_path: Path, text: Text, at: int) -> bool:
    shorter = text.copy()
    _drop_case(shorter, at)
    return any(group.extra for group in _groups(tmp_path, shorter, How.INJECT))


def test_an_outcome_that_nothing_emulates_is_missing(tmp_path: Path) -> None:
    text = print_injected(["task_work_add"], ("req 0",))
    text[-2:] = [
        f"case sym=task_work_add off={6 * STEP:#x} outer=req 0 inner=1",
        "  request tracer=0 ret=0 cookie=0x400000000001 mask=0x9 id=0x400000000001",
        "  state mask=0x9 id=0x400000000001 cache_nr=0 completed=0x0",
        "  injected hit=1 in_nmi=1 tracer=1 ret=0 cookie=0x0 mask 0x0->0x0 id 0x0->0x0",
        "  state mask=0x0 id=0x0 cache_nr=0 completed=0x0",
    ]
    groups = _groups(tmp_path, text, How.INJECT)
    assert [len(group.missing) for group in groups] == [0, 1]
    [(outcome, offsets)] = groups[1].missing
    assert (len(outcome), offsets) == (4, (6 * STEP,))


# coverage


def _without_offset(text: Text, offset: int, unplantable: bool) -> Text:
    kept: Text = []
    keep = True
    for line in text:
        if line.startswith("case"):
            keep = f"off={offset:#x}" not in line.split()
        if keep:
            kept.append(line)
        elif unplantable and line.startswith("case"):
            kept.append(f"off={offset:#x} unplantable errno=84")
    return kept


def test_a_gap_uncovers_a_function(tmp_path: Path) -> None:
    text = print_injected(["process_unwind_deferred"], ("req 0",))
    for offset in range(5 * STEP, 8 * STEP, STEP):
        text = _without_offset(text, offset, unplantable=False)
    groups = _groups(tmp_path, text, How.INJECT)
    assert not any(group.covered or group.extra for group in groups)


def test_offsets_inside_instructions_are_no_gap(tmp_path: Path) -> None:
    text = print_injected(["unwind_user_faultable"], ("req 0",))
    for offset in range(5 * STEP, 8 * STEP, STEP):
        text = _without_offset(text, offset, unplantable=True)
    assert all(group.covered for group in _groups(tmp_path, text, How.INJECT))


def test_a_file_that_does_not_begin_at_the_function_covers_nothing(tmp_path: Path) -> None:
    text = _without_offset(print_injected(["task_work_add"], ("req 0",)), 0, unplantable=False)
    assert not any(group.covered for group in _groups(tmp_path, text, How.INJECT))
