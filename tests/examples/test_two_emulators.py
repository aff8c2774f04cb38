"""Two emulators in one process do not meet: each has the events that it has alone."""

import anyio
import pytest

from stackweave.actors import Agenda, Emulator
from stackweave.actors.listener import Listener
from stackweave.actors.live import Live
from stackweave.actors.soak import Entries, farewell, sources
from stackweave.core import Interpreter, Program, RandomWalk, Word, emit
from stackweave.wire.messages import Exit, Interrupt, Nmi, SystemCall


def emulator(generation: str = "upstream") -> Emulator:
    agenda = Agenda(
        tasks=[[SystemCall(0), SystemCall(1), Exit()]] * 2,
        interrupts=[[Interrupt(1, resched=True)] * 2],
        nmis=[[Nmi(0)] * 2],
    )
    return Emulator("meet", generation=generation, tracers=2, agenda=agenda)


class Walk:
    """A random walk through one execution, a step at a time."""

    def __init__(self, program: Program, seed: int) -> None:
        self.interpreter = Interpreter(program)
        self._walk = RandomWalk(seed)
        self._walk.begin(0, self.interpreter.contexts)
        self.interpreter.reset(self._walk)

    def step(self) -> None:
        if not self.interpreter.finished:
            self.interpreter.step(self._walk.pick(self.interpreter.enabled()))

    def events(self) -> list[object]:
        while not self.interpreter.finished:
            self.step()
        return [occurrence.event for occurrence in self.interpreter.events]


def interleaved(*walks: Walk) -> list[list[object]]:
    while not all(walk.interpreter.finished for walk in walks):
        for walk in walks:
            walk.step()
    return [walk.events() for walk in walks]


@pytest.mark.parametrize("generations", [("upstream", "upstream"), ("upstream", "mutex_list")])
def test_interpreters_in_turns(generations: tuple[str, str]) -> None:
    alone = [Walk(emulator(each).program, seed).events() for seed, each in enumerate(generations)]
    walks = [Walk(emulator(each).program, seed) for seed, each in enumerate(generations)]
    assert alone[0] != alone[1]
    assert interleaved(*walks) == alone


def test_programs_that_share_what_is_theirs_would_be_seen() -> None:
    said: list[int] = []

    async def speaks(word: Word) -> None:
        for number in range(5):
            await word.load()
            said.append(number)
            await emit(len(said))

    def program() -> Program:
        program = Program("meets")
        program.thread("speaks", speaks, program.layout.word("word"))
        return program

    alone = []
    for _ in range(2):
        said.clear()
        alone.append(Walk(program(), 0).events())
    said.clear()
    assert interleaved(Walk(program(), 0), Walk(program(), 0)) != alone


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["trio", "asyncio"])
async def test_live_runs_in_turns() -> None:
    """What each does is what an interpreter does alone by the same decisions."""
    emulators = [
        Emulator(generation, generation=generation) for generation in ("upstream", "per_work")
    ]
    lives = [
        Live(each.program, sources=sources(each), farewell=farewell(each), watch=Entries(300))
        for each in emulators
    ]
    async with anyio.create_task_group() as group:
        for live in lives:
            group.start_soon(live.run)
    for each, live in zip(emulators, lives, strict=True):
        replay = Interpreter(each.program)
        replay.restore(live.interpreter.snapshot())
        assert replay.events == list(live.outcome.events)
        assert tuple(replay.store.words) == live.outcome.words
        assert replay.events


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["trio", "asyncio"])
async def test_a_listener_hears_every_event_once() -> None:
    heard: list[object] = []
    one = emulator()
    live = Live(one.program, watch=Listener(heard.append))
    outcome = await live.run()
    assert heard == [occurrence.event for occurrence in outcome.events]
    assert heard
