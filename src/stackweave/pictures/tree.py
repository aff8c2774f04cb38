"""All stacks as one tree of calls, from the outermost inwards, and why stacks end."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from .stack import NamedStack


class Kind(IntEnum):
    """What a box of the tree is."""

    FUNCTION = 0
    THREAD = 1
    """The beginning of all stacks of the threads of one name."""
    CUT = 2
    """Stands for the callers that are not known, and says why."""


Box = tuple[str, str, Kind]
"""Label, module or nothing, kind."""


@dataclass(slots=True)
class CallTree:
    """The tree as columns, one row per node; parents come before their children, children sorted."""

    boxes: list[Box]
    box: list[int] = field(default_factory=list)
    """Number in `boxes`."""
    parent: list[int] = field(default_factory=list)
    """Number of the node; -1: none."""
    count: list[int] = field(default_factory=list)
    """Stacks that end there."""
    ends: list[tuple[str, int]] = field(default_factory=list)
    """Why stacks are cut, and how many; the most frequent first."""
    whole: int = 0
    """Stacks that are not cut."""


def call_tree(stacks: Iterable[NamedStack]) -> CallTree:
    """Aggregate: memory grows with the number of different stacks, not of samples."""
    numbers: dict[Box, int] = {}
    counts: Counter[tuple[int, ...]] = Counter()
    ends: Counter[str | None] = Counter()
    for stack in stacks:
        ends[stack.cut] += 1
        counts[tuple(numbers.setdefault(box, len(numbers)) for box in _boxes(stack))] += 1
    tree = CallTree(list(numbers), whole=ends.pop(None, 0))
    tree.ends = sorted(
        ((why, count) for why, count in ends.items() if why is not None),
        key=lambda end: (-end[1], end[0]),
    )
    _grow(tree, counts)
    return tree


def _boxes(stack: NamedStack) -> Iterator[Box]:
    """Outermost first."""
    yield stack.thread.name or "[unknown]", "", Kind.THREAD
    if stack.cut is not None:
        yield stack.cut, "", Kind.CUT
    for frame in reversed(stack.frames):
        yield frame.label, frame.module or "", Kind.FUNCTION


def _grow(tree: CallTree, counts: Counter[tuple[int, ...]]) -> None:
    """Nodes in the order of their labels, so that the same stacks give the same tree."""
    order = {number: rank for rank, (_, number) in enumerate(_ranked(tree.boxes))}
    path: list[tuple[int, int]] = []
    for stack in sorted(counts, key=lambda stack: [order[number] for number in stack]):
        depth = 0
        while depth < min(len(path), len(stack)) and path[depth][0] == stack[depth]:
            depth += 1
        del path[depth:]
        for number in stack[depth:]:
            tree.parent.append(path[-1][1] if path else -1)
            tree.box.append(number)
            tree.count.append(0)
            path.append((number, len(tree.box) - 1))
        tree.count[path[-1][1]] += counts[stack]


def _ranked(boxes: list[Box]) -> list[tuple[Box, int]]:
    return sorted((box, number) for number, box in enumerate(boxes))
