"""The command line of `conform`."""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stackweave.conform.compare import Group
    from stackweave.conform.vectors import VectorComparison


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the subcommand."""
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="a recording, or one packed with xz"
    )
    parser.add_argument(
        "--vectors",
        action="store_true",
        help="also compare every instruction's outcomes over all pairs with an operation's",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


@dataclass(frozen=True, slots=True)
class _Result:
    path: Path
    groups: tuple["Group", ...]
    vectors: tuple["VectorComparison", ...]
    unread: int

    @property
    def failed(self) -> bool:
        return any(group.failed for group in self.groups) or any(
            each.unmatched for each in self.vectors
        )


def run(arguments: argparse.Namespace) -> int:
    """0 when all match, 1 when not. Raises `UsageError` for a file that is no recording."""
    from stackweave.conform.compare import compare
    from stackweave.conform.recording import read_recording
    from stackweave.conform.vectors import compare_vectors

    results = []
    for path in arguments.files:
        recording = read_recording(path)
        vectors = tuple(compare_vectors(recording)) if arguments.vectors else ()
        results.append(_Result(path, tuple(compare(recording)), vectors, recording.unread))
    if arguments.json:
        print(json.dumps(_document(results), indent=2))
    else:
        _print_text(results)
    return int(any(result.failed for result in results))


def _totals(results: Sequence[_Result]) -> dict[str, int]:
    groups = [group for result in results for group in result.groups]
    totals = {
        "groups": len(groups),
        "matched": sum(group.matched for group in groups),
        "missing": sum(len(group.missing) for group in groups),
        "extra": sum(len(group.extra) for group in groups),
        "explained": sum(len(group.explained) for group in groups),
    }
    vectors = [each for result in results for each in result.vectors]
    if vectors:
        totals["instructions"] = sum(each.instructions for each in vectors)
        totals["unmatched instructions"] = sum(len(each.unmatched) for each in vectors)
    return totals


def _print_text(results: Sequence[_Result]) -> None:
    from stackweave.conform.recording import How

    for result in results:
        print(result.path.name)
        if result.unread:
            print(f"  {result.unread} lines are of a sort that is not compared")
        scripts = [group for group in result.groups if group.how is How.SCRIPT]
        equal = sum(not group.failed for group in scripts)
        print(f"  {'scripts, without an injection':58} {len(scripts):3} cases, equal {equal}")
        for group in result.groups:
            if group.how is not How.SCRIPT or group.failed:
                _print_group(group)
        for each in result.vectors:
            verdict = ", ".join(f"+{offset:#x}" for offset in each.unmatched) or "none"
            print(
                f"  {each.symbol}: {each.instructions} instructions, {each.distinct} distinct vectors;"
                f" like no operation: {verdict}"
            )
    totals = _totals(results)
    print(", ".join(f"{name} {count}" for name, count in totals.items()))
    reasons = Counter(
        reason for result in results for group in result.groups for reason in group.explained
    )
    for reason, count in reasons.items():
        print(f"  explained {count}: {reason.name.lower()}, {reason.value}")


def _print_group(group: "Group") -> None:
    counts = (
        f"{group.instructions:3} cases, matched {group.matched}, missing {len(group.missing)}, "
    )
    counts += f"extra {len(group.extra)}" if group.covered else "extra not counted"
    if group.explained:
        counts += f", explained {len(group.explained)}"
    print(f"  {group.title:58.58} {counts}{'   <-- differs' if group.failed else ''}")
    for outcome, offsets in group.missing:
        print("    the kernel alone, at " + ", ".join(f"+{offset:#x}" for offset in offsets))
        for line in outcome:
            print(f"      {line}")
    for shown in group.extra:
        print(f"    the emulation alone, at {len(shown.points)} points")
        for line in shown.outcome:
            print(f"      {line}")


def _document(results: Sequence[_Result]) -> dict[str, object]:
    return {
        "files": [
            {
                "path": str(result.path),
                "unread_lines": result.unread,
                "groups": [_group_document(group) for group in result.groups],
                "vectors": [
                    {
                        "symbol": each.symbol,
                        "instructions": each.instructions,
                        "distinct": each.distinct,
                        "unmatched": list(each.unmatched),
                    }
                    for each in result.vectors
                ],
            }
            for result in results
        ],
        "totals": _totals(results),
        "conforms": not any(result.failed for result in results),
    }


def _group_document(group: "Group") -> dict[str, object]:
    return {
        "title": group.title,
        "how": group.how.name.lower(),
        "cases": group.instructions,
        "covers_every_instruction": group.covered,
        "matched": group.matched,
        "missing": [
            {"offsets": list(offsets), "outcome": [str(line) for line in outcome]}
            for outcome, offsets in group.missing
        ],
        "extra": [[str(line) for line in shown.outcome] for shown in group.extra],
        "explained": [reason.name.lower() for reason in group.explained],
    }
