"""The documentation says what the code does."""

from pathlib import Path
from typing import Final

from stackweave.core.machine import Effect, Guard, State, table
from stackweave.core.monitors import PROPERTIES

DOCS: Final = Path(__file__).parents[2] / "docs"

BUILT_IN: Final = ("check", "deadlock", "crash", "null-pointer", "wild-pointer", "use-after-free")
"""Properties that the interpreter itself reports: see test_violations.py, test_blocking.py and test_memory.py."""


def rows(document: str) -> list[tuple[str, ...]]:
    """The rows of all tables."""
    lines = (DOCS / document).read_text().splitlines()
    return [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in lines
        if line.startswith("| ")
    ]


def test_the_machine_is_documented_as_it_is() -> None:
    headings = {("transition", "from", "guards", "effects", "to"), ("name", "meaning")}
    written = [row for row in rows("machine.md") if row not in headings]
    meanings = [(item.name, item.value) for kind in (State, Guard, Effect) for item in kind]
    assert written == [*table(), *meanings]


def test_every_property_is_documented_and_none_besides() -> None:
    written = [row[0].strip("`") for row in rows("properties.md") if row[0] != "property"]
    assert sorted(written) == sorted([*PROPERTIES, *BUILT_IN])
