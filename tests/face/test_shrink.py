"""`stackweave shrink`: what fails goes on to fail in the same way, and replays."""

import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from stackweave.campaign import Subject
from stackweave.campaign import run as run_campaign
from stackweave.core import FixedSchedule, Interpreter, RandomWalk
from stackweave.core.explore.shrink import Shrunk
from stackweave.core.strategies import RANDOM_WALK
from stackweave.exits import Exit
from stackweave.gallery import kept
from stackweave.gallery.entries import ENTRIES
from stackweave.gallery.entry import Entry, Verdict
from stackweave.gallery.measure import first_of, shows
from stackweave.known import identify
from stackweave.programs import Parameters
from stackweave.registry import find
from stackweave.replaying import replay
from stackweave.schedule import Origin, Schedule, read, token_of, write
from stackweave.shrink import Result, shrink

from .support import BROKEN, FAILING, HIDDEN, Commands, failure, sample, subject

SHOWN = tuple(
    id for id, entry in ENTRIES.items() if entry.case and entry.verdict is Verdict.REPRODUCED
)


def first_failure(entry: Entry) -> Schedule:
    """The first of seed 0 that shows an entry, or the schedule that is kept for it."""
    assert entry.case is not None
    subject = entry.case.subject()
    decisions, execution = kept.load()[entry.id].script, 0
    if not entry.scripted:
        found = first_of(entry.case, entry.signatures, 0)
        assert found is not None
        execution, outcome = found
        decisions = outcome.schedule
    outcome = Interpreter(subject.program).run(FixedSchedule(decisions))
    assert shows(outcome, entry.signatures)
    seen = [each.signature for each in outcome.violations]
    return schedule_of(
        subject, decisions, next(each for each in seen if each in entry.signatures), execution
    )


def schedule_of(
    subject: Subject, decisions: Sequence[int], signature: str, execution: int = 0
) -> Schedule:
    """Decisions of a program as a schedule that replays."""
    return subject.schedule_of(decisions, signature, Origin(str(RANDOM_WALK), 0, execution))


@cache
def shrunk_failure(id: str) -> Result:
    """The first failure that shows an entry, shrunk."""
    return shrink(first_failure(ENTRIES[id]))


def known_in(schedule: Schedule) -> str | None:
    """Which known defect a schedule shows."""
    told = replay(schedule)
    subject = Subject(find(schedule.program), schedule.parameters, told.program)
    signatures = [each.signature for each in told.outcome.violations]
    return identify(subject.generation, signatures).get(schedule.signature)


@pytest.mark.parametrize("id", SHOWN)
def test_every_defect_of_the_gallery(id: str) -> None:
    schedule = first_failure(ENTRIES[id])
    result = shrunk_failure(id)
    small = result.schedule
    assert result.shrunk.done
    assert len(small.choices) <= len(schedule.choices)
    assert result.shrunk.after.order <= result.shrunk.before.order
    # it replays, from its token, to the same
    told = replay(read(token_of(small)))
    assert told.outcome.schedule == result.shrunk.after.schedule
    assert told.signature == schedule.signature
    assert known_in(small) == known_in(schedule) == result.known
    # it ends where it fails
    assert told.outcome.violations[-1].step == told.outcome.operations
    # nothing makes it smaller, and it is the same on every run
    assert shrink(small).schedule == small
    assert shrink(schedule).schedule == small


def test_switches_of_the_gallery() -> None:
    # the harder ones: whoever shrinks less shows it here
    found = {}
    for id in ("per_work-double-enqueue", "upstream-3-null", "upstream-4", "upstream-5"):
        shrunk = shrunk_failure(id).shrunk
        found[id] = (shrunk.before.size.switches, shrunk.after.size.switches)
    assert found == {
        "per_work-double-enqueue": (89, 2),
        "upstream-3-null": (58, 2),
        "upstream-4": (90, 2),
        "upstream-5": (151, 4),
    }


@pytest.mark.parametrize("name", FAILING)
def test_every_way_to_fail(command: Commands, name: str) -> None:
    token = token_of(failure(sample(name)))
    run = command("shrink", token)
    assert run.code == Exit.VIOLATION
    assert run.err == ""
    title, *lines = run.out.splitlines()
    assert ", shrunk from random-walk, seed 0, execution " in title
    assert lines[-2].endswith(" executions, and nothing makes it smaller")
    small = lines[-1].removeprefix("replay: stackweave replay ")
    again = command("replay", small)
    assert again.code == Exit.VIOLATION
    assert again.out.splitlines()[0] == title
    lanes = again.out[: again.out.index("\nreplay: ")]
    assert run.out.startswith(lanes)
    assert command("shrink", small).out.splitlines()[-1] == lines[-1]


def test_the_table_tells_before_and_after(command: Commands) -> None:
    schedule = failure(sample("monitored"), seed=4)
    document = command("shrink", token_of(schedule), "--json").json()
    lines = command("shrink", token_of(schedule)).out.splitlines()
    table = lines[lines.index(f"{'':<9}{'before':>9}{'after':>9}") + 1 :]
    rows = {name: (int(b), int(a)) for name, b, a in map(str.split, table[: table.index("")])}
    assert rows == {
        name: (document["before"][name], document["after"][name])
        for name in ("contexts", "switches", "steps")
    }
    assert rows["steps"][0] == len(schedule.choices)
    assert rows["switches"] == (3, 2)


def test_one_document(command: Commands) -> None:
    document = command("shrink", token_of(failure(sample("lost_update"))), "--json").json()
    assert document["command"] == "shrink"
    assert document["signature"] == "lost-update"
    assert document["known"] is None
    assert document["done"] is True
    assert document["exit"] == Exit.VIOLATION
    assert replay(read(document["replay"])).signature == "lost-update"


def test_a_budget_ends_it_before(command: Commands) -> None:
    token = token_of(failure(sample("machine")))
    run = command("shrink", token, "--executions", "1")
    assert run.out.splitlines()[-2] == "1 executions, and more might make it smaller"
    assert command("replay", run.out.split()[-1]).code == Exit.VIOLATION


def test_a_smaller_program(command: Commands) -> None:
    made = Subject.of(find(sample("sized")), Parameters(tasks=5))
    [finding] = run_campaign(made, 0, 20, stop_first=True).findings.values()
    run = command("shrink", token_of(made.schedule(finding, 0)))
    lines = run.out.splitlines()
    assert lines[0].startswith(f"{sample('sized')} tasks=2: lost-update, shrunk from ")
    assert f"{'tasks':<9}{5:>9}{2:>9}" in lines
    small = read(lines[-1].split()[-1])
    assert small.parameters == Parameters(tasks=2)
    assert small.contexts == ("thread0", "thread1")
    assert small.choices == (0, 1, 1, 0)


def test_a_file_is_shrunk_too(command: Commands, tmp_path: Path) -> None:
    write(failure(sample("deadlock")), tmp_path / "one.swx")
    run = command("shrink", "one.swx")
    assert run.code == Exit.VIOLATION
    assert "!! deadlock: " in run.out


def test_another_defect_of_the_same_signature_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    # judged_twice fails at its end in every execution; some of them fail in its monitor, too
    made = subject("judged_twice")
    both = Interpreter(made.program).run(FixedSchedule((0, 1, 0, 1)))
    assert [each.signature for each in both.violations] == ["twice:value", "lost-update"]
    schedule = schedule_of(made, both.schedule, "lost-update")
    assert seen(shrink(schedule).shrunk) == {"lost-update"}

    def by_company(generation: str | None, signatures: dict[str, None]) -> dict[str, str]:
        return {"lost-update": "both" if "twice:value" in signatures else "one"}

    monkeypatch.setattr("stackweave.shrink.identify", by_company)
    result = shrink(schedule)
    assert result.known == "both"
    assert replay(result.schedule).outcome.violations[0].signature == "twice:value"


def seen(shrunk: Shrunk) -> set[str]:
    """The signatures of a shrunk execution."""
    interpreter = Interpreter(shrunk.version.program)
    violations = interpreter.run(FixedSchedule(shrunk.after.schedule)).violations
    return {each.signature for each in violations}


def test_a_program_that_does_not_do_the_same_again_is_refused(
    command: Commands, tmp_path: Path
) -> None:
    path = tmp_path / "hidden.py"
    path.write_text(HIDDEN)
    made = Subject.of(find(f"{path}:program"), Parameters())
    outcomes = [Interpreter(made.program).run(RandomWalk(0), number) for number in range(3)]
    run = command("shrink", token_of(schedule_of(made, outcomes[2].schedule, "third-time")))
    assert run.code == Exit.USAGE
    assert "a captured list" in run.err
    assert run.out == ""


def test_a_stale_schedule_is_refused(command: Commands, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(BROKEN)
    token = token_of(failure(f"{path}:program"))
    path.write_text(BROKEN + "\n# more\n")
    run = command("shrink", token)
    assert run.code == Exit.USAGE
    assert run.err == (
        f"stackweave: the schedule is stale: {path}:program has changed since, in its program source\n"
    )


@pytest.mark.parametrize("reference", ["sw1.AAAA", "nowhere.swx", "sw2.AAAA", "."])
def test_what_is_no_schedule_is_refused(command: Commands, reference: str) -> None:
    run = command("shrink", reference)
    assert run.code == Exit.USAGE
    assert run.err.startswith("stackweave: ")
    assert run.err.count("\n") == 1


def test_a_journal_is_refused_with_the_reason(command: Commands, calm: None) -> None:
    command("run", "--entries", "5", "--journal", "one.journal")
    run = command("shrink", "one.journal")
    assert run.code == Exit.USAGE
    assert "messages from outside" in run.err
    assert run.err.count("\n") == 1


def test_stress_tells_how_to_shrink_what_is_new(command: Commands) -> None:
    words = ("--driver", "interpreter", "--stop-first")
    lines = command("stress", sample("lost_update"), *words).out.splitlines()
    [shrinking] = [line for line in lines if line.startswith("shrink: ")]
    assert f"replay: {shrinking[8:].replace('shrink', 'replay', 1)}" in lines
    assert command(*shrinking.split()[2:]).code == Exit.VIOLATION
    known = command("stress", "double-cancel", *words).out
    assert "replay: " in known
    assert "shrink: " not in known


def test_nothing_is_compiled() -> None:
    script = f"""
import sys
from stackweave.__main__ import main
main(["shrink", {token_of(failure(sample("lost_update")))!r}])
assert "numba" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
