"""The table of the gallery: a line an entry, from the evidence that is kept."""

from collections.abc import Iterator, Mapping
from textwrap import shorten
from typing import Final

from stackweave.exits import Exit

from .entry import Entry
from .evidence import Evidence
from .measure import digest_of
from .wording import in_words

WIDTH: Final = 115
"""Columns of the table."""


class Table:
    """All entries, and what was measured for each."""

    def __init__(self, entries: Mapping[str, Entry], evidence: Mapping[str, Evidence]) -> None:
        self._entries = entries
        self._evidence = evidence
        self._states = {id: _state(entry, evidence.get(id)) for id, entry in entries.items()}

    @property
    def exit(self) -> Exit:
        """A violation where what was measured contradicts a verdict."""
        disagreeing = "disagrees" in self._states.values()
        return Exit.VIOLATION if disagreeing else Exit.CLEAN

    def as_json(self) -> dict[str, object]:
        """The document for programs."""
        return {
            "command": "gallery",
            "entries": [
                {
                    "id": id,
                    "title": entry.title,
                    "generation": entry.generation,
                    "source": entry.source,
                    "verdict": entry.verdict.value,
                    "evidence": self._words(id),
                    "searched": self._searched(id),
                    "state": self._states[id],
                    "gone": [each.where for each in entry.gone],
                    "also": list(entry.also),
                    "seen": entry.seen,
                    "conditional": entry.conditional,
                    "story": list(entry.story),
                }
                for id, entry in self._entries.items()
            ],
            "exit": int(self.exit),
        }

    def as_text(self) -> str:
        """A line an entry; `*` marks what a real kernel was seen to do."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        ids = max(map(len, self._entries))
        measured = max(len(self._words(id)) for id in self._entries)
        verdicts = max(len(entry.verdict.value) for entry in self._entries.values())
        for id, entry in self._entries.items():
            state = f"{self._states[id].upper()}: " if self._states[id] else ""
            seen = "*" if entry.seen else " "
            left = f"{id:<{ids}} {seen} {entry.verdict.value:<{verdicts}}  {self._words(id):<{measured}}  "
            yield left + shorten(f"{state}{entry.title}", WIDTH - len(left), placeholder="…")
        yield ""
        yield "* seen on a running 7.2 kernel. `stackweave gallery ID` runs an entry and tells its story."

    def _searched(self, id: str) -> dict[str, object] | None:
        """Every execution of the entry's own program."""
        evidence = self._evidence.get(id)
        if evidence is None or evidence.searched is None:
            return None
        found = evidence.searched
        return {"complete": found.complete, "states": found.states, "moves": found.moves}

    def _words(self, id: str) -> str:
        evidence = self._evidence.get(id)
        return in_words(self._entries[id], evidence) if evidence is not None else ""


def _state(entry: Entry, evidence: Evidence | None) -> str:
    """What is wrong with the evidence, if anything."""
    if entry.case is None:
        return ""
    if evidence is None:
        return "not measured"
    if evidence.digest != digest_of(entry.case):
        return "stale"
    return "" if evidence.bears_out(entry) else "disagrees"
