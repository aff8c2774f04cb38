"""`stackweave sframe stat`: coverage, sizes, functions, rows and rules in figures."""

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from stackweave.core.sframe.describe_coverage import CodeCoverage, coverage
from stackweave.core.sframe.describe_statistics import Statistics, statistics, unwind_sizes
from stackweave.exits import Exit
from stackweave.printable import printable

from .showing import Json, hexadecimal
from .source import Source, open_elf


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "files", metavar="FILE", type=Path, nargs="+", help="a program, library or object file"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """0 if all could be read, 2 if functions are damaged; what can be read is counted."""
    reports = [_report(open_elf(path)) for path in arguments.files]
    if arguments.json:
        print(json.dumps({"files": [_json(report) for report in reports]}))
    else:
        print("\n\n".join("\n".join(_lines(report)) for report in reports))
    return Exit.USAGE if any(report.figures.damaged for report in reports) else Exit.CLEAN


@dataclass(frozen=True, slots=True)
class _Report:
    name: str
    versions: tuple[int, ...]
    """One of each header."""
    figures: Statistics
    code: tuple[CodeCoverage, ...]
    sizes: dict[str, int]

    @property
    def ratio(self) -> float | None:
        """Bytes of .sframe for each of .eh_frame and .eh_frame_hdr."""
        others = sum(size for name, size in self.sizes.items() if name != ".sframe")
        return self.sizes.get(".sframe", 0) / others if others else None


def _report(source: Source) -> _Report:
    assert source.image is not None
    tables = source.section.tables
    return _Report(
        source.name,
        tuple(int(table.header.version) for table in tables),
        statistics(tables, len(source.contents)),
        coverage(source.image, tables),
        unwind_sizes(source.image),
    )


def _lines(report: _Report) -> list[str]:
    figures = report.figures
    headers = ", ".join(f"V{version}" for version in report.versions) or "no SFrame data"
    return [
        f"{printable(report.name)}: {headers}",
        "",
        *_code_lines(report.code),
        *(f"{name:<16}{size:>12,} bytes" for name, size in report.sizes.items()),
        *([] if report.ratio is None else [_ratio_line(report.ratio)]),
        "",
        f"{figures.functions:,} functions: {figures.flexible:,} flexible, "
        f"{figures.repeating:,} repeating, {figures.signal:,} of signals, "
        f"{figures.without_rows:,} without rows, {figures.damaged:,} damaged",
        f"{figures.rows:,} rows; bytes {_widths(figures.row_bytes)}",
        f"  of the start {_widths(figures.start_bytes)}",
        f"  of a word {_widths(figures.word_bytes)}",
        *(f"{count:>12,}  {rule}" for rule, count in _ordered(figures.rules)),
    ]


def _code_lines(code: tuple[CodeCoverage, ...]) -> list[str]:
    if not code:
        return ["coverage unknown: no code that has addresses"]
    rows = [(each.name, each.size, each.described) for each in code]
    rows.append(("all", sum(each.size for each in code), sum(each.described for each in code)))
    return [
        f"{printable(name):<16}{size:>12,} bytes, {described:,} described ({described / size:.1%})"
        for name, size, described in rows
    ]


def _ratio_line(ratio: float) -> str:
    return f".sframe is {ratio:.1%} of .eh_frame and .eh_frame_hdr"


def _widths(counts: Counter[int]) -> str:
    """`2: 10, 3: 1,234`."""
    return ", ".join(f"{width}: {counts[width]:,}" for width in sorted(counts)) or "none"


def _ordered(rules: Counter[str]) -> list[tuple[str, int]]:
    """The most frequent first, equal ones by name."""
    return sorted(rules.items(), key=lambda item: (-item[1], item[0]))


def _json(report: _Report) -> Json:
    figures = report.figures
    return {
        "file": report.name,
        "versions": report.versions,
        "code": [
            {
                "section": each.name,
                "address": hexadecimal(each.address),
                "size": each.size,
                "described": each.described,
            }
            for each in report.code
        ],
        "sizes": report.sizes,
        "ratio": report.ratio,
        "functions": figures.functions,
        "flexible": figures.flexible,
        "repeating": figures.repeating,
        "signal": figures.signal,
        "without_rows": figures.without_rows,
        "damaged": figures.damaged,
        "rows": figures.rows,
        "rules": dict(_ordered(figures.rules)),
        "row_bytes": dict(sorted(figures.row_bytes.items())),
        "start_bytes": dict(sorted(figures.start_bytes.items())),
        "word_bytes": dict(sorted(figures.word_bytes.items())),
    }
