"""Room for what a search finds: its arrays, and longer ones. None where there is no memory for them."""

from collections.abc import Callable

import numpy as np

from .layout import ABSENT, MOST_VIOLATIONS, Words
from .search_layout import At, Space
from .search_state import rehash

HasMemory = Callable[[int], bool]
"""Whether there is memory for so many bytes more."""


def new_space(vector: Words, most: int, kin: Words, *, graph: bool) -> Space:
    """Of a search that has found nothing. `kin` is empty where nothing is left out."""
    at = np.zeros(len(At), dtype=np.int64)
    at[At.HEAD] = ABSENT
    at[At.POSITION] = ABSENT
    at[At.MOST] = most
    at[At.PROVISO] = at[At.NODES] = 1
    return Space(
        at=at,
        parent=vector.copy(),
        columns=np.zeros(vector.size, dtype=np.int64),
        column_of=np.full(vector.size, ABSENT, dtype=np.int64),
        minded=np.ones(vector.size, dtype=np.int64),
        rows=np.zeros((1024, 9), dtype=np.int64),
        table=np.zeros((4096, 2 if graph or kin.size else 1), dtype=np.int64),
        origins=np.zeros((1024, 2), dtype=np.int64),
        first=np.zeros((MOST_VIOLATIONS, 2), dtype=np.int64),
        edges=np.zeros((4096 if graph else 0, 3), dtype=np.int64),
        starts=np.zeros(1025 if graph else 1, dtype=np.int64),
        obliged=np.zeros(1024 if graph else 0, dtype=np.int64),
        progress=np.zeros(0, dtype=np.int64),
        kin=kin,
    )


def add_column(space: Space, has_memory: HasMemory) -> Space | None:
    """For a position that differs from the first state's."""
    at, position = space.at, int(space.at[At.POSITION])
    column = int(at[At.COLUMNS])
    if column + 1 >= space.rows.shape[1]:
        wide = np.zeros((len(space.rows), 2 * space.rows.shape[1]), dtype=np.int64)
        if not has_memory(wide.nbytes):
            return None
        wide[:, : space.rows.shape[1]] = space.rows
        space = space._replace(rows=wide)
    space.columns[column] = position
    space.column_of[position] = column
    space.rows[:, column + 1] = space.parent[position]
    at[At.COLUMNS] += 1
    at[At.POSITION] = ABSENT
    return space


def add_rows(space: Space, has_memory: HasMemory) -> Space | None:
    """For states."""
    count, base = int(space.at[At.COUNT]), int(space.at[At.BASE])
    if count - base >= len(space.rows):
        if not has_memory(space.rows.nbytes):
            return None
        space = space._replace(rows=_longer(space.rows))
    if count >= len(space.origins):
        if not has_memory(space.origins.nbytes):
            return None
        space = space._replace(origins=_longer(space.origins))
        if len(space.obliged):
            starts = np.zeros(len(space.origins) + 1, dtype=np.int64)
            starts[: len(space.starts)] = space.starts
            space = space._replace(starts=starts, obliged=_longer(space.obliged))
    return space


def add_edges(space: Space, has_memory: HasMemory) -> Space | None:
    """Of the graph."""
    if not has_memory(space.edges.nbytes):
        return None
    return space._replace(edges=_longer(space.edges))


def enlarge_table(space: Space, has_memory: HasMemory) -> Space | None:
    """Of fingerprints."""
    old = space.table
    if not has_memory(2 * old.nbytes):
        return None
    table = np.zeros((2 * old.shape[0], old.shape[1]), dtype=np.int64)
    rehash(old, table)
    return space._replace(table=table)


def _longer(array: Words) -> Words:
    """Twice as long, the rest zeros."""
    longer = np.zeros((2 * len(array), *array.shape[1:]), dtype=np.int64)
    longer[: len(array)] = array
    return longer
