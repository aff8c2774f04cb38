"""How fast a section becomes arrays: the tables of this system's C library, made from its `.eh_frame`."""

from collections.abc import Callable
from pathlib import Path
from statistics import median

from measure import Row, round_seconds

from stackweave.core.sframe import SFrameSection
from stackweave.core.sframe.batch.tables import table_of
from stackweave.core.sframe.dialect import Dialect
from stackweave.core.sframe.eh_frame import generate
from stackweave.core.sframe.elf import map_file, parse_elf
from stackweave.core.sframe.encode import encode

_ADDRESS = 1 << 32
"""Where the section is said to be linked."""


def run() -> list[Row]:
    """One row for arrays of all rules, one for the unwinder in Python, which decodes what it needs."""
    path = _library()
    contents, _ = generate(parse_elf(map_file(path), path.name), Dialect.V3, _ADDRESS)
    data = encode(contents)
    table = table_of(SFrameSection(data, _ADDRESS))
    assert table is not None
    starts = [int(start) for start in table.starts]

    def arrays() -> None:
        table_of(SFrameSection(data, _ADDRESS))

    def every_function() -> None:
        section = SFrameSection(data, _ADDRESS)
        for start in starts:
            section.rule_at(start)

    what: dict[str, Callable[[], object]] = {
        "opened, no row read": lambda: SFrameSection(data, _ADDRESS),
        "all rows, as arrays": arrays,
        "one row a function, in Python": every_function,
    }
    return [
        _row(f"{path.name}, {name}", len(data), len(table.row_starts), round_seconds(work))
        for name, work in what.items()
    ]


def _library() -> Path:
    """The C library that this Python runs with."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        path = Path(line.split()[-1])
        if path.name.startswith("libc.so") or path.name.startswith("libc-"):
            return path
    raise SystemExit("this Python has mapped no C library")


def _row(what: str, size: int, rows: int, rounds: list[float]) -> Row:
    return {
        "what": what,
        "bytes": size,
        "rows": rows,
        "milliseconds": round(median(rounds) * 1e3, 2),
        "fastest": round(min(rounds) * 1e3, 2),
        "slowest": round(max(rounds) * 1e3, 2),
        "mb_per_second": round(size / median(rounds) / 1e6, 1),
    }
