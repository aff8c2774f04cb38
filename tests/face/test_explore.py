"""`stackweave explore`: what it says, and what it exits with."""

import json
from pathlib import Path

import pytest

from stackweave.__main__ import main

from .support import BROKEN

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
