"""Situations: there are as many as the exhaustive search has states, so they tell the same apart and no more."""

from collections import deque
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackweave.core import (
    FixedSchedule,
    Interpreter,
    Monitor,
    Program,
    State,
    Struct,
    Word,
    choose,
    emit,
    next_event,
    pause,
    sleep_until,
    violate,
)
from stackweave.core.explore.search import search
from stackweave.core.situation import Situation
from stackweave.lasso import Keys
from stackweave.programs import Parameters
from stackweave.registry import find

from ..core.programs import cas_program, lost_update_program
from ..core.random_programs import ACTIONS, random_program
from .support import sample


class Answers(FixedSchedule):
    """Gives scripted answers, then 0, and notes among how many each was."""

    def __init__(self, answers: Sequence[int]) -> None:
        super().__init__([])
        self._answers = answers
        self.among: list[int] = []

    def choose(self, n: int) -> int:
        at = len(self.among)
        self.among.append(n)
        return self._answers[at] if at < len(self._answers) else 0


class Visitor:
    """Visits all situations of a program, each by running it to there from the beginning."""

    def __init__(self, program: Program, without: str = "") -> None:
        """`without` one part, which is a mistake."""
        self._without = {without: ()} if without else {}
        self._interpreter = Interpreter(program)
        self._keys = Keys(program)
        self._waiting: deque[tuple[tuple[int, ...], tuple[int, ...]]] = deque()
        """(moves, answers) of the situations to go on from."""
        self.seen: set[Situation] = set()

    def visit(self) -> int:
        """How many there are."""
        self._try_all((), ())
        while self._waiting:
            moves, answers = self._waiting.popleft()
            self._run(moves, answers)
            for context in [each.index for each in self._interpreter.enabled()]:
                self._try_all((*moves, context), answers)
        self._interpreter.discard()
        return len(self.seen)

    def _try_all(self, moves: tuple[int, ...], answers: tuple[int, ...]) -> None:
        """All ways that the last move may go."""
        scripts = [answers]
        while scripts:
            script = scripts.pop()
            among = self._run(moves, script)
            here = [*script, *[0] * (len(among) - len(script))]
            self._note(moves, tuple(here))
            for at in range(len(script), len(among)):
                scripts += [(*here[:at], other) for other in range(1, among[at])]

    def _run(self, moves: tuple[int, ...], answers: tuple[int, ...]) -> list[int]:
        strategy = Answers(answers)
        self._interpreter.reset(strategy)
        for move in moves:
            self._interpreter.step(self._interpreter.contexts[move])
        return strategy.among

    def _note(self, moves: tuple[int, ...], answers: tuple[int, ...]) -> None:
        live = any(self._tasks_left())
        if self._interpreter.finished and live:
            return  # it failed
        situation = self._interpreter.situation(self._keys)
        situation = situation._replace(**self._without)
        if situation not in self.seen:
            self.seen.add(situation)
            if live:
                self._waiting.append((moves, answers))

    def _tasks_left(self) -> Iterator[bool]:
        for context in self._interpreter.contexts:
            task = context.level.name == "TASK"
            yield task and context.state not in (State.DEAD, State.NEW)


class Cell(Struct):
    """What comes and goes."""

    word: Word


async def counts(event: object = None) -> None:
    """Reports the second event."""
    for _ in range(2):
        event = await next_event()
    violate("twice", str(event))


def busy() -> Program:
    """A little of everything, small enough to be visited step by step."""
    program = Program("busy", 1)
    cpu = program.cpu(0)
    line = program.layout.word("line")
    pool = program.layout.pool("cell", Cell, 1)
    box = program.layout.mailbox("box", 1, int)

    async def sends() -> None:
        cell = pool.at(await pool.alloc())
        await box.send(await choose(2))
        await pool.free(cell.address)
        await sleep_until(line.address, 1, 1)

    async def receives() -> None:
        message = await box.receive()
        await emit("received")
        await pause()
        await line.store(message | 1)

    async def interrupt() -> None:
        async with cpu.interrupt():
            if await choose(2):
                await emit("interrupted")

    program.task("sends", sends, cpus=[0])
    program.task("receives", receives, cpus=[0])
    program.interrupt("interrupt", interrupt, cpu=0)
    program.monitors.append(Monitor("twice", "", counts, lambda event: True))
    return program


def of_sample(name: str) -> Program:
    return find(sample(name)).make(Parameters())


@pytest.mark.parametrize(
    "program",
    [
        cas_program(2, 2),
        lost_update_program(2),
        busy(),
        *map(of_sample, ("monitored", "gamble", "crash", "deadlock")),
    ],
    ids=lambda program: str(program.name),
)
def test_as_many_as_the_search_has_states(program: Program) -> None:
    found = search(program)
    assert found.complete
    assert Visitor(program).visit() == found.states


@given(st.lists(st.lists(ACTIONS, max_size=2), min_size=1, max_size=2), st.booleans())
@settings(max_examples=30, deadline=None)
def test_random_programs(bodies: list[list[tuple[int, int, int]]], points: bool) -> None:
    program = random_program(bodies, points)
    assert Visitor(program).visit() == search(program).states


@pytest.mark.parametrize(
    ("part", "program"),
    [
        ("memory", lost_update_program(2)),
        ("mailboxes", busy()),
        ("contexts", busy()),
        ("monitors", busy()),
    ],
    ids=lambda each: getattr(each, "name", each),
)
def test_without_a_part_there_are_fewer(part: str, program: Program) -> None:
    # objects and processors are told by where the contexts stand, in programs this small
    assert Visitor(program, part).visit() < search(program).states


def test_another_part_is_named() -> None:
    program = busy()
    interpreter = Interpreter(program)
    here = interpreter.situation(Keys(program))
    assert here.difference(here) == ""
    for part in Situation._fields:
        other = here._replace(**{part: ("other",)})  # type: ignore[arg-type]  # any part
        assert other.difference(here) == part
