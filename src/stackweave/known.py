"""Known violations: which signature of which generation is which known defect.

Some signatures name their defect. Others are what several defects lead to (a callback that nobody asked for): they
are put down to the first of those whose own signature the same execution shows.
"""

from collections.abc import Collection, Mapping
from typing import Final

KNOWN: Final[dict[tuple[str | None, str], str]] = {
    ("upstream", "undefined-behaviour:shift-out-of-bounds"): "upstream-1",
    ("upstream", "lost:cancelled"): "upstream-1",
    ("upstream", "return-value"): "upstream-2",
    ("upstream", "inherited:stale-snapshot"): "upstream-3",
    ("upstream", "inherited:swallowed"): "upstream-3",
    ("upstream", "null-pointer:func"): "upstream-3",
    ("upstream", "undefined-behaviour:test_bit-out-of-bounds"): "upstream-4",
    ("upstream", "inherited:racing-request"): "upstream-6",
    ("upstream", "cookie-zero"): "upstream-7",
    ("upstream", "late:reset-skipped"): "upstream-8",
    ("upstream", "late:after-reset"): "upstream-after-reset",
    ("bitmask", "twice"): "bitmask-spurious",
}
"""(generation, signature) to the defect's id; None is any generation. Numbers are those of docs/defects.md."""

CONSEQUENCES: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("upstream", "unrequested"): ("upstream-3", "upstream-6", "upstream-4", "upstream-7"),
    ("upstream", "lost"): ("upstream-7", "upstream-3"),
    ("upstream", "cookie-shared"): ("upstream-8", "upstream-after-reset"),
    ("upstream", "wrong-stack"): ("upstream-8", "upstream-after-reset"),
}
"""(generation, signature) to the defects that lead to it."""


def identify(generation: str | None, signatures: Collection[str]) -> Mapping[str, str]:
    """Of the signatures that one execution shows: the ids of those that are known defects."""
    known = {
        signature: KNOWN[of, signature]
        for signature in signatures
        for of in (None, generation)
        if (of, signature) in KNOWN
    }
    seen = set(known.values())
    for signature in signatures:
        for defect in CONSEQUENCES.get((generation or "", signature), ()):
            if defect in seen:
                known.setdefault(signature, defect)
    return known
