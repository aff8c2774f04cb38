"""A program as a test: `def test_mine(stackweave): stackweave.check(program)`.

Loaded into every run of pytest, so everything heavy waits until a test asks for it.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stackweave.core import Program

    from .campaign import Campaign, Subject


class Stackweave:
    """What the fixture `stackweave` gives."""

    __slots__ = ("_folder",)

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check(
        self, program: "Callable[[], Program]", *, executions: int = 1000, seed: int = 0
    ) -> None:
        """Fail the test, with lanes and the command that replays them, if any execution breaks a property.

        `program` is a function at the top level of its file, so that the command line finds it too.
        """
        __tracebackhide__ = True
        failure = _failure(program, self._folder, executions, seed)
        if failure is not None:
            pytest.fail(failure, pytrace=False)


@pytest.fixture
def stackweave(request: pytest.FixtureRequest) -> Stackweave:
    """Runs programs: `stackweave.check(program, executions=1000, seed=0)`."""
    return Stackweave(request.config.invocation_params.dir)


def _failure(
    program: "Callable[[], Program]", folder: Path, executions: int, seed: int
) -> str | None:
    from stackweave.core import ModelError, UsageError

    from .campaign import Subject, run
    from .programs import Parameters
    from .registry import recipe_of

    try:
        subject = Subject.of(recipe_of(program, _name_of(program, folder)), Parameters())
        campaign = run(subject, seed, executions, stop_first=True)
    except (UsageError, ModelError) as error:
        return str(error)
    if campaign.interrupted:
        raise KeyboardInterrupt
    return _explain(subject, campaign) if campaign.findings else None


def _name_of(program: "Callable[[], Program]", folder: Path) -> str:
    from stackweave.core import UsageError

    code = getattr(program, "__code__", None)
    name = getattr(program, "__qualname__", "")
    if code is None or not name.isidentifier():
        raise UsageError(
            f"{name or program!r} is no function at the top level of a file, so no command can replay it"
        )
    return f"{os.path.relpath(code.co_filename, folder)}:{name}"


def _explain(subject: "Subject", campaign: "Campaign") -> str:
    from .lanes import NARROW, draw, replay_command
    from .replaying import replay_on
    from .schedule import keep

    [finding, *_] = campaign.findings.values()
    schedule = subject.schedule(finding, campaign.seed)
    told = replay_on(schedule, subject.program)
    title = f"{subject.recipe.name}: {finding.signature} in execution {finding.first}"
    return "\n".join(
        [title, "", draw(told, NARROW), "", f"replay: {replay_command(keep(schedule, Path()))}"]
    )
