"""Every command in the documents prints what the documents say."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

from .documents import BLOCK, DOCUMENTS, EXCERPT, ROOT, blocks, stable

TUTORIAL = ROOT / "docs" / "tutorial.md"
LINK = re.compile(r"\]\(([^)#:]+)\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_print_what_is_said(document: Path) -> None:
    shown = list(blocks(document.read_text()))
    assert shown, "the document shows no command"
    for block, output in shown:
        assert stable(block[2]) == stable(output), f"$ {block[1]}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text()):
        assert (document.parent / target).exists(), target


def test_another_output_would_be_seen() -> None:
    [block, *_] = BLOCK.finditer(DOCUMENTS[0].read_text())
    assert stable(block[2].replace(" executions/s", "0 executions/s")) == stable(block[2])
    assert stable(block[2].replace("load", "store", 1)) != stable(block[2])
    [live] = [each[2] for each in BLOCK.finditer(DOCUMENTS[0].read_text()) if " run " in each[1]]
    assert stable(live.replace("1", "20")) == stable(live)
    assert stable(live.replace("merged", "lost", 1)) != stable(live)
    assert stable(live.replace("cpus=2", "cpus=3")) != stable(live)


def test_the_tutorials_excerpts_are_the_examples() -> None:
    examples = [path.read_text() for path in (ROOT / "examples").glob("*.py")]
    excerpts = EXCERPT.findall(TUTORIAL.read_text())
    assert excerpts
    for excerpt in excerpts:
        ast.parse(f"async def here():\n while True:\n{indent(excerpt, '  ')}")
        own = "stackweave.check(" in excerpt
        assert own or any(excerpt in example for example in examples), excerpt


def test_the_fixed_stack_is_clean_over_many_executions() -> None:
    words = [sys.executable, "-m", "stackweave", "stress", "examples/treiber_fixed.py:program"]
    words += ["--executions", "30000", "--seed", "1"]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
