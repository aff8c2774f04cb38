"""What a search looked at, and what it did not: contexts, monitors, conditions that somebody waits for."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from stackweave.core import Kind, Program
from stackweave.core.explore.automaton import Awaited
from stackweave.core.explore.search import Searcher
from stackweave.core.explore.search_layout import NO_EDGE_BEFORE, At
from stackweave.core.operations import EMIT, kind_name

_WORDS: Final = (Kind.WAIT, Kind.ACQUIRE, Kind.SLEEP)
_MAILBOXES: Final = (Kind.SEND, Kind.RECEIVE)
_SHOWN: Final = 3
"""Names of each sort in the text; all are in the document."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What took part. Of all that did not, the names."""

    contexts: int
    """That the program has."""
    idle: tuple[str, ...]
    """Contexts that never moved, or changed nothing by it."""
    monitors: int
    """That the program has."""
    deaf: tuple[str, ...]
    """Monitors that saw no event."""
    vain: tuple[str, ...]
    """What was waited for and never came."""

    @property
    def covered(self) -> str:
        """What took part, in words."""
        return (
            f"{self.contexts - len(self.idle)} of {self.contexts} contexts moved, "
            f"{self.monitors - len(self.deaf)} of {self.monitors} monitors saw an event"
        )

    @property
    def uncovered(self) -> tuple[str, ...]:
        """What did not, in words."""
        parts = (
            ("never moved, or changed nothing", self.idle),
            ("saw no event", self.deaf),
            ("never came true", self.vain),
        )
        return tuple(f"{what}: {_listed(names)}" for what, names in parts if names)


class Explorer(Searcher):
    """A search that knows what it did not look at."""

    def coverage(self) -> Coverage:
        """Of the search so far."""
        program, moved, heard = self.program, self._moved(), self._heard()
        return Coverage(
            len(program.contexts),
            tuple(spec.name for at, spec in enumerate(program.contexts) if at not in moved),
            len(program.monitors),
            tuple(
                f"{each.property} ({each.slice})" if each.slice else each.property
                for at, each in enumerate(program.monitors)
                if at not in heard
            ),
            tuple(sorted(self._vain())),
        )

    def _moved(self) -> set[int]:
        """Who made a move that led to a new state or to a violation."""
        space = self.space
        seen = int(space.at[At.BREACH])
        broken = [number for number in range(len(space.first)) if seen >> number & 1]
        edges = np.concatenate([space.origins[: int(space.at[At.COUNT])], space.first[broken]])
        made = (edges[:, 0] >= 0) & (edges[:, 1] != NO_EDGE_BEFORE)
        return set(np.unique(edges[made, 1] % len(self.program.contexts)).tolist())

    def _heard(self) -> set[int]:
        """The monitors that some event of some context belongs to."""
        events = {label.a for label in self._automaton.labels if label.kind == EMIT}
        return {at for event in events for at in self._watchers.routes(self._objects.value(event))}

    def _vain(self) -> set[str]:
        labels, edges = self.automaton()
        performed = {labels[node] for node, _, _ in edges}
        waited = {label for label in labels if label.kind in (*_WORDS, *_MAILBOXES)}
        return {_name(each, self.program) for each in waited - performed}


def _name(awaited: Awaited, program: Program) -> str:
    layout = program.layout
    mailbox = awaited.kind in _MAILBOXES
    name = layout.mailboxes[awaited.address].name if mailbox else layout.name_of(awaited.address)
    return f"{kind_name(awaited.kind)} {name}"


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
