"""`stackweave run`: live runs from the command line, on both back ends."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from stackweave.exits import Exit
from stackweave.run.command import BACKENDS

from .support import Commands

STACKWEAVE = (sys.executable, "-m", "stackweave")

EVERYTHING = (
    "cookie-mismatch",
    "cookie-shared",
    "cookie-zero",
    "inherited:racing-request",
    "inherited:stale-snapshot",
    "inherited:swallowed",
    "late:after-reset",
    "late:no-reset",
    "lost",
    "lost:cancelled",
    "null-pointer:func",
    "return-value",
    "twice",
    "undefined-behaviour:shift-out-of-bounds",
    "undefined-behaviour:test_bit-out-of-bounds",
    "unrequested",
    "wrong-stack",
)
"""Whatever a machine of the upstream generation may show."""

ALLOWED = tuple(word for signature in EVERYTHING for word in ("--allow", signature))

CALM = """
import sys
from stackweave.__main__ import main
from stackweave.actors import soak

soak.CHURN_GAP = 1 << 28
sys.exit(main(sys.argv[1:]))
"""
"""The command line, as calm as the fixture of that name."""

DEAF = """
import sys
from stackweave.__main__ import main
from stackweave.actors import soak
from stackweave.actors.live import Live

def stop(self):
    print("asked to stop", flush=True)

Live.stop = stop
soak.CHURN_GAP = 1 << 28
main(["run", "--seconds", "3600", "--journal", sys.argv[1], "--backend", sys.argv[2]])
"""
"""A run that does not stop when it is asked to."""

pytestmark = pytest.mark.usefixtures("calm")


def same(document: Mapping[str, object]) -> dict[str, object]:
    """What two runs of one order have in common."""
    return {key: value for key, value in document.items() if key not in ("seconds", "codec")}


def wait_for(process: "subprocess.Popen[bytes] | subprocess.Popen[str]", journal: Path) -> None:
    """Until a run has written the first decisions to its journal."""
    while process.poll() is None and (not journal.exists() or journal.stat().st_size < 9000):
        time.sleep(0.02)


def replayed(path: Path) -> bytes:
    """The document of a journal's replay."""
    words = [*STACKWEAVE, "replay", str(path), "--json"]
    return subprocess.run(words, capture_output=True, check=False).stdout


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_run_says_what_it_did(command: Commands, backend: str) -> None:
    run = command("run", "--backend", backend, "--entries", "100", *ALLOWED)
    assert run.code == Exit.CLEAN
    assert run.err == ""
    title, _, speed, _, head, *rest = run.out.splitlines()
    assert title == f"live generation=upstream cpus=2 tasks=2 tracers=3, {backend}, seed 0"
    assert int(speed.split()[0]) >= 100
    assert " entries/s, " in speed
    assert " operations/s, " in speed
    assert speed.endswith(" messages/s)")
    assert head.split() == ["tracer", "merged", "unmerged", "direct", "lost"]
    assert [row.split()[0] for row in rest[:3]] == ["0", "1", "2"]
    assert rest[3].startswith("messages refused, for want of room: ")
    assert "replay" not in run.out


@pytest.mark.parametrize("backend", BACKENDS)
def test_json_is_one_document(command: Commands, backend: str) -> None:
    run = command("run", "--backend", backend, "--entries", "60", "--seed", "4", "--json")
    assert run.err == ""
    document = run.json()
    assert run.code == document.pop("exit")
    violations = document.pop("violations")
    assert (run.code == Exit.VIOLATION) == bool(violations)
    counts = ("entries", "operations", "messages", "octets")
    entries, operations, messages, octets = (document.pop(each) for each in counts)
    assert 60 <= entries < messages < operations
    assert octets > messages
    tracers = document.pop("tracers")
    assert [set(each) for each in tracers] == [{"merged", "unmerged", "direct", "lost"}] * 3
    assert sum(each["merged"] for each in tracers) > 0
    assert isinstance(document.pop("refused"), int)
    assert document.pop("seconds") > 0
    assert document == {
        "command": "run",
        "program": "live",
        "parameters": {"generation": "upstream", "cpus": 2, "tasks": 2, "tracers": 3},
        "backend": backend,
        "codec": "msgpack",
        "seed": 4,
        "verdict": "violation" if violations else "clean",
        "interrupted": False,
        "given_up": False,
        "journal": None,
    }


def test_what_was_seen_has_its_known_name(command: Commands) -> None:
    document = command("run", "--backend", "asyncio", "--entries", "300", "--json").json()
    known = {each["signature"]: each["known"] for each in document["violations"]}
    assert known
    assert set(known) <= set(EVERYTHING)
    assert all(str(name).startswith("upstream-") for name in known.values())
    first = document["violations"][0]
    assert first["count"] >= 1
    assert 0 < first["first_operation"] < document["operations"]


def test_only_what_is_allowed_is_no_failure(command: Commands) -> None:
    words = ("run", "--backend", "asyncio", "--entries", "300")
    found = command(*words, "--json").json()["violations"]
    assert len(found) > 1
    allowed = [word for each in found[1:] for word in ("--allow", each["signature"])]
    assert command(*words, *allowed).code == Exit.VIOLATION
    assert command(*words, *allowed, "--allow", "else").code == Exit.VIOLATION
    excused = command(*words, *allowed, "--allow", found[0]["signature"])
    assert excused.code == Exit.CLEAN
    assert excused.out.count(" (allowed), ") == len(found)


def test_it_stops_at_the_first_that_is_not_allowed(command: Commands) -> None:
    words = ("run", "--backend", "asyncio", "--entries", "200", "--json")
    stopped = command(*words, "--stop-first").json()
    assert stopped["violations"]
    assert stopped["entries"] < 200
    on = command(*words, "--stop-first", *ALLOWED)
    assert on.json()["entries"] >= 200
    assert on.code == Exit.CLEAN


@pytest.mark.parametrize("generation", ["per_work", "mutex_list", "bitmask", "completed"])
def test_every_generation_runs(command: Commands, generation: str) -> None:
    words = ("run", "--generation", generation, "--entries", "50", "--json")
    run = command(*words, "--cpus", "1", "--tasks", "1", "--tracers", "1")
    assert run.json()["parameters"] == {
        "generation": generation,
        "cpus": 1,
        "tasks": 1,
        "tracers": 1,
    }
    assert run.json()["entries"] >= 1


def test_a_flavour_reaches_the_machine(command: Commands) -> None:
    run = command("run", "--flavour", "32-bit", "--entries", "50", "--json")
    assert run.json()["parameters"]["flavour"] == "32-bit"


def test_the_other_codec_carries_the_same_run(command: Commands) -> None:
    words = ("run", "--backend", "asyncio", "--entries", "100", "--seed", "2", "--json")
    norm, faster = (command(*words, "--codec", codec).json() for codec in ("msgpack", "msgspec"))
    assert same(norm) == same(faster)
    assert (norm["codec"], faster["codec"]) == ("msgpack", "msgspec")
    other = command(*words, "--seed", "3").json()
    assert same(other) != same(norm)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_time_ends_a_run(command: Commands, backend: str) -> None:
    document = command("run", "--backend", backend, "--seconds", "0.05", "--json").json()
    assert document["operations"] > 0
    assert not document["given_up"]
    assert not document["interrupted"]


BAD = [
    (("--backend", "curio"), "invalid choice"),
    (("--codec", "json"), "invalid choice"),
    (("--generation", "none"), "no generation 'none'"),
    (("--flavour", "65-bit"), "65-bit"),
    (("--cpus", "0"), "is not from 1 to"),
    (("--tasks", "none"), "'none' is no integer"),
    (("--tracers", "-1"), "is not from 1 to"),
    (("--cpus", "65"), "at most 64"),
    (("--tasks", "1000000000000"), "at most 64"),
    (("--tracers", "63"), "has 62 bits"),
    (("--generation", "per_work", "--tracers", "65"), "has 64 bits"),
    (("--syscalls", "2"), "unrecognized arguments"),
    (("--entries", "0"), "is not from 1 to"),
    (("--entries", "1.5"), "is no integer"),
    (("--seconds", "0"), "is not a time above 0"),
    (("--seconds", "-1"), "is not a time above 0"),
    (("--seconds", "nan"), "is not a time above 0"),
    (("--seconds", "inf"), "is not a time above 0"),
    (("--seconds", "soon"), "'soon' is no number"),
    (("--entries", "5", "--seconds", "5"), "not allowed with"),
    (("--seed", "-1"), "is not from 0 to"),
    (("--journal",), "expected one argument"),
    (("--allow",), "expected one argument"),
    (("program",), "unrecognized arguments"),
]


@pytest.mark.parametrize(("words", "why"), BAD, ids=str)
def test_bad_usage_exits_2_and_leaves_no_journal(
    command: Commands, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    run = command("run", "--journal", "kept", *words)
    assert run.code == Exit.USAGE
    assert run.out == ""
    assert why in run.err.splitlines()[-1]
    assert "Traceback" not in run.err
    assert list(tmp_path.iterdir()) == []


def test_no_file_is_written_over(command: Commands, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    run = command("run", "--entries", "5", "--journal", "mine")
    assert run.code == Exit.USAGE
    assert run.err == "stackweave: mine is there already: no run writes over a file\n"
    assert (tmp_path / "mine").read_text() == "precious"


@pytest.mark.parametrize("path", ["nowhere/journal", "x" * 300])
def test_a_journal_that_cannot_be_written_exits_3(command: Commands, path: str) -> None:
    run = command("run", "--entries", "5", "--journal", path)
    assert run.code == Exit.FAILED
    assert run.out == ""
    assert run.err.startswith("stackweave: cannot write ")
    assert run.err.count("\n") == 1


def test_a_full_disk_exits_3(command: Commands) -> None:
    words = f"ulimit -f 1; exec '{sys.executable}' -m stackweave run --journal kept --entries 1000"
    ended = subprocess.run(["bash", "-c", words], capture_output=True, text=True, check=False)
    assert ended.returncode == Exit.FAILED
    assert ended.stderr == "stackweave: cannot write kept: File too large\n"


def test_a_codec_that_is_missing_exits_3(
    command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise LookupError(f"the codec {name} needs more")

    monkeypatch.setattr("stackweave.wire.codec_named", missing)
    run = command("run", "--codec", "msgspec")
    assert run.code == Exit.FAILED
    assert run.err == "stackweave: the codec msgspec needs more\n"


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_interrupt_ends_a_run_in_good_order(tmp_path: Path, backend: str) -> None:
    path = tmp_path / "kept"
    words = [sys.executable, "-c", CALM, "run", "--backend", backend, "--seconds", "3600"]
    words += ["--json", "--journal", str(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_for(process, path)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert err == b""
    document = json.loads(out)
    assert document["interrupted"]
    assert process.returncode == document["exit"]
    again = json.loads(replayed(path))
    assert again["operations"] == document["operations"] > 4000
    assert (again["ended"], again["difference"]) == (True, None)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_second_interrupt_ends_at_once(tmp_path: Path, backend: str) -> None:
    path = tmp_path / "kept"
    words = [sys.executable, "-c", DEAF, str(path), backend]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        wait_for(process, path)
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert process.stdout.readline() == "asked to stop\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == ""
    assert process.returncode == -signal.SIGINT
    again = json.loads(replayed(path))
    assert (again["ended"], again["difference"]) == (False, None)
    assert again["operations"] > 4000


def test_counters_are_shown_on_a_terminal_and_cleared() -> None:
    host, terminal = pty.openpty()
    words = [sys.executable, "-c", CALM, "run", "--entries", "100", "--json"]
    ended = subprocess.run(words, stdout=subprocess.PIPE, stderr=terminal, check=False)
    os.close(terminal)
    shown = os.read(host, 1 << 16).decode()
    os.close(host)
    assert json.loads(ended.stdout)["entries"] >= 100
    first, *lines = shown.split("\r\033[K")
    assert first == ""
    assert lines[0].startswith("0 entries, 0 operations, ")
    assert "merged" in lines[0]
    assert lines[-1] == ""


def test_help_imports_no_event_loop(capsys: pytest.CaptureFixture[str]) -> None:
    code = "import sys; from stackweave.__main__ import main; main(['run', '--help'])"
    words = [sys.executable, "-X", "importtime", "-c", code]
    ended = subprocess.run(words, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "stackweave.run.command" in imported
    assert {"anyio", "trio", "asyncio", "msgpack", "stackweave.core"} & imported == set()
