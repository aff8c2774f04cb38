"""Declared memory, pooled objects, and what a wrong pointer is found to be."""

from collections.abc import Awaitable, Callable

import pytest

from stackweave.core import (
    HalfWord,
    Interpreter,
    ModelError,
    Pool,
    Program,
    RandomWalk,
    SignedWord,
    SplitWord,
    Struct,
    Verdict,
    Word,
    choose,
)
from stackweave.core.memory import NULL_PAGE, size_of

from .running import outcome_of, violation_of


class Id(Struct):
    id: SplitWord
    count: SignedWord


class Task(Struct):
    mask: Word
    identity: Id
    cache: Word


class Node(Struct):
    value: Word
    next: Word


def test_fields_lie_in_the_order_of_their_declaration() -> None:
    program = Program("layout")
    first = program.layout.word("first", 7)
    task = program.layout.place("task", Task)
    assert first.address == NULL_PAGE
    assert size_of(Task) == 4
    fields = (task.mask, task.identity.id, task.identity.count, task.cache)
    assert [field.address for field in fields] == [NULL_PAGE + 1 + i for i in range(4)]
    assert [field.name for field in fields] == [
        "task.mask",
        "task.identity.id",
        "task.identity.count",
        "task.cache",
    ]
    assert isinstance(task.identity.id.high, HalfWord)
    assert (task.identity.id.low.address, task.identity.id.high.address) == (36, 37)
    assert program.layout.name_of(NULL_PAGE + 2) == "task.identity.id"
    assert program.layout.name_of(3) == "0x3"


def test_a_layout_describes_itself() -> None:
    program = Program("layout", 2)
    program.layout.word("first", -1)
    program.layout.per_cpu("counter", Word)
    program.layout.pool("node", Node, 1)
    program.layout.mailbox("box", 3, str)
    assert program.layout.describe() == [
        "0xffffffffffffffff first",
        "0x0 counter[0]",
        "0x0 counter[1]",
        "0x0 node#0.value",
        "0x0 node#0.next",
        "0x0 box.ready",
        "pool node 1",
        "mailbox box 3 ()",
    ]


def test_nothing_is_declared_once_a_program_runs() -> None:
    program = Program("late")
    Interpreter(program)
    declarations: list[Callable[[], object]] = [
        lambda: program.layout.word("word"),
        lambda: program.layout.pool("pool", Node, 1),
        lambda: program.layout.mailbox("box", 1, str),
    ]
    for declare in declarations:
        with pytest.raises(ModelError, match="before the program runs"):
            declare()


def test_every_execution_starts_from_the_declared_memory() -> None:
    program = Program("again")
    word = program.layout.word("word", 5)
    pool = program.layout.pool("node", Node, 1)

    async def thread() -> None:
        await word.fetch_add(await pool.alloc())

    program.thread("thread", thread)
    interpreter = Interpreter(program)
    runs = [interpreter.run(RandomWalk(1), execution) for execution in range(3)]
    assert [run.words[word.address] for run in runs] == [5 + pool.objects[0].address] * 3


def pooled(body: Callable[[Pool[Node]], Awaitable[object]]) -> Program:
    """A program whose thread works on a pool of two nodes."""
    program = Program("pool")
    pool = program.layout.pool("node", Node, 2)

    async def thread() -> None:
        await body(pool)

    program.thread("thread", thread)
    return program


def test_alloc_gives_the_lowest_free_place_and_0_when_there_is_none() -> None:
    pointers: list[int] = []

    async def body(pool: Pool[Node]) -> None:
        for _ in range(3):
            pointers.append(await pool.alloc())
        await pool.free(pointers[0])
        pointers.append(await pool.alloc())

    assert outcome_of(pooled(body)).verdict is Verdict.CLEAN
    first, second, none, again = pointers
    assert (second - first, none, again) == (2, 0, first)


def test_an_allocation_may_fail_by_choice() -> None:
    # a failure that is not "none left" is a choice of the program
    program = Program("choice")
    pool = program.layout.pool("node", Node, 1)
    failed = program.layout.word("failed")

    async def thread() -> None:
        pointer = 0 if await choose(2) else await pool.alloc()
        await failed.store(pointer == 0)

    program.thread("thread", thread)
    interpreter, walk = Interpreter(program), RandomWalk(1)
    ends = {interpreter.run(walk, i).words[failed.address] for i in range(40)}
    assert ends == {0, 1}


def test_a_place_keeps_what_its_last_owner_left_in_it() -> None:
    values: list[int] = []

    async def body(pool: Pool[Node]) -> None:
        node = pool.at(await pool.alloc())
        await node.value.store(9)
        await pool.free(node.address)
        values.append(await pool.at(await pool.alloc()).value.load())

    assert outcome_of(pooled(body)).verdict is Verdict.CLEAN
    assert values == [9]


async def uses_after_free(pool: Pool[Node]) -> None:
    node = pool.at(await pool.alloc())
    await pool.free(node.address)
    await node.next.store(1)


async def compares_after_free(pool: Pool[Node]) -> None:
    node = pool.at(await pool.alloc())
    await pool.free(node.address)
    await node.next.cmpxchg(0, 1)


async def frees_twice(pool: Pool[Node]) -> None:
    pointer = await pool.alloc()
    await pool.free(pointer)
    await pool.free(pointer)


async def frees_what_was_never_allocated(pool: Pool[Node]) -> None:
    await pool.free(pool.objects[1].address)


async def uses_before_alloc(pool: Pool[Node]) -> None:
    await pool.objects[1].value.fetch_add(1)


async def follows_null(pool: Pool[Node]) -> None:
    pool.at(0)


async def frees_null(pool: Pool[Node]) -> None:
    await pool.free(0)


async def follows_the_second_field(pool: Pool[Node]) -> None:
    pool.at(await pool.alloc() + 1)


async def loads_from_the_null_page(pool: Pool[Node]) -> None:
    await Word(5, "null + 5").load()


async def loads_a_half_of_the_null_page(pool: Pool[Node]) -> None:
    await HalfWord(11, "null + 5.high").load()


@pytest.mark.parametrize(
    ("body", "signature", "explanation"),
    [
        (
            uses_after_free,
            "use-after-free:node",
            "thread uses node#0.next, which thread has freed",
        ),
        (
            compares_after_free,
            "use-after-free:node",
            "thread uses node#0.next, which thread has freed",
        ),
        (frees_twice, "double-free:node", "thread frees node#0, which thread has freed"),
        (
            frees_what_was_never_allocated,
            "double-free:node",
            "thread frees node#1, which nobody has freed",
        ),
        (uses_before_alloc, "use-before-alloc:node", "thread uses node#1.value"),
        (follows_null, "null-pointer:node", "0x0 points at no node"),
        (frees_null, "null-pointer:node", "0x0 points at no node"),
        (follows_the_second_field, "wild-pointer:node", "0x11 points at no node"),
        (loads_from_the_null_page, "null-pointer", "thread uses address 0x5"),
        (loads_a_half_of_the_null_page, "null-pointer", "thread uses address 0x5"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_wrong_pointers(
    body: Callable[[Pool[Node]], Awaitable[object]], signature: str, explanation: str
) -> None:
    violation = violation_of(pooled(body))
    assert (violation.signature, violation.explanation) == (signature, explanation)
    properties = {"null-pointer": "null-pointer", "wild-pointer": "wild-pointer"}
    assert violation.property == properties.get(signature.partition(":")[0], "use-after-free")


def test_a_use_after_free_names_both_sides() -> None:
    program = Program("two sides")
    pool = program.layout.pool("node", Node, 1)
    pointer = program.layout.word("pointer")

    async def owner() -> None:
        await pointer.store(await pool.alloc())
        await pool.free(await pointer.load())

    async def reader() -> None:
        found = await pointer.load()
        if found:
            await pool.at(found).value.load()

    program.thread("owner", owner)
    program.thread("reader", reader)
    interpreter, walk = Interpreter(program), RandomWalk(1)
    found = {
        (violation.signature, violation.explanation, violation.context)
        for execution in range(200)
        for violation in interpreter.run(walk, execution).violations
    }
    explanation = "reader uses node#0.value, which owner has freed"
    assert found == {("use-after-free:node", explanation, "reader")}


def test_an_object_that_is_allocated_anew_is_a_live_one() -> None:
    # the shadow state knows places, not who holds a pointer: reuse hides a stale pointer, as in the kernel
    async def body(pool: Pool[Node]) -> None:
        stale = pool.at(await pool.alloc())
        await pool.free(stale.address)
        await pool.alloc()
        await stale.value.load()

    assert outcome_of(pooled(body)).violations == ()
