"""The mutex excludes; readers of a list hold no lock and still see a list."""

from contextlib import nullcontext

import pytest

from stackweave.core import Interpreter, Outcome, Program, RandomWalk, Verdict, check, schedule
from stackweave.core.kernel.lists import list_add_rcu, list_del_rcu
from stackweave.core.kernel.mutex import Mutex
from stackweave.core.kernel.structs import ListHead

from .support import notes, saw

TASKS, ROUNDS = 3, 2


def _counting(excluded: bool) -> Program:
    program = Program("mutex", TASKS)
    for cpu in range(TASKS):
        program.cpu(cpu)
    mutex = Mutex(program.layout.word("mutex"))
    count = program.layout.word("count")

    async def body() -> None:
        for _ in range(ROUNDS):
            async with mutex if excluded else nullcontext():
                old = await count.load()
                await schedule()
                await count.store(old + 1)

    async def end() -> None:
        await check(await count.load() == TASKS * ROUNDS, "lost-update")

    for number in range(TASKS):
        program.task(f"task{number}", body, cpus=range(TASKS))
    program.finally_(end)
    return program


def _run(program: Program, count: int) -> list[Outcome]:
    interpreter, strategy = Interpreter(program), RandomWalk(5)
    return [interpreter.run(strategy, execution) for execution in range(count)]


def test_a_mutex_excludes() -> None:
    assert all(each.verdict is Verdict.CLEAN for each in _run(_counting(excluded=True), 300))


def test_without_it_updates_are_lost() -> None:
    outcomes = _run(_counting(excluded=False), 50)
    assert any(each.verdict is Verdict.VIOLATION for each in outcomes)


def test_a_mutex_that_is_held_for_ever_is_a_deadlock() -> None:
    program = Program("mutex", 1)
    program.cpu(0)
    mutex = Mutex(program.layout.word("mutex"))

    async def body() -> None:
        async with mutex, mutex:
            pass

    program.task("task", body, cpus=(0,))
    [outcome] = _run(program, 1)
    assert [each.signature for each in outcome.violations] == ["deadlock"]


class Nodes:
    """A list of two nodes, 1 in front of 0, and node 2 apart."""

    def __init__(self) -> None:
        self.program = Program("lists")
        layout = self.program.layout
        self.head = layout.place("head", ListHead)
        self.nodes = [layout.place(f"node{number}", ListHead) for number in range(3)]
        ring = [self.head, self.nodes[1], self.nodes[0]]
        for here, there in zip(ring, ring[1:] + ring[:1], strict=True):
            layout.initialise(here.next, there.address)
            layout.initialise(there.prev, here.address)
        self.all = {node.address: node for node in (self.head, *self.nodes)}
        self.number = {node.address: number for number, node in enumerate(self.nodes)}

    async def walk(self, name: str, backwards: bool = False) -> None:
        """Note the numbers of the nodes that a reader meets."""
        found: list[int] = []
        address = self.head.address
        while True:
            node = self.all[address]
            address = await (node.prev if backwards else node.next).load()
            if address == self.head.address:
                break
            found.append(self.number[address])
            if len(found) > 5:
                break
        await saw(name, tuple(found))


def _changed_and_read(nodes: Nodes, publish_first: bool = False) -> Program:
    async def change() -> None:
        if publish_first:
            await nodes.head.next.store(nodes.nodes[2].address)
        await list_add_rcu(nodes.all, nodes.nodes[2], nodes.head)
        await list_del_rcu(nodes.all, nodes.nodes[1])
        await nodes.walk("after")
        await nodes.walk("back", backwards=True)

    nodes.program.thread("change", change)
    nodes.program.thread("read", nodes.walk, "read")
    return nodes.program


def test_a_reader_sees_a_list_at_any_time() -> None:
    seen = set()
    for outcome in _run(_changed_and_read(Nodes()), 500):
        assert outcome.verdict is Verdict.CLEAN
        [found] = notes(outcome, "read")
        seen.add(found)
        assert notes(outcome, "after") == [(2, 0)]
        assert notes(outcome, "back") == [(0, 2)]
    assert seen == {(1, 0), (2, 1, 0), (2, 0)}


def test_a_node_published_before_it_is_linked_is_no_list() -> None:
    outcomes = _run(_changed_and_read(Nodes(), publish_first=True), 500)
    lists = {(1, 0), (2, 1, 0), (2, 0)}
    assert any(
        outcome.verdict is Verdict.VIOLATION or notes(outcome, "read")[0] not in lists
        for outcome in outcomes
    )


@pytest.mark.parametrize("gone", [0, 1])
def test_deletion_keeps_the_ring(gone: int) -> None:
    nodes = Nodes()

    async def change() -> None:
        await list_del_rcu(nodes.all, nodes.nodes[gone])
        await nodes.walk("forward")
        await nodes.walk("back", backwards=True)

    nodes.program.thread("change", change)
    [outcome] = _run(nodes.program, 1)
    assert notes(outcome, "forward") == notes(outcome, "back") == [(1 - gone,)]


def test_what_is_on_no_list_cannot_be_deleted_again() -> None:
    nodes = Nodes()

    async def change() -> None:
        await list_del_rcu(nodes.all, nodes.nodes[0])
        await list_del_rcu(nodes.all, nodes.nodes[1])
        await list_add_rcu(nodes.all, nodes.nodes[1], nodes.head)
        await list_del_rcu(nodes.all, nodes.nodes[1])
        await saw("again", None)
        await list_del_rcu(nodes.all, nodes.nodes[0])

    nodes.program.thread("change", change)
    [outcome] = _run(nodes.program, 1)
    assert notes(outcome, "again") == [None]
    assert [each.signature for each in outcome.violations] == ["wild-pointer:list_head"]
