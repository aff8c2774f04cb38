"""Lassos: what goes on for ever replays, and what only seems to is refused."""

from pathlib import Path

import pytest

from stackweave.campaign import Subject
from stackweave.core import ModelError
from stackweave.core.explore.search_cycles import fair_cycle
from stackweave.digest import digest_of
from stackweave.exits import Exit
from stackweave.explore.counterexamples import endless_in
from stackweave.lasso import FAIR_CYCLE, replay_lasso
from stackweave.programs import Parameters
from stackweave.registry import find
from stackweave.schedule import SEARCH, Origin, Schedule, by_name, read, token_of

from .support import Commands

SPINS = """
from stackweave.core import (
    Monitor, Program, choose, emit, next_event, schedule,
)

async def polite(mine, other):
    await mine.load()
    while True:
        await mine.store(1)
        if not await other.load():
            break
        await mine.store(0)

def polite_program():
    program = Program("polite")
    a, b = program.layout.word("a"), program.layout.word("b")
    program.thread("left", polite, a, b)
    program.thread("right", polite, b, a)
    return program

async def counts(word):
    while True:
        await word.fetch_add(1)

async def remembers(word):
    seen = 0
    while True:
        seen += await word.load() == 0

async def waits(word):
    while not await word.load():
        pass

async def writes(word):
    await word.store(1)

def spin_program(body):
    program = Program("spin")
    word = program.layout.word("word")
    program.thread("spins", body, word)
    program.thread("writes", writes, word)
    return program

def counting():
    return spin_program(counts)

def remembering():
    return spin_program(remembers)

def waiting():
    return spin_program(waits)

async def holds(word):
    with open(__file__) as file:
        while True:
            await word.load()
            file.tell()

def opaque():
    return spin_program(holds)

async def talks(box, word):
    while True:
        await box.send(await choose(2))
        await emit("sent")
        await schedule()

async def listens(box, word):
    while True:
        await word.store(await box.receive())

async def hears():
    while True:
        await next_event()

def talking():
    program = Program("talk", 2)
    box, word = program.layout.mailbox("box", 1, int), program.layout.word("word")
    program.task("talks", talks, box, word, cpus=[0])
    program.task("listens", listens, box, word, cpus=[0, 1])
    program.nmi("nmi", nmi, program.cpu(0), cpu=0)
    program.monitors.append(Monitor("heard", "", hears, lambda event: True))
    return program

async def nmi(cpu):
    async with cpu.nmi():
        pass
"""


def subject(tmp_path: Path, name: str) -> Subject:
    path = tmp_path / "spins.py"
    path.write_text(SPINS)
    return Subject.of(find(f"{path}:{name}"), Parameters())


def found(tmp_path: Path, name: str) -> Schedule:
    """The schedule of a program's fair cycle."""
    made = subject(tmp_path, name)
    lasso = fair_cycle(made.program)
    assert lasso is not None
    return read(endless_in(made, lasso).reference)


def planted(tmp_path: Path, name: str, stem: str, cycle: str) -> Schedule:
    """A lasso of moves by the first letters of who makes them."""
    made = subject(tmp_path, name)
    numbers = {spec.name[0]: number for number, spec in enumerate(made.program.contexts)}
    contexts, choices = by_name(made.program, [numbers[letter] for letter in stem + cycle])
    digest = digest_of(made.program, made.recipe.module)
    origin = Origin(SEARCH, 0, 0)
    name = made.recipe.name
    return Schedule(
        name, made.parameters, digest, contexts, choices, origin, FAIR_CYCLE, len(cycle)
    )


@pytest.mark.parametrize("name", ["polite_program", "talking"])
def test_what_the_search_finds_replays(tmp_path: Path, name: str) -> None:
    schedule = found(tmp_path, name)
    assert schedule.cycle > 0
    again = replay_lasso(read(token_of(schedule)))
    assert again.cycle == schedule.cycle
    assert len(again.moving) >= 2
    assert f"the next {schedule.cycle} repeat for ever" in again.verdict
    numbered = [step for step in again.replay.steps if step.number]
    assert len(numbered) == again.stem + again.cycle


@pytest.mark.parametrize(
    ("name", "stem", "cycle", "why"),
    [
        ("polite_program", "lrlrlrl", "r", "other memory"),
        ("polite_program", "lr", "lr", "other memory"),
        ("polite_program", "lrlr", "l", "other contexts"),
        ("polite_program", "l", "llll", "is not enabled"),
        ("counting", "", "s", "other memory"),
        ("remembering", "", "s", "other contexts"),
    ],
)
def test_what_is_no_cycle_is_refused(
    tmp_path: Path, name: str, stem: str, cycle: str, why: str
) -> None:
    with pytest.raises(ModelError, match=why):
        replay_lasso(planted(tmp_path, name, stem, cycle))


def test_a_cycle_that_somebody_else_would_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="writes could move all along the cycle, and does not"):
        replay_lasso(planted(tmp_path, "waiting", "s", "s"))


def test_an_interrupt_that_nobody_raised_may_stay_away(tmp_path: Path) -> None:
    assert "nmi" not in replay_lasso(found(tmp_path, "talking")).moving


def test_states_that_cannot_be_compared_are_no_cycle(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot be compared: .*file"):
        replay_lasso(planted(tmp_path, "opaque", "", "s"))


def test_a_stale_one_is_refused_with_what_changed(tmp_path: Path, command: Commands) -> None:
    token = token_of(found(tmp_path, "polite_program"))
    path = tmp_path / "spins.py"
    path.write_text(SPINS.replace("mine.store(0)", "mine.store(2)"))
    run = command("replay", token)
    assert (run.code, run.out) == (Exit.USAGE, "")
    assert run.err.endswith("has changed since, in its program source\n")


def test_the_commands(tmp_path: Path, command: Commands) -> None:
    name = subject(tmp_path, "polite_program").recipe.name
    explored = command("explore", name, "--cycles")
    assert explored.code == Exit.VIOLATION
    [token] = {line.split()[-1] for line in explored.out.splitlines() if " sw2." in line}
    replayed = command("replay", token)
    assert replayed.code == Exit.VIOLATION
    lanes = replayed.out[replayed.out.index("\n\n") : replayed.out.index("After ")]
    assert lanes in explored.out
    assert ("~~ from here on for ever" in lanes, "~~ and again from step 3" in lanes) == (True,) * 2
    document = command("replay", token, "--json").json()
    assert document["cycle"] == {"stem": 2, "moves": 6, "moving": ["left", "right"], "times": 2}
    assert len(document["steps"]) == 8
    shrunk = command("shrink", token)
    assert (shrunk.code, shrunk.out) == (Exit.USAGE, "")
    assert "goes on for ever" in shrunk.err
    assert command("explore", name, "--cycles", "--allow", "fair-cycle").code == Exit.CLEAN
