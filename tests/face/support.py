"""What the tests of the face share."""

import json
from pathlib import Path
from typing import Any

import pytest

from stackweave.__main__ import main
from stackweave.campaign import Subject, run
from stackweave.programs import Parameters
from stackweave.registry import find
from stackweave.schedule import Schedule

FOLDER = Path(__file__).parent
SAMPLES = FOLDER / "samples.py"

FAILING = ("lost_update", "monitored", "deadlock", "crash", "gamble", "machine")
"""The samples that show a violation within a few hundred executions."""

BROKEN = """
from stackweave.core import Program, check

async def body(word):
    old = await word.load()
    await word.store(old + 1)

async def end(word):
    await check(await word.load() == 2, "lost-update")

def program():
    program = Program("mine")
    word = program.layout.word("word")
    for name in ("left", "right"):
        program.thread(name, body, word)
    program.finally_(end, word)
    return program
"""
"""A user's file with a program that fails."""


HIDDEN = """
from stackweave.core import Program, check

runs = []

async def body(word):
    runs.append(1)
    await word.store(1)
    await check(len(runs) != 3, "third-time")

def program():
    program = Program("hidden")
    program.thread("only", body, program.layout.word("word"))
    return program
"""
"""A user's file with a program that fails once, and never again."""


def sample(name: str) -> str:
    """The name by which a sample program is found."""
    return f"{SAMPLES}:{name}"


def subject(name: str) -> Subject:
    """A sample program."""
    return Subject.of(find(sample(name)), Parameters())


def failure(program: str, seed: int = 0) -> Schedule:
    """The first failure of a program, by its name."""
    made = Subject.of(find(program), Parameters())
    campaign = run(made, seed, 2000, stop_first=True)
    [finding] = campaign.findings.values()
    return made.schedule(finding, seed)


class Run:
    """What one command did."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def json(self) -> Any:  # tests say what they expect of it
        """The one document on stdout."""
        return json.loads(self.out)


class Commands:
    """Runs commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> Run:
        """Run one command."""
        try:
            code = main(words)
        except SystemExit as exit:
            code = int(str(exit.code or 0))
        return Run(code, *self._capsys.readouterr())
