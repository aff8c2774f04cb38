"""How many states a search finds when equal nodes are one: automata minimised by bisimulation.

A Promela process is at a line with values of variables, ours is at a node: what one calls two, the other may call
one. Nodes that await the same, and whose edges lead by the same results to the same, are one. So are a Promela
process's lines and variables, where each variable is zeroed as soon as nobody reads it any more.
"""

from collections.abc import Hashable, Sequence

import numpy as np

from stackweave.core.explore.search import Searcher


def classes_of(searcher: Searcher) -> list[int]:
    """Of each node its class: the coarsest partition that all edges respect."""
    labels, all_edges = searcher.automaton()
    classes = _numbered(labels)
    while True:
        edges: list[set[tuple[int, int]]] = [set() for _ in labels]
        for node, result, target in all_edges:
            edges[node].add((result, classes[target]))
        finer = _numbered([(at, tuple(sorted(e))) for at, e in zip(classes, edges, strict=True)])
        if max(finer) == max(classes):
            return classes
        classes = finer


def _numbered(values: Sequence[Hashable]) -> list[int]:
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(value, len(numbers)) for value in values]


def minimised_states(searcher: Searcher) -> int:
    """The number of states by the classes of their nodes."""
    nodes = np.array(classes_of(searcher), dtype=np.int64)[searcher.nodes_of()]
    return len(np.unique(np.hstack([searcher.memory_words(), nodes]), axis=0))
