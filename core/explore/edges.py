"""Edges of compiled automata: two in a node's row, the others in a hash table."""

from .compiling import compiled, compiled_inline
from .layout import (
    ABSENT,
    Words,
)


@compiled_inline
def slot(node: int, result: int, size: int) -> int:
    mixed = (node * 0x9E3779B97F4A7C15 ^ result * 0x94D049BB133111EB) & 0x7FFFFFFFFFFFFFFF
    return (mixed ^ mixed >> 29) & (size - 1)


@compiled_inline
def follow(rows: Words, keys: Words, nodes: Words, node: int, result: int, first: int) -> int:
    """The node that a result leads to, `ABSENT` for a missing edge. The first two edges lie in the node's row."""
    if rows[node, first + 1] != ABSENT:
        if rows[node, first] == result:
            return rows[node, first + 1]
        if rows[node, first + 3] != ABSENT:
            if rows[node, first + 2] == result:
                return rows[node, first + 3]
            size = nodes.size
            at = slot(node, result, size)
            while nodes[at] != ABSENT:
                if keys[at, 0] == node and keys[at, 1] == result:
                    return nodes[at]
                at = (at + 1) & (size - 1)
    return ABSENT


@compiled
def add_edge(
    rows: Words, keys: Words, nodes: Words, node: int, result: int, target: int, first: int
) -> bool:
    """Store an edge that is not there; whether it went into the hash table."""
    for place in (first, first + 2):
        if rows[node, place + 1] == ABSENT:
            rows[node, place] = result
            rows[node, place + 1] = target
            return False
    size = nodes.size
    at = slot(node, result, size)
    while nodes[at] != ABSENT:
        at = (at + 1) & (size - 1)
    keys[at, 0] = node
    keys[at, 1] = result
    nodes[at] = target
    return True
