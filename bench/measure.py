"""How the benchmarks measure: CPU seconds of this process, medians over rounds."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import process_time
from typing import Final

ROUNDS: Final = 9
SHORTEST: Final = 0.02
"""CPU seconds that one round lasts at least."""

Row = Mapping[str, object]


def median_seconds(work: Callable[[], object]) -> float:
    """Median CPU seconds of one call, over rounds long enough to measure."""
    return median(round_seconds(work))


def round_seconds(work: Callable[[], object]) -> list[float]:
    """CPU seconds of one call, one figure a round: medians come from them, and the spread."""
    calls = 1
    while _seconds(work, calls) < SHORTEST:
        calls *= 2
    return [_seconds(work, calls) / calls for _ in range(ROUNDS)]


def _seconds(work: Callable[[], object], calls: int) -> float:
    start = process_time()
    for _ in range(calls):
        work()
    return process_time() - start


def table(rows: Sequence[Row]) -> str:
    """The rows under their column names."""
    columns = list(rows[0])
    cells = [columns, *([_text(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(columns))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in cells
    )


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)
