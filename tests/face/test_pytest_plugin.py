"""The pytest plugin: a program as a test, and a command that replays its failure."""

import subprocess
import sys

import pytest

from stackweave.__main__ import main
from stackweave.exits import Exit

from .documents import EXCERPT, ROOT
from .support import BROKEN

FAILING = f"{BROKEN}\ndef test_mine(stackweave):\n    stackweave.check(program)\n"
PASSING = FAILING.replace("await word.store(old + 1)", "await word.cmpxchg(old, 2)").replace(
    "old = await word.load()", "old = await word.load()\n    await word.store(1)\n    old = 1"
)


@pytest.mark.parametrize("mode", ["importlib", "prepend"])
def test_a_failure_shows_lanes_and_replays(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    pytester.mkdir("sub")
    path = pytester.makepyfile(FAILING).rename(pytester.path / "sub" / f"test_plugged_{mode}.py")
    result = pytester.runpytest(f"--import-mode={mode}")
    result.assert_outcomes(failed=1)
    name = f"sub/{path.name}:program"
    result.stdout.fnmatch_lines(
        [
            f"{name}: lost-update in execution *",
            "*left *right*",
            "* body *load word -> 0*",
            "!! lost-update: *",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    # pytest repeats the failure in its summary where CI is set
    [command] = {line for line in result.outlines if line.startswith("replay: stackweave replay ")}
    capsys.readouterr()
    assert main(command.split()[2:]) == Exit.VIOLATION
    assert f"{name}: lost-update" in capsys.readouterr().out


def test_a_program_that_holds_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PASSING)
    pytester.runpytest().assert_outcomes(passed=1)


def test_executions_and_seed_are_the_callers(pytester: pytest.Pytester) -> None:
    text = FAILING.replace("check(program)", "check(program, executions=1, seed={})")
    runs = [
        pytester.runpytest(pytester.makepyfile(**{f"test_seed_{seed}": text.format(seed)}))
        for seed in range(12)
    ]
    assert {run.ret for run in runs} == {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("lambda: program()", "is no function at the top level of a file"),
        ("5", "is no function at the top level of a file"),
        ("need", "need needs size, which is not given"),
        ("wrong", "wrong returns a int, not a Program"),
    ],
)
def test_what_is_no_program_fails_in_one_line(
    pytester: pytest.Pytester, call: str, why: str
) -> None:
    helpers = "\ndef need(size):\n    pass\n\ndef wrong():\n    return 5\n"
    pytester.makepyfile(FAILING.replace("check(program)", f"check({call})") + helpers)
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*{why}*"])
    assert "During handling" not in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


def test_loading_the_plugin_imports_nothing_more(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys\ndef test_it():\n"
        "    own = [name for name in sys.modules if name.startswith('stackweave.')]\n"
        "    assert own == ['stackweave.pytest_plugin']\n"
    )
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error"]
    ended = subprocess.run(words, cwd=pytester.path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_the_tutorials_test_passes(pytester: pytest.Pytester) -> None:
    [*_, excerpt] = EXCERPT.findall((ROOT / "docs" / "tutorial.md").read_text())
    example = (ROOT / "examples" / "treiber_fixed.py").read_text()
    pytester.makepyfile(treiber_fixed=example, test_tutorial=excerpt)
    pytester.runpytest().assert_outcomes(passed=1)
