"""Lanes, as they look."""

import re

import pytest

from stackweave.campaign import Subject, run
from stackweave.core import Cpu, Monitor, Program, Word, emit, next_event, violate
from stackweave.lanes import NARROW, WIDE, draw
from stackweave.programs import Parameters
from stackweave.registry import recipe_of
from stackweave.replaying import Replay, replay, replay_on
from stackweave.wording import describe

from . import samples
from .samples import Counted
from .support import FAILING, failure, sample

MONITORED = """\
               thread0            thread1
      1 count  load counter -> 0  |
      2 count  |                  load counter -> 0
      3 count  store counter 1    |
               * Counted thread=0 to=1
!!    4 count                     store counter 1
                                  * Counted thread=1 to=1
!! twice:value:"""

DEADLOCK = """\
                  left           right
      1 transfer  acquire a 0 1  |
      2 transfer  |              acquire b 0 1
!! deadlock: left at acquire in transfer; right at acquire in transfer"""

GAMBLE = """\
                 gambler
                 * choose 3 -> 2
!!    1 gambler  store word 2
                 * choose 2 -> 1
!! unlucky: the check in gambler does not hold"""

HEADER = "                child     parent    nmi0.cpu0 nmi1.cpu1 nmi2.cpu0 nmi3.cpu1"
COLUMNS = {name: HEADER.index(name) for name in HEADER.split()}


def lanes(name: str, width: int = NARROW) -> str:
    return draw(replay(failure(sample(name))), width)


def told(program: Program, signature: str | None = None) -> Replay:
    """The first failure of a program made here, or the first with a signature."""

    def maker() -> Program:
        return program

    subject = Subject(recipe_of(maker, "here"), Parameters(), program)
    findings = run(subject, 0, 100).findings
    finding = next(
        each for each in findings.values() if each.signature == (signature or each.signature)
    )
    return replay_on(subject.schedule(finding, 0), program)


def test_two_threads_and_their_events() -> None:
    assert lanes("monitored").startswith(MONITORED)


def test_a_deadlock_belongs_to_no_step() -> None:
    assert lanes("deadlock") == DEADLOCK


def test_choices_stand_below_the_step_that_led_to_them() -> None:
    assert lanes("gamble") == GAMBLE


def test_many_contexts_share_the_width() -> None:
    drawn = lanes("machine").splitlines()
    assert drawn[0] == HEADER
    told = [step for step in replay(failure(sample("machine"))).steps if step.number]
    for line, step in zip(drawn[1:], told, strict=False):
        assert line[COLUMNS[step.context] :].startswith(describe(step, samples.machine()))
        assert line[7 : HEADER.index("child")].split() == [step.function]


def test_a_failing_step_is_marked_and_explained() -> None:
    drawn = lanes("machine").splitlines()
    assert re.match(r"!! +\d+ on_nmi .* (load|fetch_or) item#0.value", drawn[-2])
    assert re.match(
        r"!! use-after-free:item: nmi\d.cpu\d uses item#0.value, which parent", drawn[-1]
    )


def test_it_ends_with_what_it_is_about() -> None:
    program = Program("goes-on")
    word = program.layout.word("word")
    program.monitors.append(Monitor("early", "all", reports_at_once, lambda event: True))
    program.thread("only", samples.count, word, 0)
    program.thread("other", samples.count, word, 1)
    program.finally_(samples.counts, word, 5)
    drawn = draw(told(program, "early"), NARROW).splitlines()
    assert drawn[-2] == "!! early: all: at once"
    left = 4 - int(re.findall(r"^!! +(\d+) ", "\n".join(drawn), re.MULTILINE)[0])
    assert drawn[-1] == f"   the execution goes on for {left} operations, and shows lost-update"


async def reports_at_once() -> None:
    await next_event()
    violate("early", "at once")


def test_what_the_end_found_stands_at_the_end() -> None:
    program = samples.lost_update()

    async def end(counter: Word) -> None:
        await emit(Counted(9, 9))
        await samples.counts(counter, 3)

    program.finally_(end, program.layout.word("other"))
    drawn = draw(told(program), NARROW).splitlines()
    assert drawn[-2].split() == ["at", "the", "end", "*", "Counted", "thread=9", "to=9"]
    assert drawn[-1] == "!! lost-update: the check in end does not hold"
    assert sum(line.startswith("!!") for line in drawn) == 1


@pytest.mark.parametrize("name", FAILING)
@pytest.mark.parametrize("width", [NARROW, 130, WIDE])
def test_every_step_is_there_once_and_fits(name: str, width: int) -> None:
    drawn = lanes(name, width).splitlines()
    numbers = [int(match[1]) for line in drawn if (match := re.match(r"(?:!!|  ) *(\d+) ", line))]
    steps = [step.number for step in replay(failure(sample(name))).steps if step.number]
    assert numbers == steps[: len(numbers)]
    assert len(numbers) == len(steps) or "goes on for" in drawn[-1]
    assert max(map(len, drawn)) <= width


def test_contexts_that_never_move_are_left_out() -> None:
    program = samples.lost_update()

    program.interrupt("spurious", never_comes, program.cpu(0), cpu=0)
    header = draw(told(program), NARROW).splitlines()[0]
    assert "thread0" in header
    assert "spurious" not in header


async def never_comes(cpu: Cpu) -> None:
    async with cpu.irq_work_interrupt():
        raise AssertionError("nothing is pending")


def test_a_long_name_gets_a_line_of_its_own() -> None:
    program = Program("long")
    word = program.layout.word(
        "a_word_whose_name_is_long_enough_to_need_a_second_line_in_a_narrow_column"
    )
    names = [f"thread_with_a_long_name_{number}" for number in range(4)]
    for number, name in enumerate(names):
        program.thread(name, samples.count, word, number)
    program.finally_(samples.counts, word, 0)
    drawn = draw(told(program), NARROW)
    assert max(map(len, drawn.splitlines())) <= NARROW
    for name in names:
        assert drawn.count(name) == 1
    unwrapped = re.sub(r"[\s|]", "", drawn)
    assert unwrapped.count("narrow_column") == len(re.findall("load|store", drawn)) == 8


def test_a_long_function_name_is_abbreviated() -> None:
    program = Program("long")

    async def a_function_with_a_name_of_forty_characters(word: Word) -> None:
        await word.load()
        raise ValueError("x")

    program.thread("only", a_function_with_a_name_of_forty_characters, program.layout.word("w"))
    assert " a_function_with_a_name_of~  load w -> 0" in draw(told(program), NARROW)
