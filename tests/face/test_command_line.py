"""The command line: exit codes, what goes where, and no traceback for bad input."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stackweave.__main__ import SUBCOMMANDS
from stackweave.exits import Exit
from stackweave.lanes import screen_width
from stackweave.schedule import token_of, write

from .support import BROKEN, FAILING, HIDDEN, Commands, failure, sample

LOST = sample("lost_update")

IMPORTED = """
import sys
from stackweave.__main__ import main
try:
    main(sys.argv[1:])
except SystemExit as exit:
    assert not exit.code, exit.code
print(*sorted(sys.modules))
"""


def test_a_clean_program_exits_0(command: Commands) -> None:
    run = command("stress", "cas-increments", "--executions", "50")
    assert run.code == Exit.CLEAN
    assert run.out.splitlines()[:2] == ["cas-increments, seed 0", ""]
    assert run.out.splitlines()[2].startswith("50 executions, ")
    assert run.out.endswith("\nno violation\n")
    assert run.err == ""


def test_the_default_program_runs(command: Commands) -> None:
    run = command("stress", "--executions", "20")
    assert run.code in (Exit.CLEAN, Exit.VIOLATION)
    assert run.out.startswith("default generation=upstream ")
    assert "\n20 executions, " in run.out


@pytest.mark.parametrize("name", FAILING)
def test_a_failing_program_exits_1_and_its_command_replays_it(command: Commands, name: str) -> None:
    stress = command("stress", sample(name), "--executions", "2000", "--stop-first")
    assert stress.code == Exit.VIOLATION
    [replay] = {
        line.strip().removeprefix("replay: ").split()[-1]
        for line in stress.out.splitlines()
        if "stackweave replay " in line
    }
    again = command("replay", replay)
    assert again.code == Exit.VIOLATION
    title = stress.out.index(", execution ")
    lanes = stress.out[stress.out.index("\n\n", title) : stress.out.index("replay: ")]
    assert lanes in again.out
    assert "!!" in lanes


def test_every_signature_is_listed_with_its_share(command: Commands) -> None:
    run = command("stress", sample("monitored"), "--executions", "200")
    [row] = [line for line in run.out.splitlines() if line.startswith("twice:value  ")]
    count = int(row.split("NEW, ")[1].split()[0])
    assert row == f"twice:value  NEW, {count} executions ({count / 2:.3g} %), first 0"


def test_parameters_reach_the_program(command: Commands) -> None:
    run = command("stress", sample("sized"), "--tasks", "3", "--executions", "5")
    assert run.out.startswith(f"{sample('sized')} tasks=3 cpus=1, seed 0\n")
    token = run.out.split()[-1]
    assert "tasks=3: lost-update, found by random-walk, seed 0" in command("replay", token).out


def test_the_seed_decides(command: Commands) -> None:
    words = ("stress", sample("machine"), "--executions", "500", "--json")
    first, again, other = (
        command(*words, "--seed", seed).json()["violations"] for seed in ("5", "5", "6")
    )
    assert first == again != other


@pytest.mark.parametrize("allowed", ["wild-pointer:list_head", "upstream-6-double-cancel"])
def test_what_is_allowed_is_no_failure(command: Commands, allowed: str) -> None:
    words = ("stress", "double-cancel", "--executions", "50")
    assert command(*words, "--allow", "other").code == Exit.VIOLATION
    run = command(*words, "--allow", "other", "--allow", allowed)
    assert run.code == Exit.CLEAN
    assert "wild-pointer:list_head  known: upstream-6-double-cancel (allowed), " in run.out
    assert "!!" not in run.out


def test_one_allowed_does_not_excuse_another(command: Commands) -> None:
    words = ("stress", sample("judged_twice"), "--executions", "50")
    run = command(*words, "--allow", "lost-update")
    assert run.code == Exit.VIOLATION
    assert "\nlost-update  NEW (allowed), " in run.out
    assert "\ntwice:value, execution " in run.out
    assert (
        run.out.count("stackweave replay sw1.") == 2
    )  # of the lanes and of what is new, none of what is allowed
    assert command(*words, "--allow", "lost-update", "--allow", "twice:value").code == Exit.CLEAN


def test_json_is_one_document(command: Commands) -> None:
    run = command("stress", LOST, "--executions", "50", "--seed", "3", "--json")
    assert run.err == ""
    document = run.json()
    [violation] = document.pop("violations")
    seconds = document.pop("seconds")
    assert isinstance(seconds, float)
    assert document == {
        "command": "stress",
        "program": LOST,
        "parameters": {},
        "strategy": "random-walk",
        "seed": 3,
        "executions": 50,
        "operations": 200,
        "incomplete": 0,
        "interrupted": False,
        "exit": 1,
    }
    assert violation == {
        "signature": "lost-update",
        "property": "check",
        "known": None,
        "allowed": False,
        "count": violation["count"],
        "first_execution": violation["first_execution"],
        "explanation": violation["explanation"],
        "replay": violation["replay"],
    }
    replayed = command("replay", violation["replay"], "--json").json()
    assert replayed["signature"] == "lost-update"
    assert replayed["exit"] == 1


def test_json_of_a_replay_holds_every_step(command: Commands) -> None:
    token = command("stress", sample("monitored"), "--stop-first", "--json").json()["violations"]
    document = command("replay", token[0]["replay"], "--json").json()
    assert set(document) == {
        "command", "program", "parameters", "signature", "violations", "steps", "exit",
    }  # fmt: skip
    steps = document["steps"]
    assert isinstance(steps, list)
    assert steps[2] == {
        "step": 3,
        "context": "thread0",
        "function": "count",
        "operation": "store counter 1",
        "choices": [],
        "events": ["Counted thread=0 to=1"],
    }


SELF_INTERRUPTED = (
    BROKEN.replace(
        "    old =",
        "    runs.append(1)\n    if len(runs) == 60:\n        signal.raise_signal(signal.SIGINT)\n    old =",
    )
    .replace("import Program", "import Program, choose")
    .replace("async def body", "runs = []\n\nasync def body")
)


def test_an_interrupt_reports_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("import signal\n" + SELF_INTERRUPTED)
    words = [sys.executable, "-m", "stackweave", "stress", f"{path}:program", "--json"]
    words += ["--driver", "interpreter"]  # the engine would refuse what it does
    ended = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.stderr == ""
    document = json.loads(ended.stdout)
    assert document["interrupted"]
    assert 0 < document["executions"] < 60
    assert ended.returncode == document["exit"] == Exit.VIOLATION


BAD = [
    ((), "required: COMMAND"),
    (("nonsense",), "invalid choice"),
    (("stress", "nonsense"), "no program is named nonsense"),
    (("stress", "nowhere.py:program"), "cannot read nowhere.py"),
    (("stress", sample("missing")), "has no 'missing'"),
    (("stress", sample("nothing")), "not a Program"),
    (("stress", sample("sized")), "needs tasks"),
    (("stress", LOST, "--tasks", "2"), "takes no parameter tasks"),
    (("stress", "--executions", "none"), "'none' is no integer"),
    (("stress", "--executions", "0"), "is not from 1 to"),
    (("stress", "--seed", "-1"), "is not from 0 to"),
    (("stress", "--seed", str(2**63)), "is not from 0 to"),
    (("stress", "--unknown"), "unrecognized arguments"),
    (("replay",), "required: TOKEN-or-FILE"),
    (("replay", "nowhere.swx"), "cannot read nowhere.swx"),
    (("replay", "sw1.AAAA"), "the token is no schedule"),
    (("replay", __file__), "is no schedule"),
]


@pytest.mark.parametrize(("words", "why"), BAD, ids=str)
def test_bad_usage_exits_2_with_one_line(
    command: Commands, words: tuple[str, ...], why: str
) -> None:
    run = command(*words)
    assert run.code == Exit.USAGE
    assert run.out == ""
    assert why in run.err.splitlines()[-1]
    assert "Traceback" not in run.err


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_a_stale_schedule_exits_2_and_says_what_changed(
    command: Commands, tmp_path: Path, as_json: tuple[str, ...]
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(BROKEN)
    [token] = {command("stress", f"{path}:program", "--executions", "99").out.split()[-1]}
    path.write_text(BROKEN.replace("old + 1", "1 + old"))
    run = command("replay", token, *as_json)
    assert run.code == Exit.USAGE
    assert run.out == ""
    assert run.err.splitlines() == [
        f"stackweave: the schedule is stale: {path}:program has changed since, in its program source"
    ]


def test_a_file_cut_short_exits_2(command: Commands, tmp_path: Path) -> None:
    path = tmp_path / "kept.swx"
    write(failure(LOST), path)
    assert command("replay", str(path)).code == Exit.VIOLATION
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        run = command("replay", str(path))
        assert (run.code, run.out, len(run.err.splitlines())) == (Exit.USAGE, "", 1)


def test_a_program_at_fault_exits_2(command: Commands, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(BROKEN.replace("thread(name, body, word)", "thread(name, body)"))
    run = command("stress", f"{path}:program")
    assert (run.code, len(run.err.splitlines())) == (Exit.USAGE, 1)
    assert "TypeError" in run.err


def test_a_protocol_that_does_not_replay_exits_2(command: Commands, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(HIDDEN)
    for driver, blamed in (("interpreter", "a captured list"), ("engine", "a protocol changes")):
        run = command("stress", f"{path}:program", "--driver", driver)
        assert (run.code, run.out, len(run.err.splitlines())) == (Exit.USAGE, "", 1)
        assert blamed in run.err


def test_a_part_that_is_missing_exits_3(command: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stackweave.stress", None)
    run = command("stress")
    assert (run.code, len(run.err.splitlines())) == (Exit.FAILED, 1)


def test_our_own_faults_are_not_hidden(command: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr("stackweave.stress.run_campaign", broken)
    with pytest.raises(RuntimeError, match="ours"):
        command("stress")


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"'{sys.executable}' -m stackweave replay {token_of(failure(LOST))}"
    words = ["bash", "-c", f"{command} | true; exit ${{PIPESTATUS[0]}}"]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    assert ended.returncode in (Exit.VIOLATION, Exit.FAILED)


def test_progress_is_shown_on_a_terminal_and_cleared(
    command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = command("stress", LOST, "--executions", "9", "--json")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    run = command("stress", LOST, "--executions", "9", "--json")
    assert {**run.json(), "seconds": 0} == {**plain.json(), "seconds": 0}
    lines = run.err.split("\r\033[K")
    assert 3 <= len(lines) <= 11
    assert re.match(r"9 of 9 executions, [\d,]+/s  lost-update ", lines[-2])
    assert lines[-1] == ""


@pytest.mark.parametrize(("columns", "width"), [(20, 100), (133, 133), (999, 160)])
def test_lanes_use_the_terminals_width_within_reason(
    monkeypatch: pytest.MonkeyPatch, columns: int, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert screen_width() == 100
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert screen_width() == width


def test_help_names_every_command(command: Commands) -> None:
    run = command("--help")
    assert run.code == 0
    assert all(name in run.out for name in SUBCOMMANDS)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_a_commands_help_shows_its_arguments(command: Commands, name: str) -> None:
    run = command(name, "--help")
    assert run.code == 0
    assert f"usage: stackweave {name} [-h] " in run.out


def test_help_imports_nothing_heavy() -> None:
    words = [sys.executable, "-c", IMPORTED, "--help"]
    ended = subprocess.run(words, capture_output=True, text=True, check=True)
    loaded = ended.stdout.splitlines()[-1].split()
    assert [name for name in loaded if name.startswith("stackweave.")] == [
        "stackweave.__main__",
        "stackweave.exits",
    ]
    heavy = {"anyio", "trio", "msgpack", "numba", "elftools", "inspect", "dataclasses", "asyncio"}
    assert heavy & set(loaded) == set()


def test_stress_imports_no_event_loop() -> None:
    words = [sys.executable, "-c", IMPORTED, "stress", "cas-increments", "--executions", "1"]
    ended = subprocess.run(words, capture_output=True, text=True, check=True)
    loaded = set(ended.stdout.splitlines()[-1].split())
    assert "stackweave.core.interpreter" in loaded
    assert {"anyio", "trio", "asyncio", "elftools", "stackweave.actors.live"} & loaded == set()
