"""A Treiber stack with its ABA bug: pop() takes an unchanged head for an unchanged stack.

Nodes are never freed, as with SLAB_TYPESAFE_BY_RCU, so reading a popped node's `next` is no fault by itself.
"""

from stackweave.core import Pool, Program, Struct, Word, check


class Node(Struct):
    next: Word
    taken: Word
    """1 while somebody has popped it."""


async def push(head: Word, node: Node) -> None:
    await node.taken.store(0)
    while True:
        old = await head.load()
        await node.next.store(old)
        if await head.cmpxchg(old, node.address) == old:
            return


async def pop(head: Word, nodes: Pool[Node]) -> Node | None:
    while True:
        old = await head.load()
        if old == 0:
            return None
        node = nodes.at(old)
        following = await node.next.load()
        if await head.cmpxchg(old, following) == old:
            await check(await node.taken.xchg(1) == 0, "popped-twice")
            return node


async def worker(head: Word, nodes: Pool[Node]) -> None:
    await push(head, nodes.at(await nodes.alloc()))
    first = await pop(head, nodes)
    await pop(head, nodes)
    if first:
        await push(head, first)


def program() -> Program:
    program = Program("treiber-buggy")
    head = program.layout.word("head")
    nodes = program.layout.pool("node", Node, 2)
    program.thread("worker0", worker, head, nodes)
    program.thread("worker1", worker, head, nodes)
    return program
