"""`stackweave explore --reductions`: it says what it left out."""

import json

import pytest

from stackweave.__main__ import main
from stackweave.exits import Exit


def test_what_was_reduced_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "cas-increments", "--reductions"]) == Exit.CLEAN
    printed = capsys.readouterr().out
    assert printed.startswith("cas-increments, states reduced by symmetry\n")
    assert "275 states" in printed
    assert main(["explore", "cas-increments", "--reductions", "--cycles", "--json"]) == Exit.CLEAN
    found = json.loads(capsys.readouterr().out)
    assert (found["states"], found["reductions"], found["without_cycles"]) == (
        275,
        ["symmetry"],
        "",
    )


@pytest.mark.parametrize("option", [[], ["--no-reductions"]])
def test_nothing_is_reduced_unasked(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "cas-increments", *option, "--json"]) == Exit.CLEAN
    found = json.loads(capsys.readouterr().out)
    assert (found["states"], found["reductions"]) == (371, [])


def test_switches_are_not_reduced(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "cas-increments", "--reductions", "--switches"]) == Exit.USAGE
    assert "keep neither the fewest switches" in capsys.readouterr().err
