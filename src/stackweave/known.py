"""Known violations: which signature of which generation is which known defect.

Some signatures name their defect. Others are what several defects lead to (a callback that nobody asked for): they
are put down to the first of those whose own signature the same execution shows.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

SIGNS: Final[dict[str, str]] = {
    "undefined-behaviour:shift-out-of-bounds": "1",
    "lost:cancelled": "1",
    "return-value": "2",
    "inherited:stale-snapshot": "3",
    "inherited:swallowed": "3",
    "null-pointer:func": "3",
    "undefined-behaviour:test_bit-out-of-bounds": "4",
    "inherited:racing-request": "6",
    "cookie-zero": "7",
    "cookie-mismatch": "7",
    "late:no-reset": "8",
    "late:after-reset": "after-reset",
    "twice": "spurious",
    "wrong-stack:empty": "exit",
}
"""Signatures that name a defect: its number in the list of upstream's open bugs, or a name."""

CONSEQUENCES: Final[dict[str, tuple[str, ...]]] = {
    "cookie-shared": ("after-reset", "8"),
    "lost": ("7", "8", "3"),
    "twice": ("4",),
    "unrequested": ("3", "6", "4", "7", "8"),
    "wrong-stack": ("8", "after-reset"),
}
"""Signatures that several defects lead to."""

ALONE: Final[dict[str, str]] = {"cookie-shared": "8", "lost": "7"}
"""The defect that such a signature is when the execution shows no other sign of it."""

DEFECTS: Final[dict[str, frozenset[str]]] = {
    "upstream": frozenset({"1", "2", "3", "4", "6", "7", "8", "after-reset"}),
    "bitmask": frozenset({"1", "2", "3", "6", "7", "8", "after-reset", "exit", "spurious"}),
    "completed": frozenset({"1", "2", "3", "6", "7", "8", "after-reset", "exit", "spurious"}),
}
"""Which generation has which; `completed` is spurious only where there is no memory for its mask."""

KNOWN: Final[dict[tuple[str | None, str], str]] = {}
"""More: (generation, signature) to a defect's id; None is any generation."""


def identify(generation: str | None, signatures: Collection[str]) -> Mapping[str, str]:
    """Of the signatures that one execution shows: the ids of those that are known, such as "upstream-7"."""
    known = {
        signature: KNOWN[of, signature]
        for signature in signatures
        for of in (None, generation)
        if (of, signature) in KNOWN
    }
    for signature, defect in _defects(signatures, DEFECTS.get(generation or "", frozenset())):
        known.setdefault(signature, f"{generation}-{defect}")
    return known


def _defects(signatures: Collection[str], has: Collection[str]) -> Iterator[tuple[str, str]]:
    seen = {sign: SIGNS[sign] for sign in signatures if SIGNS.get(sign) in has}
    yield from seen.items()
    for signature, causes in CONSEQUENCES.items():
        if signature in signatures:
            alone = ALONE.get(signature)
            cause = next((each for each in causes if each in seen.values()), alone)
            if cause is not None and cause in has:
                seen[signature] = cause
                yield signature, cause
