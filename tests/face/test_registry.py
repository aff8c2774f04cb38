"""Programs by name, and clear words for every name that is none."""

from pathlib import Path

import pytest

from stackweave.core import Program, UsageError
from stackweave.programs import BUILTIN, Parameters
from stackweave.registry import DEFAULT, find, load
from stackweave.schedule import read

from .support import SAMPLES, sample


def test_the_default_is_built_in() -> None:
    assert DEFAULT in BUILTIN
    assert isinstance(load(DEFAULT, Parameters()), Program)


def test_each_load_makes_a_fresh_program() -> None:
    assert load(sample("lost_update"), Parameters()) is not load(
        sample("lost_update"), Parameters()
    )


def test_a_program_takes_the_parameters_it_names() -> None:
    program = load(sample("sized"), Parameters(tasks=3, cpus=2))
    assert program.parameters == {"tasks": 3, "cpus": 2}
    assert load(sample("sized"), Parameters(tasks=4)).parameters == {"tasks": 4, "cpus": 1}


@pytest.mark.parametrize(
    ("name", "parameters", "why"),
    [
        ("nonsense", Parameters(), "no program is named nonsense; built in are default, "),
        ("nowhere.py:program", Parameters(), "cannot read nowhere.py: No such file"),
        (f"{SAMPLES.parent}:program", Parameters(), "Is a directory"),
        (sample("missing"), Parameters(), "has no 'missing'; its functions are: "),
        (sample("not_callable"), Parameters(), "is no function that returns a Program"),
        (sample("transfer"), Parameters(), "is no function that returns a Program"),
        (sample("nothing"), Parameters(), "returns a int, not a Program"),
        (sample("sized"), Parameters(), "needs tasks, which is not given"),
        (sample("sized"), Parameters(tasks=1, tracers=2), "takes no parameter tracers"),
    ],
)
def test_a_name_that_is_none_says_why(name: str, parameters: Parameters, why: str) -> None:
    with pytest.raises(UsageError) as refused:
        load(name, parameters)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError: No module named"),
        ("def program(:", "SyntaxError"),
        ("raise ValueError('of\\ntwo lines')", "ValueError: of ("),
        ("import sys\nsys.exit(4)", "SystemExit: 4"),
        ("def program():\n    return 1 / 0", "ZeroDivisionError: division by zero ("),
    ],
)
def test_a_file_that_raises_is_reported_in_one_line(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    for _ in range(2):  # a failed import is tried again
        with pytest.raises(UsageError) as refused:
            load(f"{path}:program", Parameters())
        assert why in str(refused.value)
        assert "\n" not in str(refused.value)


def test_the_place_of_an_error_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("x = 1\ny = x.z\n")
    with pytest.raises(UsageError) as refused:
        load(f"{path}:program", Parameters())
    assert str(refused.value).endswith(f"({path}:2)")


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    text = "from stackweave.core import Program\ndef program():\n    return Program('{}')\n"
    for name in ("first", "other"):
        path.write_text(text.format(name))
        assert load(f"{path}:program", Parameters()).name == name


def test_a_file_may_import_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_mine.py").write_text("from stackweave.core import Program\n")
    path = tmp_path / "mine.py"
    path.write_text("import neighbour_of_mine as n\ndef program():\n    return n.Program('x')\n")
    assert load(f"{path}:program", Parameters()).name == "x"


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/zero:program"])
def test_an_endless_file_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="longer than 16 MiB"):
        find(name) if ":" in name else read(name)
