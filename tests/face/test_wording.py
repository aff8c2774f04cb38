"""Every kind of operation in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from stackweave.core import (
    ACQUIRE,
    FULL,
    RELAXED,
    RELEASE,
    Context,
    Interpreter,
    Kind,
    Layout,
    Mailbox,
    Pool,
    Program,
    RandomWalk,
    SplitWord,
    Struct,
    Word,
    choose,
    fence,
    local_irq_restore,
    local_irq_save,
    pause,
    schedule,
    set_cpus_allowed,
    sleep_until,
    wake_up_new_task,
)
from stackweave.programs import Parameters
from stackweave.replaying import replay_on
from stackweave.schedule import Origin, Schedule, by_name
from stackweave.wording import describe, show, show_event


@dataclass(frozen=True, slots=True)
class Message:
    """Of a mailbox."""

    number: int
    stack: tuple[int, ...]


class Node(Struct):
    """Of a pool."""

    next: Word


WORDS = """\
comes to cpu0
load word -> 0
load_acquire word -> 0
store word 0xff
store_release word -1
xchg word 3 -> -1
cmpxchg word 3 4 -> stored
cmpxchg_relaxed word 3 5 -> 4 failed
cmpxchg word -2 5 -> 4 failed
fetch_add word 1 -> 4
fetch_or word 0x10 -> 5
fetch_and_acquire word 0xf -> 0x15
fetch_andnot word 1 -> 5
wait word & 4 == 4 -> 4
acquire word 4 5
store split.low 7
load split.high -> 0
cmpxchg split.low 7 8 -> stored
fence
fence_release
alloc node -> node#0@0x12
store node#0.next 1
free node#0@0x12
try_send box Message number=1 stack=(0x10, 0x20) -> 1
receive box -> Message number=1 stack=(0x10, 0x20)
send box Message number=2 stack=()
irq_save -> 1
irq_restore 1
migrate task 1
choose 1 -> 0
fork child -> 1
pause
schedule
comes to cpu0
sleep word & 1 == 1
wakes up on cpu0"""


async def every_kind(
    word: Word, split: SplitWord, nodes: Pool[Node], box: Mailbox[Message]
) -> None:
    await word.load()
    await word.load(ACQUIRE)
    await word.store(0xFF)
    await word.store(-1, RELEASE)
    await word.xchg(3)
    await word.cmpxchg(3, 4)
    await word.cmpxchg(3, 5, RELAXED)
    await word.cmpxchg(-2, 5)
    await word.fetch_add(1)
    await word.fetch_or(0x10)
    await word.fetch_and(0xF, ACQUIRE)
    await word.fetch_andnot(1)
    await word.wait(4, 4)
    await word.acquire(4, 5)
    await split.low.store(7)
    await split.high.load()
    await split.low.cmpxchg(7, 8)
    await fence(FULL)
    await fence(RELEASE)
    pointer = await nodes.alloc()
    await nodes.at(pointer).next.store(1)
    await nodes.free(pointer)
    await box.try_send(Message(1, (16, 32)))
    await box.receive()
    await box.send(Message(2, ()))
    await local_irq_restore(await local_irq_save())
    await set_cpus_allowed(0, 1)
    await choose(1)
    await wake_up_new_task(1)
    await pause()
    await schedule()
    await sleep_until(word.address, 1, 1)
    raise AssertionError("the end")


async def child(word: Word) -> None:
    """Moves when its parent pauses."""
    await word.load()


class First(RandomWalk):
    """The first declared context that may move."""

    def pick(self, enabled: Sequence[Context]) -> Context:
        return enabled[0]

    def choose(self, n: int) -> int:
        return 0


def test_every_kind_in_words() -> None:
    program = Program("every-kind", 2, choices_are_points=True)
    layout = program.layout
    word, split = layout.word("word"), layout.place("split", SplitWord)
    nodes, box = layout.pool("node", Node, 1), layout.mailbox("box", 1, Message)
    program.task("task", every_kind, word, split, nodes, box, cpus=[0])
    program.task("child", child, word, cpus=[1], live=False)
    outcome = Interpreter(program).run(First(0))
    schedule = Schedule(
        "every-kind",
        Parameters(),
        {},
        *by_name(program, outcome.schedule),
        Origin("first", 0, 0),
        "crash:AssertionError",
    )
    steps = replay_on(schedule, program).steps
    told = [describe(step, program) for step in steps if step.context == "task"]
    assert told == WORDS.splitlines()
    assert {Kind(step.operation[0] & ~3) for step in steps} | ELSEWHERE == set(Kind)


ELSEWHERE = {
    Kind.EMIT,
    Kind.CHECK,
    Kind.PROCESSOR_ID,
    Kind.ENTER,
    Kind.ENTER_PENDING,
    Kind.ENTER_ASSERTED,
    Kind.LEAVE,
}
"""Kinds that are no move, or only an interrupt's; see test_lanes."""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (9, "9"),
        (10, "0xa"),
        (2**64 - 1, "-1"),
        (2**64 - 4095, "-4095"),
        (2**63, hex(2**63)),
    ],
)
def test_values(value: int, words: str) -> None:
    assert show(value, Layout(0)) == words


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Message(1, (2,)), "Message number=1 stack=(2)"),
        (Message(-5, (4096,)), "Message number=-5 stack=(0x1000)"),
        ("text", "text"),
        (("a", 1), "('a', 1)"),
        (Message, repr(Message)),
    ],
)
def test_events(event: object, words: str) -> None:
    assert show_event(event) == words
