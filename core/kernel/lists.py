"""Doubly linked lists whose readers hold no lock (include/linux/rculist.h).

A pointer is the address of a `ListHead`.
"""

from collections.abc import Mapping
from typing import Final

from ..errors import ViolationFound
from ..operations import RELEASE
from .structs import ListHead

LIST_POISON2: Final = 0x122
"""A pointer that is none (include/linux/poison.h)."""

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
    """Unlink; the node's own `next` stays for readers that stand on it, and its `prev` is poison for whoever
    unlinks it again."""
    following = await node.next.load()
    preceding = await node.prev.load()
    await nodes[following].prev.store(preceding)
    if preceding == LIST_POISON2:
        raise ViolationFound(
            "wild-pointer", "wild-pointer:list_head", f"{node.name} is on no list any more"
        )
    await nodes[preceding].next.store(following)
    await node.prev.store(LIST_POISON2)
