"""`stackweave shrink`: make a failing schedule as small as it gets, and show it."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from stackweave.core import ModelError, Program, UsageError, Violation
from stackweave.core.explore.passes import PASSES
from stackweave.core.explore.shrink import DEFAULT_BUDGET, Shrunk, Version
from stackweave.core.explore.shrink import shrink as shrink_execution
from stackweave.core.explore.trace import Shows, Size
from stackweave.wire.journal import is_journal

from .arguments import count
from .campaign import Subject
from .digest import digest_of
from .exits import Exit
from .known import identify
from .lanes import draw, replay_command, screen_width
from .registry import blaming, find, given, titled
from .replaying import replay, replay_on
from .schedule import Schedule, by_name, keep, parameters_from, read

_SIZES: Final = ("cpus", "tasks", "tracers", "syscalls")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what it takes."""
    parser.add_argument("schedule", metavar="TOKEN-or-FILE", help="as stress or explore printed it")
    parser.add_argument(
        "--executions",
        type=count,
        default=DEFAULT_BUDGET,
        metavar="N",
        help=f"at most so many; default {DEFAULT_BUDGET}",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Shrink it: what fails goes on to fail, or is refused."""
    if is_journal(Path(arguments.schedule)):
        raise UsageError(
            f"{arguments.schedule} is a journal: its actors do what messages from outside tell them, and a "
            "schedule has no messages; stackweave replay shows the operations before the first violation"
        )
    schedule = read(arguments.schedule)
    if schedule.cycle:
        raise UsageError("it goes on for ever, and only a schedule that ends is made smaller")
    result = shrink(schedule, arguments.executions)
    print(json.dumps(result.as_json(), indent=2) if arguments.json else result.as_text())
    return Exit.VIOLATION


@dataclass(frozen=True, slots=True)
class Result:
    """A schedule and what it was shrunk to."""

    schedule: Schedule
    """The small one."""
    subject: Subject
    """Its program."""
    known: str | None
    """The known defect that both of them show."""
    sizes: Mapping[str, int]
    """Of the program that was."""
    shrunk: Shrunk

    def as_json(self) -> dict[str, object]:
        """The document for programs."""
        return {
            "command": "shrink",
            "program": self.schedule.program,
            "parameters": given(self.schedule.parameters),
            "signature": self.schedule.signature,
            "known": self.known,
            "before": _measures(self.shrunk.before.size, self.sizes),
            "after": _measures(self.shrunk.after.size, _sizes(self.subject)),
            "executions": self.shrunk.executions,
            "done": self.shrunk.done,
            "replay": keep(self.schedule, Path()),
            "exit": int(Exit.VIOLATION),
        }

    def as_text(self) -> str:
        """What became smaller, and the lanes of what is left."""
        title = titled(self.schedule.program, given(self.schedule.parameters))
        return "\n".join(
            [
                f"{title}: {self.schedule.signature}, {self.schedule.origin}",
                "",
                draw(replay_on(self.schedule, self.subject.program), screen_width()),
                "",
                *self._table(),
                "",
                self._effort(),
                f"replay: {replay_command(keep(self.schedule, Path()))}",
            ]
        )

    def _table(self) -> Iterator[str]:
        before = _measures(self.shrunk.before.size, self.sizes)
        after = _measures(self.shrunk.after.size, _sizes(self.subject))
        yield f"{'':<9}{'before':>9}{'after':>9}"
        for name, number in before.items():
            if number and (name not in self.sizes or after[name] != number):
                yield f"{name:<9}{number:>9,}{after[name]:>9,}"

    def _effort(self) -> str:
        executions = f"{self.shrunk.executions:,} executions"
        if self.shrunk.done:
            return f"{executions}, and nothing makes it smaller"
        return f"{executions}, and more might make it smaller"


def shrink(schedule: Schedule, executions: int = DEFAULT_BUDGET) -> Result:
    """Make a schedule smaller: the same signature and known defect, in the same program or a smaller one.

    Raises `UsageError` for a stale one, and `ModelError` where the same decisions lead elsewhere.
    """
    told = replay(schedule)
    recipe = find(schedule.program)
    subject = Subject(recipe, schedule.parameters, told.program)
    known = _defect(subject.generation, schedule.signature, told.outcome.violations)
    with blaming(schedule.program):
        shrunk = shrink_execution(
            _Made(subject),
            schedule.decisions(told.program),
            _shows(subject.generation, schedule.signature, known),
            PASSES,
            executions,
        )
    assert isinstance(shrunk.version, _Made)
    small = shrunk.version.subject
    contexts, choices = by_name(small.program, shrunk.after.schedule)
    result = replace(
        schedule,
        parameters=small.parameters,
        digest=digest_of(small.program, recipe.module),
        contexts=contexts,
        choices=choices,
        origin=schedule.origin.shrunk,
    )
    return Result(result, small, known, _sizes(subject), shrunk)


@dataclass(frozen=True, slots=True)
class _Made:
    """A program as its maker makes it, and smaller ones by smaller parameters."""

    subject: Subject

    @property
    def program(self) -> Program:
        return self.subject.program

    @property
    def size(self) -> int:
        return sum(_sizes(self.subject).values())

    def smaller(self) -> Iterator[Version]:
        """Of each parameter in turn, the smallest number first."""
        for name, size in _sizes(self.subject).items():
            for less in range(1, size):
                chosen = {**given(self.subject.parameters), name: less}
                try:
                    yield _Made(Subject.of(self.subject.recipe, parameters_from(chosen)))
                except (UsageError, ModelError):
                    continue  # it cannot be as small as that


def _sizes(subject: Subject) -> dict[str, int]:
    """The numbers that a program says it was made with."""
    chosen = {**given(subject.parameters), **subject.program.parameters}
    return {name: size for name in _SIZES if isinstance(size := chosen.get(name), int)}


def _measures(size: Size, sizes: Mapping[str, int]) -> dict[str, int]:
    return {
        **sizes,
        "contexts": size.contexts,
        "calls": size.calls,
        "switches": size.switches,
        "steps": size.steps,
    }


def _shows(generation: str | None, signature: str, known: str | None) -> Shows:
    """Whether an execution shows the signature, as the same known defect or as none."""

    def shows(violations: Sequence[Violation]) -> bool:
        seen = any(each.signature == signature for each in violations)
        return seen and _defect(generation, signature, violations) == known

    return shows


def _defect(generation: str | None, signature: str, violations: Sequence[Violation]) -> str | None:
    return identify(generation, {each.signature: None for each in violations}).get(signature)
