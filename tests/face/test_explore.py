"""`stackweave explore`: what it says, and what it exits with."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stackweave.__main__ import main
from stackweave.core import UsageError
from stackweave.exits import Exit

from .support import BROKEN, Commands

GIVES_WAY = """
from stackweave.core import Program

async def body(mine, other):
    while True:
        await mine.store(1)
        if not await other.load():
            break
        await mine.store(0)

def program():
    program = Program("polite")
    a, b = program.layout.word("a"), program.layout.word("b")
    program.thread("left", body, a, b)
    program.thread("right", body, b, a)
    return program
"""
"""A user's file with two threads that may give way to each other for ever."""


MANY = """
from stackweave.core import Monitor, Program, check, emit, next_event

async def steps(word, times):
    for _ in range(times):
        await word.load()

async def increments(word, times):
    for _ in range(times):
        old = await word.load()
        while await word.cmpxchg(old, old + 1) != old:
            old = await word.load()

async def looks(word):
    await check(await word.load() != 1, "one")

def grid():
    program = Program("grid")
    word = program.layout.word("word")
    program.thread("left", steps, word, 9)
    program.thread("right", steps, word, 9)
    return program

def endless():
    program = Program("endless")
    word = program.layout.word("word")
    for number in range(7):
        program.thread(f"thread{number}", increments, word, 9)
    program.thread("looks", looks, word)
    return program

async def waits(word):
    await word.wait(3, 1)

async def hears():
    while True:
        await next_event()

async def says(word):
    await word.store(2)
    await emit("said")

def idle():
    program = Program("idle", 1)
    word, line = program.layout.word("word"), program.layout.word("line")
    program.task("waits", waits, word, cpus=[0])
    program.task("says", says, word, cpus=[0])
    program.interrupt("never", raised, program.cpu(0), line, cpu=0)
    for name in ("said", "sung"):
        program.monitors.append(Monitor("heard", name, hears, lambda event, name=name: event == name))
    return program

async def raised(cpu, line):
    async with cpu.interrupt(line):
        pass
"""
"""A user's file with programs that are not searched to their end, or not in all their parts."""


def test_a_clean_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "cas-increments"]) == 0
    printed = capsys.readouterr().out
    assert "371 states, 670 transitions, 20 moves deep" in printed
    assert "complete, but that a state was left out with probability 4e-15" in printed
    assert "no violation" in printed


def test_a_counterexample_that_replays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(BROKEN)
    assert main(["explore", "mine.py:program", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["complete"], found["states"], found["ends"]) == (True, 12, 2)
    (violation,) = found["violations"]
    assert (violation["signature"], violation["moves"], violation["known"]) == (
        "lost-update",
        4,
        None,
    )
    assert main(["replay", violation["replay"]]) == 1
    assert "lost-update" in capsys.readouterr().out
    assert main(["explore", "mine.py:program", "--switches", "--allow", "lost-update"]) == 0
    assert "switches deep" in capsys.readouterr().out


def test_what_is_known_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "spurious-callback", "--signature", "twice"]) == 1
    printed = capsys.readouterr().out
    assert "twice, after 95 moves:" in printed
    assert "incomplete: twice was found" in printed
    assert "known: bitmask-spurious" in printed


@pytest.mark.parametrize(
    ("option", "bound"), [(["--states", "1000"], "1,000 states"), (["--memory", "1"], "1 MB")]
)
def test_a_bound_is_said(option: list[str], bound: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "lost-clear", *option]) in (0, 1)
    assert f"incomplete: {bound}" in capsys.readouterr().out


def test_a_fair_cycle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(GIVES_WAY)
    assert main(["explore", "mine.py:program"]) == 0
    capsys.readouterr()
    assert main(["explore", "mine.py:program", "--cycles"]) == 1
    printed = capsys.readouterr().out
    assert "fair-cycle: stackweave replay sw2." in printed
    assert "no other violation" in printed
    assert main(["explore", "cas-increments", "--cycles"]) == 0
    assert "no fair cycle" in capsys.readouterr().out


def test_no_such_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "nothing"]) == 2
    assert "no program is named nothing" in capsys.readouterr().err


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with it."""
    monkeypatch.chdir(tmp_path)
    Path("many.py").write_text(MANY)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "states", "waiting"),
    [
        # by moves: 1 + 2 + 3 states, and the first of the three has no room for a new one, or for one
        (["--states", "6"], 6, 3),
        (["--states", "7"], 7, 4),
        # by switches: (1, 0), (0, 1), and (2, 0) by who moved last; others have yet to move from all three
        (["--switches", "--states", "4"], 4, 3),
        ([], 100, 0),
    ],
)
def test_states_that_wait_are_counted(
    command: Commands, many: Path, words: list[str], states: int, waiting: int
) -> None:
    found = command("explore", "many.py:grid", *words, "--json").json()
    assert (found["states"], found["waiting"]) == (states, waiting)
    text = command("explore", "many.py:grid", *words).out
    assert (f"; {waiting} states wait to be expanded" in text) == (waiting > 0)


def test_what_was_not_looked_at_is_said(command: Commands, many: Path) -> None:
    run = command("explore", "many.py:idle", "--allow", "deadlock", "--json")
    assert run.json()["coverage"] == {
        "contexts": 3,
        "idle": ["never"],
        "monitors": 2,
        "deaf": ["heard (sung)"],
        "vain": ["wait word"],
    }
    text = command("explore", "many.py:idle", "--allow", "deadlock").out
    assert "covered: 2 of 3 contexts moved, 1 of 2 monitors saw an event" in text
    assert "not covered: never moved, or changed nothing: never\n" in text
    assert "not covered: fair cycles (not asked for)\n" in text


@pytest.mark.parametrize(
    ("error", "why", "interrupted"),
    [(KeyboardInterrupt(), "interrupted", True), (UsageError("too much"), "too much", False)],
    ids=["interrupt", "bound"],
)
def test_cycles_that_were_not_looked_for_to_the_end(
    command: Commands,
    many: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    why: str,
    interrupted: bool,
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("stackweave.explore.searching.prepare", lambda: None)
    monkeypatch.setattr("stackweave.explore.searching.fair_cycle", fails)
    run = command("explore", "many.py:grid", "--cycles", "--json")
    found = run.json()
    assert (found["complete"], found["cycle"], found["without_cycles"]) == (True, None, why)
    assert (found["interrupted"], run.code) == (interrupted, Exit.CLEAN)


def test_progress_is_shown_on_a_terminal(
    command: Commands, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = command("explore", "many.py:grid", "--json")
    assert plain.err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr("stackweave.core.explore.compiling.is_kept", lambda: False)
    run = command("explore", "many.py:grid", "--json")
    assert {**run.json(), "seconds": 0} == {**plain.json(), "seconds": 0}
    _, compiling, first, *_, last, cleared = run.err.split("\r\033[K")
    assert compiling.startswith("compiling the engine, ")
    assert first == "0 states, 0 states/s, 0 moves deep, 0 MB"
    assert re.fullmatch(r"100 states, [\d,]+ states/s, 18 moves deep, 0 MB", last)
    assert cleared == ""


def test_an_interrupt_reports_what_there_is(many: Path) -> None:
    terminal, its = os.openpty()
    words = [sys.executable, "-m", "stackweave", "explore", "many.py:endless", "--json"]
    shown = b""
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=its) as process:
        os.close(its)
        while not re.search(rb"[1-9] moves deep", shown):
            shown += os.read(terminal, 1000)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    os.close(terminal)
    found = json.loads(out)
    assert (found["interrupted"], found["complete"], found["bound"]) == (True, False, "interrupted")
    assert found["states"] > found["waiting"] > 0
    assert [each["signature"] for each in found["violations"]] == ["one"]
    assert process.returncode == found["exit"] == Exit.VIOLATION
