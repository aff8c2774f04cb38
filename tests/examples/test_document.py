"""The code in docs/embedding.md runs, top to bottom, and names only what there is."""

import re
from pathlib import Path

import pytest

from stackweave.actors.live import Live
from stackweave.core import Interpreter

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "embedding.md").read_text()
PYTHON = re.compile(r"^```python\n((?:.*\n)*?)```$", re.MULTILINE)
FIRST_CELL = re.compile(r"^\| ((?:`\w+(?:\([^`]*\))?`(?:, )?)+) \|", re.MULTILINE)
NAME = re.compile(r"`(\w+)[`(]")


def test_the_code_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    blocks = PYTHON.findall(DOCUMENT)
    assert len(blocks) == 3
    for block in blocks:
        exec(compile(block, "docs/embedding.md", "exec"), names)
    assert capsys.readouterr().out == "clean []\nclean\n"


def test_the_tables_name_what_there_is() -> None:
    sections = DOCUMENT.split("\n## ")
    for title, thing in (("Sans-IO", Interpreter), ("Live", Live)):
        [section] = [each for each in sections if each.startswith(title)]
        names = NAME.findall(" ".join(FIRST_CELL.findall(section)))
        assert len(names) >= 6
        known = {*dir(thing), *thing.__init__.__annotations__, *vars(_made(thing))}
        assert set(names) <= known, set(names) - known


def _made(thing: type) -> object:
    from stackweave.core import Program

    program = Program("empty")
    return thing(program)
