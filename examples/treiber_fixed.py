"""A Treiber stack whose head counts: a version in the high half makes every change of the head a new value."""

from stackweave.core import Pool, Program, Struct, Word, as_u32, check


class Node(Struct):
    next: Word
    taken: Word
    """1 while somebody has popped it."""


def successor(head: int, pointer: int) -> int:
    """The head that follows: the next version, and another pointer."""
    return ((head >> 32) + 1) << 32 | pointer


async def push(head: Word, node: Node) -> None:
    await node.taken.store(0)
    while True:
        old = await head.load()
        await node.next.store(as_u32(old))
        if await head.cmpxchg(old, successor(old, node.address)) == old:
            return


async def pop(head: Word, nodes: Pool[Node]) -> Node | None:
    while True:
        old = await head.load()
        if as_u32(old) == 0:
            return None
        node = nodes.at(as_u32(old))
        following = await node.next.load()
        if await head.cmpxchg(old, successor(old, following)) == old:
            await check(await node.taken.xchg(1) == 0, "popped-twice")
            return node


async def worker(head: Word, nodes: Pool[Node]) -> None:
    await push(head, nodes.at(await nodes.alloc()))
    first = await pop(head, nodes)
    await pop(head, nodes)
    if first:
        await push(head, first)


def program() -> Program:
    program = Program("treiber-fixed")
    head = program.layout.word("head")
    nodes = program.layout.pool("node", Node, 2)
    program.thread("worker0", worker, head, nodes)
    program.thread("worker1", worker, head, nodes)
    return program
