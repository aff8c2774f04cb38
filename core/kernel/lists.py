"""Doubly linked lists whose readers hold no lock (include/linux/rculist.h).

A pointer is the address of a `ListHead`.
"""

from collections.abc import Mapping

from ..operations import RELEASE
from .structs import ListHead

Nodes = Mapping[int, ListHead]
"""Every list head of one kind by its address."""


async def list_add_rcu(nodes: Nodes, new: ListHead, head: ListHead) -> None:
    """Insert after the head, so newest first: links of the new node, then its publication."""
    first = await head.next.load()
    await new.next.store(first)
    await new.prev.store(head.address)
    await head.next.store(new.address, RELEASE)
    await nodes[first].prev.store(new.address)


async def list_del_rcu(nodes: Nodes, node: ListHead) -> None:
    """Unlink; the node's own `next` stays for readers that stand on it."""
    following = await node.next.load()
    preceding = await node.prev.load()
    await nodes[following].prev.store(preceding)
    await nodes[preceding].next.store(following)
