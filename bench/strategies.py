"""How many executions each strategy takes to find a bug: `python bench/strategies.py` writes the tables of
docs/strategies.md.

Medians over 20 seeds, of executions counted from 1. All of it is deterministic, whatever machine it runs on.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import Final

from stackweave.core import Program
from stackweave.core.explore.engine import Engine
from stackweave.core.strategies import Tactic
from stackweave.gallery.entries import ENTRIES
from stackweave.gallery.entry import Verdict
from stackweave.programs import Parameters
from stackweave.programs.peers import PEERS

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "strategies.md"
STRATEGIES: Final = ("random-walk", "pct:3", "pos", "surw", "preemption-bound:2")
SEEDS: Final = range(20)
CAP: Final = 10_000
CAPS: Final = {"safestack": 500_000}
_FIRST: Final = 64
PROCESSES: Final = 2

PUBLISHED: Final = {
    "reorder_3": ("223", "241", "6", "7"),
    "reorder_5": ("4,377 (17)", "1,126", "12", "6"),
    "reorder_10": ("none", "2,356", "27", "6"),
    "reorder_20": ("none", "2,128", "39", "6"),
    "reorder_100": ("none", "7,447 (1)", "297", "6"),
    "twostage": ("15", "9", "4", "8"),
    "twostage_20": ("185", "188", "76", "22"),
    "twostage_50": ("1,984 (19)", "849", "286", "35"),
    "twostage_100": ("none", "3,888 (6)", "690", "56"),
    "bluetooth": ("72", "161", "9", "45"),
    "account": ("1", "9", "10", "1"),
    "safestack": ("none", "none", "none", "none"),
}
"""POS, PCT with depth 3, PERIOD, RFF: means over successful trials of 20, how many were if not all, computed from
the data of dylanjwolff/RFF (ASPLOS 2024), scripts/data-analysis."""

Task = tuple[str, str, int]
"""Group, name, cap."""


def main() -> None:
    """Measure everything and write it down."""
    peers = [("peers", name, CAPS.get(name, CAP)) for name in PEERS]
    gallery = [
        ("gallery", id, CAP)
        for id, entry in ENTRIES.items()
        if entry.case is not None and entry.signatures and entry.verdict is Verdict.REPRODUCED
    ]
    with ProcessPoolExecutor(PROCESSES) as pool:
        peer_rows = list(pool.map(_row, peers))
        gallery_rows = list(pool.map(_row, gallery))
    text = DOCUMENT.read_text()
    published = [[*row, *PUBLISHED.get(row[0].strip("`"), ("", "", "", ""))] for row in peer_rows]
    heads = [*STRATEGIES, "POS", "PCT:3", "PERIOD", "RFF"]
    text = _replaced(text, "peers", _table(["program", *heads], published))
    text = _replaced(text, "gallery", _table(["entry", *STRATEGIES], gallery_rows))
    DOCUMENT.write_text(text)


def _row(task: Task) -> list[str]:
    group, name, cap = task
    make, signatures = _maker(group, name)
    cells = []
    for strategy in STRATEGIES:
        engine = Engine(make(), Tactic.parse(strategy))
        cells.append(_cell([_first(engine, signatures, seed, cap) for seed in SEEDS], cap))
        engine.discard()
    print(name, *cells, flush=True)
    return [f"`{name}`", *cells]


def _maker(group: str, name: str) -> tuple[Callable[[], Program], Sequence[str]]:
    """How to make a program, and what shows its bug: anything, where nothing is named."""
    if group == "peers":
        return (lambda: PEERS[name](Parameters())), ()
    entry = ENTRIES[name]
    case = entry.case
    assert case is not None
    return (lambda: case.subject().program), entry.signatures


def _first(engine: Engine, signatures: Sequence[str], seed: int, cap: int) -> int | None:
    """The number of the first execution of a seed that shows the bug, from 1; None beyond the cap."""
    first, end = 0, min(_FIRST, cap)
    while first < cap:
        breaches = engine.run(seed, first, end).breaches
        shown = [
            each.first
            for each in breaches
            if not signatures or not set(signatures).isdisjoint(each.signatures)
        ]
        if shown:
            return min(shown) + 1
        first, end = end, min(4 * end, cap)
    return None


def _cell(firsts: Sequence[int | None], cap: int) -> str:
    """The median, and how many seeds found it if not all did."""
    found = sum(first is not None for first in firsts)
    middle = median(cap + 1 if first is None else first for first in firsts)
    text = f">{cap:,}" if middle > cap else f"{middle:,.0f}"
    return text if found == len(firsts) else f"{text} ({found})"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _replaced(text: str, name: str, table: str) -> str:
    before, rest = text.split(f"<!-- {name} -->\n")
    _, after = rest.split(f"<!-- end of {name} -->")
    return f"{before}<!-- {name} -->\n{table}\n<!-- end of {name} -->{after}"


if __name__ == "__main__":
    main()
