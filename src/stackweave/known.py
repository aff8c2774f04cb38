"""Known violations: which signature of which generation is which known defect.

Some signatures name their defect. Others are what several defects lead to (a callback that nobody asked for): they
are put down to the first of those whose own signature the same execution shows. What a signature means is
the generation's: cookie 0 is the first cookie of `per_work`, and from the mask on an NMI in the reset.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Self


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one generation, or of several that are alike. Defects are numbers or names."""

    signs: Mapping[str, str]
    """Signatures that name a defect."""
    consequences: Mapping[str, tuple[str, ...]]
    """Signatures that several defects lead to."""
    alone: Mapping[str, str] = field(default_factory=dict)
    """The defect that such a signature is when the execution shows no other sign of it."""

    @property
    def names(self) -> frozenset[str]:
        """Every defect that a signature may be put down to."""
        causes = (cause for several in self.consequences.values() for cause in several)
        return frozenset((*self.signs.values(), *self.alone.values(), *causes))

    def only(self, *defects: str) -> Self:
        """The same of a generation that has no others."""
        return type(self)(
            {sign: defect for sign, defect in self.signs.items() if defect in defects},
            {
                signature: tuple(cause for cause in causes if cause in defects)
                for signature, causes in self.consequences.items()
            },
            {sign: defect for sign, defect in self.alone.items() if defect in defects},
        )

    def defects(self, signatures: Collection[str]) -> Iterator[tuple[str, str]]:
        """Of the signatures of one execution: those that are known, and which defect each is."""
        seen = {sign: self.signs[sign] for sign in signatures if sign in self.signs}
        yield from seen.items()
        for signature, causes in self.consequences.items():
            if signature in signatures:
                alone = self.alone.get(signature)
                cause = next((each for each in causes if each in seen.values()), alone)
                if cause is not None:
                    seen[signature] = cause
                    yield signature, cause


PER_WORK: Final = Known(
    signs={
        "cookie-zero": "first-cookie",
        "cookie-mismatch": "first-cookie",
        "undefined-behaviour:uninitialised-trace": "uninitialised-trace",
        "wrong-stack:empty": "exit",
        "lost:backward-reference": "late-clear",
        "twice": "requeue",
        "after-cancel": "cancel",
        "unrequested": "double-enqueue",
        "live-lock": "live-lock",
        "use-after-free:tracer_data": "cancel",
        "wrong-task": "nmi",
        "torn-trace": "next-unwinds",
    },
    consequences={"lost": ("first-cookie",), "late": ("first-cookie",)},
    alone={"lost": "blocked"},
)
"""`late-clear`: the flag is cleared after the callback; `blocked`: another task has the work queued."""

LISTS: Final = Known(
    signs={
        "unrequested": "everybody",
        "cookie-zero": "exit-window",
        "late:no-reset": "exit-window",
        "late:after-reset": "after-reset",
        "live-lock": "live-lock",
        "deadlock": "cancel",
        "wrong-task": "nmi",
        "wrong-stack:empty": "exit",
    },
    consequences={
        "cookie-mismatch": ("exit-window", "everybody"),
        "cookie-shared": ("after-reset", "exit-window"),
        "lost": ("exit-window",),
        "twice": ("everybody",),
        "wrong-stack": ("exit-window", "after-reset"),
    },
    alone={"cookie-shared": "exit-window", "lost": "exit-window", "twice": "requeue"},
)

MASKS: Final = Known(
    signs={
        "undefined-behaviour:shift-out-of-bounds": "1",
        "lost:cancelled": "1",
        "return-value": "2",
        "inherited:stale-snapshot": "3",
        "inherited:swallowed": "3",
        "null-pointer:func": "3",
        "undefined-behaviour:test_bit-out-of-bounds": "4",
        "inherited:racing-request": "6",
        "wild-pointer:list_head": "6-double-cancel",
        "cookie-zero": "7",
        "cookie-mismatch": "7",
        "late:no-reset": "8",
        "late:after-reset": "after-reset",
        "twice": "spurious",
        "wrong-stack:empty": "exit",
        "unmerged": "perf-backward",
    },
    consequences={
        "cookie-shared": ("after-reset", "8"),
        "lost": ("7", "8", "3"),
        "twice": ("4",),
        "unrequested": ("3", "6", "4", "7", "8"),
        "wrong-stack": ("8", "after-reset"),
    },
    alone={"cookie-shared": "8", "lost": "7"},
)
"""The numbers are those of the list of upstream's open bugs."""

V12: Final = Known(
    signs={
        **MASKS.only(
            *("3", "4", "6", "6-double-cancel", "7", "8", "after-reset", "exit", "perf-backward")
        ).signs,
        "twice": "called-again",
        "live-lock": "live-lock",
    },
    consequences=MASKS.consequences,
    alone={"cookie-shared": "8", "lost": "spoilt-swap", "unrequested": "zero-bit"},
)

PATCH_8: Final = Known(
    signs={
        **MASKS.only("4", "6", "6-double-cancel", "after-reset", "exit", "perf-backward").signs,
        "null-pointer:func": "6",
        "cookie-zero": "exit-window",
        "late:no-reset": "exit-window",
        "twice": "requeue",
        "live-lock": "live-lock",
    },
    consequences={
        "cookie-mismatch": ("exit-window",),
        "cookie-shared": ("after-reset", "exit-window"),
        "lost": ("exit-window",),
        "unrequested": ("6", "4", "exit-window"),
        "wrong-stack": ("exit-window", "after-reset"),
    },
    alone={
        "cookie-mismatch": "exit-window",
        "cookie-shared": "exit-window",
        "lost": "exit-window",
        "unrequested": "zero-bit",
    },
)
"""A bit is looked at when its tracer's turn comes, so there is no snapshot; the reset asks for no pending flag."""

_ALL: Final = ("1", "2", "3", "6", "6-double-cancel", "7", "8", "after-reset", "perf-backward")
_BEFORE: Final = (*_ALL, "exit", "spurious")

GENERATIONS: Final[dict[str, Known]] = {
    "per_work": PER_WORK,
    "bitmask_v12_patch8": PATCH_8,
    "bitmask_v12": V12,
    "mutex_list": LISTS,
    "mutex_list_nmi": LISTS,
    "bitmask": MASKS.only(*_BEFORE),
    "completed": MASKS.only(*_BEFORE),
    "upstream": MASKS.only(*_ALL, "4"),
}
"""`completed` is spurious only where there is no memory for its mask."""


def identify(generation: str | None, signatures: Collection[str]) -> Mapping[str, str]:
    """Of the signatures that one execution shows: the ids of those that are known, such as "upstream-7"."""
    found: dict[str, str] = {}
    if generation in GENERATIONS:
        for signature, defect in GENERATIONS[generation].defects(signatures):
            found.setdefault(signature, f"{generation}-{defect}")
    return found


def is_among(ids: Collection[str], signature: str, known: str | None) -> bool:
    """Whether a signature, or the known defect that it is, is one of these: signatures and ids of defects."""
    return signature in ids or known in ids


def standing(known: str | None, *, is_allowed: bool) -> str:
    """What is said of a signature in a report: `known: upstream-7 (allowed)`, or `NEW`."""
    name = f"known: {known}" if known else "NEW"
    return f"{name} (allowed)" if is_allowed else name
