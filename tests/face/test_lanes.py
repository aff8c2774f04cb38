"""Lanes, as they look."""

import re

import pytest

from stackweave.campaign import Subject, run
from stackweave.core import Cpu, Program, Word, emit
from stackweave.lanes import NARROW, WIDE, draw
from stackweave.programs import Parameters
from stackweave.registry import recipe_of
from stackweave.replaying import Replay, replay, replay_on

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
                 * chooses 2 of 3
!!    1 gambler  store word 2
                 * chooses 1 of 2
!! unlucky: the check in gambler does not hold"""

MACHINE = """\
                 child     parent    nmi0.cpu0 nmi1.cpu1 nmi2.cpu0 nmi3.cpu1
      1 on_nmi   :         :         :         :         :         enters cpu1
      2 on_nmi   :         :         :         :         :         load shared -> 0
      3 on_nmi   :         :         enters cpu0         :         |
      4 on_nmi   :         :         |         :         :         leave
      5 user     :         comes to cpu1       :         :
      6 user     :         fork child -> 1     :         :
      7 user     :         alloc item -> item#0@0x11     :"""

USE_AFTER_FREE = """\
     21 user     |         free item#0@0x11              |
!!   22 on_nmi   |                                       fetch_or item#0.value 9
!! use-after-free:item: nmi2.cpu0 uses item#0.value, which parent has freed"""


def lanes(name: str, width: int = NARROW) -> str:
    return draw(replay(failure(sample(name))), width)


def told(program: Program) -> Replay:
    """The first failure of a program made here."""

    def maker() -> Program:
        return program

    subject = Subject(recipe_of(maker, "here"), Parameters(), program)
    campaign = run(subject, 0, 100, stop_first=True)
    [finding] = campaign.findings.values()
    return replay_on(subject.schedule(finding, 0), program)


def test_two_threads_and_their_events() -> None:
    assert lanes("monitored").startswith(MONITORED)


def test_a_deadlock_belongs_to_no_step() -> None:
    assert lanes("deadlock") == DEADLOCK


def test_choices_stand_below_the_step_that_led_to_them() -> None:
    assert lanes("gamble") == GAMBLE


def test_many_contexts_share_the_width() -> None:
    drawn = lanes("machine")
    assert drawn.startswith(MACHINE)
    assert drawn.endswith(USE_AFTER_FREE)


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
    steps = replay(failure(sample(name))).steps
    assert numbers == [step.number for step in steps if step.number]
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
