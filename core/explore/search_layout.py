"""Where a search keeps what: the numbers that Python and the compiled loop share.

A state is kept as its fingerprint and, while it waits to be expanded, as a row: only those positions of
`State.vector` that ever differ from the first state's have a column. How a state was come to is kept for all:
who came before, and the edge: context + contexts * code, where the code is the move's choices, the first one
least significant, each in the base of how many there were to choose among.
"""

from enum import IntEnum, auto
from typing import Final, NamedTuple

from .layout import Words

ALL: Final = 0
SAME: Final = 1
OTHERS: Final = 2
"""Which enabled contexts are followed: all, who moved last, who did not."""

NO_EDGE_BEFORE: Final = -1
"""The parent of a first state, and the edge of what was seen in a state and not on the way to one."""

EXPANDED: Final = 0
MISSING_EDGE: Final = 1
MISSING_MONITOR_EDGE: Final = 2
MODEL_ERROR: Final = 4
"""As `layout.Status`, and:"""
NEW_COLUMN: Final = 5
FULL_ROWS: Final = 6
FULL_TABLE: Final = 7
FULL_EDGES: Final = 8
TOO_MANY_CHOICES: Final = 9
PAUSED: Final = 10
"""Nothing is wrong: Python may look at what there is, such as a new violation."""
AT_MOST: Final = 11
"""One state more than was allowed."""


class At(IntEnum):
    """Scalars of a search."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[int]) -> int:
        return count

    HEAD = auto()
    """The state that is expanded, or is next; -1 before the first states are made."""
    END = auto()
    """One more than the last state to expand; where FOLLOWED is SAME, those that come meanwhile are, too."""
    BASE = auto()
    """The state in the first row."""
    COUNT = auto()
    """States so far."""
    MOST = auto()
    """As many as there may be."""
    COLUMNS = auto()
    NEXT = auto()
    """Of the enabled contexts, the one to follow next."""
    FOLLOWED = auto()
    GIVEN = auto()
    """Choices of the script that are given; the others are the first ones."""
    AT_END = auto()
    """Whether the program's end runs for a state that has just been found."""
    TRANSITIONS = auto()
    ENDS = auto()
    """States in which every task has ended."""
    EDGES = auto()
    POSITION = auto()
    """That needs a column."""
    BREACH = auto()
    """The violations that were seen."""
    UNTIL_PAUSE = auto()
    OWNERS = auto()
    """Whether operations on words with one owner are followed alone."""
    ONLY = auto()
    """1 + the one context that is followed from the state; 0: undecided; -1: none alone."""
    PROVISO = auto()
    """1; 0 if whoever is followed alone may lead back, which is a mistake that tests plant."""
    NODES = auto()
    """1; 0 if contexts are taken for alike wherever they stand, which is a mistake that tests plant."""


class Space(NamedTuple):
    """What a search has found."""

    at: Words
    """Scalars, by `At`."""
    parent: Words
    """The vector of the state that is expanded."""
    columns: Words
    """Of each column, its position in the vector."""
    column_of: Words
    """Of each position its column, or `ABSENT`."""
    minded: Words
    """Of each position 1; 0 for one that fingerprints ignore, which is a mistake that tests plant."""
    rows: Words
    """Of each state that waits: its fingerprint, then its columns."""
    table: Words
    """Fingerprints, hashed; beside each, where the graph is kept, its state's number."""
    origins: Words
    """Of each state: the one before it, and the edge."""
    first: Words
    """Of each violation: the state before it was first seen, and the edge."""
    edges: Words
    """Of the graph: (state, edge, whether there was progress), those of one state in a row."""
    starts: Words
    """Of each state: its first edge in the graph, which ends the edges of the state before it."""
    obliged: Words
    """Of each state: the contexts that may move and cannot stay away for ever, as bits."""
    progress: Words
    """Of each event, whether it is progress."""
    kin: Words
    """Of each context: which others are its like where they stand alike, by number; `ABSENT` for none."""
