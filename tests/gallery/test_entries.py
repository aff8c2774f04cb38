"""Every entry: what is kept for it is what measuring it again gives, and it bears out the verdict."""

from collections.abc import Sequence
from itertools import accumulate

import pytest

from stackweave.core import UsageError
from stackweave.gallery import kept
from stackweave.gallery.entries import ENTRIES, find
from stackweave.gallery.entry import Entry, Verdict
from stackweave.gallery.evidence import every_execution, first_in, replays
from stackweave.gallery.measure import ENOUGH, SEEDS, digest_of, first_of
from stackweave.known import GENERATIONS, Known

EVIDENCE = kept.load()

ROWS = {
    # the list of defects in the project's kernel reference, by generation and row: the entries that answer it
    "per_work, first cookie": ("per_work-first-cookie",),
    "per_work, wrap": ("per_work-wrap",),
    "per_work, comment of 12 bits": ("per_work-bits-comment",),
    "per_work, uninitialised trace": ("per_work-uninitialised-trace",),
    "per_work, the event of a CPU": ("per_work-blocked", "per_work-footprint"),
    "per_work, double enqueue": ("per_work-double-enqueue",),
    "per_work, pending cleared late": ("per_work-late-clear",),
    "per_work, queued again": ("per_work-requeue", "per_work-live-lock"),
    "per_work, cancel": ("per_work-cancel",),
    "per_work, NMI": ("per_work-nmi",),
    "per_work, exit": ("per_work-exit",),
    "per_work, failed add": ("per_work-failed-add",),
    "per_work, no cache": ("per_work-cache",),
    "per_work, stub": ("per_work-stub",),
    "per_work, reviews": ("per_work-count-comment", "per_work-next-unwinds"),
    "before per_work": ("per_work-before",),
    "mutex_list, who did not ask": ("mutex_list-everybody",),
    "mutex_list, mutex": ("mutex_list-mutex",),
    "mutex_list, live-lock": ("mutex_list-live-lock",),
    "mutex_list, exit window": (
        "mutex_list-exit-window",
        "mutex_list-next-cookie",
        "mutex_list_nmi-exit-window",
    ),
    "mutex_list, after the reset": ("mutex_list-after-reset",),
    "mutex_list, cancel in a callback": ("mutex_list-cancel",),
    "mutex_list, NMI": ("mutex_list_nmi-nmi",),
    "mutex_list, timestamps": ("mutex_list-timestamp",),
    "mutex_list, the reset": ("mutex_list-reset",),
    "bitmask drafts, replaced mask": (
        "bitmask_v12-live-lock",
        "bitmask_v12-called-again",
        "bitmask_v12-spoilt-swap",
    ),
    "bitmask drafts, cleared bits": ("bitmask_v12_patch8-live-lock",),
    "bitmask drafts, cleared works": ("bitmask_v12-zero-bit",),
    "bitmask, spurious callback": ("bitmask-spurious",),
    "bitmask, stale snapshot": ("bitmask-3",),
    "completed, no memory for the mask": ("completed-spurious",),
    "completed, the comment": ("completed-comment",),
    "upstream, 1": ("upstream-1", "upstream-1-int"),
    "upstream, 2": ("upstream-2", "upstream-2-bit-31", "upstream-2-bit-32"),
    "upstream, 3": ("upstream-3", "upstream-3-null", "upstream-3-swallowed"),
    "upstream, 4": ("upstream-4",),
    "upstream, 5": ("upstream-5",),
    "upstream, 6": ("upstream-6", "upstream-6-double-cancel"),
    "upstream, 7": ("upstream-7", "upstream-7-next-cookie"),
    "upstream, 8": ("upstream-8",),
    "upstream, 9": ("upstream-9",),
    "upstream, 10": ("upstream-10",),
    "upstream, 11": ("upstream-11", "upstream-11-sigreturn"),
    "upstream, 12": ("upstream-12",),
    "upstream, 13": ("upstream-13",),
    "upstream, cookies repeat": ("upstream-wrap",),
    "upstream, seen: everybody's records": ("upstream-perf-everybody",),
    "upstream, seen: the last record": ("upstream-perf-last-record",),
    "perf": ("upstream-perf-migration", "upstream-perf-backward", "upstream-perf-sideband"),
    "upstream, seen: a cookie made after the reset": ("upstream-after-reset",),
}

SEEN = (
    *("1", "2", "3", "4", "6", "7", "8", "after-reset"),
    *("perf-everybody", "perf-last-record", "perf-backward"),
)
"""Of upstream, what a running kernel was recorded doing: each must be reproduced."""

BUDGET = 3000
"""Executions that an entry may take here."""
SEARCHED = 100_000
"""States that it may have to be searched here."""

CASES = {id: entry for id, entry in ENTRIES.items() if entry.case is not None}
GONE = [
    pytest.param(entry, number, id=f"{entry.id}, {gone.where}")
    for entry in CASES.values()
    for number, gone in enumerate(entry.gone)
]
ALSO = [
    pytest.param(entry, number, id=f"{entry.id}, {generation}")
    for entry in CASES.values()
    for number, generation in enumerate(entry.also)
]


def of(verdict: Verdict, *, scripted: bool = False) -> list[str]:
    """The entries of a verdict that have a program."""
    return [
        id for id, entry in CASES.items() if entry.verdict is verdict and entry.scripted is scripted
    ]


def soonest(firsts: Sequence[int | None]) -> dict[int, int]:
    """The seeds that show it first, as many as the time of a test allows: at least one."""
    found = sorted(
        (first, seed) for seed, first in zip(SEEDS, firsts, strict=True) if first is not None
    )
    sums = accumulate(first for first, _ in found)
    return {
        seed: first
        for (first, seed), total in zip(found, sums, strict=True)
        if total <= BUDGET or (first, seed) == found[0]
    }


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_its_entries(row: str) -> None:
    assert set(ROWS[row]) <= set(ENTRIES)


@pytest.mark.parametrize("number", SEEN)
def test_what_a_kernel_was_seen_to_do_is_reproduced(number: str) -> None:
    entry = ENTRIES[f"upstream-{number}"]
    assert entry.seen
    assert entry.verdict is Verdict.REPRODUCED


@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_stress_names_is_found(generation: str) -> None:
    for defect in GENERATIONS[generation].names:
        id = f"{generation}-{defect}"
        assert find(id).id == id


def test_a_name_that_no_entry_has_is_not_found() -> None:
    planted = Known({"a": "1"}, {"b": ("nobody",)}, {"b": "nothing"})
    assert planted.names == {"1", "nobody", "nothing"}
    for name in ("nobody", "nothing"):
        with pytest.raises(UsageError):
            find(f"upstream-{name}")


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=lambda entry: entry.id)
def test_its_words(entry: Entry) -> None:
    assert entry.id.startswith(f"{entry.generation}-")
    assert len(entry.story) == 3
    for sentence in entry.story:
        assert sentence.endswith(".")
        assert ". " not in sentence
    assert entry.source
    assert entry.title
    claims = (Verdict.REPRODUCED, Verdict.GONE, Verdict.REFUTED)
    assert entry.verdict not in claims or (entry.case is not None and entry.signatures)
    assert entry.verdict is not Verdict.REFUTED or entry.conditional


def test_evidence_is_kept_for_every_entry_and_no_other() -> None:
    assert list(EVIDENCE) == list(ENTRIES)


@pytest.mark.parametrize("id", CASES)
def test_it_bears_out_the_verdict(id: str) -> None:
    assert EVIDENCE[id].bears_out(ENTRIES[id])


@pytest.mark.parametrize("id", CASES)
def test_it_is_of_the_program_as_it_is(id: str) -> None:
    case = CASES[id].case
    assert case is not None
    assert EVIDENCE[id].digest == digest_of(case)


@pytest.mark.parametrize("id", of(Verdict.REPRODUCED))
def test_seeds_show_it_again(id: str) -> None:
    case = CASES[id].case
    assert case is not None
    firsts = EVIDENCE[id].firsts
    assert len(firsts) == len(SEEDS)
    assert len(SEEDS) - firsts.count(None) >= ENOUGH
    for seed, first in soonest(firsts).items():
        found = first_of(case, CASES[id].signatures, seed)
        assert found is not None
        assert found[0] == first


@pytest.mark.parametrize("id", [id for id in CASES if CASES[id].verdict is Verdict.REPRODUCED])
def test_a_complete_search_finds_it_too(id: str) -> None:
    """What does not fit says so here: every program does."""
    case, kept = CASES[id].case, EVIDENCE[id].searched
    assert case is not None
    assert kept is not None
    assert kept.complete
    assert kept.moves
    if kept.states <= SEARCHED:
        assert every_execution(case, CASES[id].signatures) == kept


@pytest.mark.parametrize("id", of(Verdict.REPRODUCED, scripted=True))
def test_its_schedule_replays(id: str) -> None:
    case = CASES[id].case
    assert case is not None
    assert replays(case.subject().program, EVIDENCE[id].script, CASES[id].signatures)


@pytest.mark.parametrize("id", of(Verdict.REFUTED))
def test_a_complete_search_refutes_it_again(id: str) -> None:
    case = CASES[id].case
    assert case is not None
    searched = every_execution(case)
    assert searched == EVIDENCE[id].searched
    assert searched.is_without(CASES[id].signatures)


@pytest.mark.parametrize(("entry", "number"), GONE)
def test_a_complete_search_does_not_find_it_where_it_is_gone(entry: Entry, number: int) -> None:
    searched = every_execution(entry.gone[number].case)
    assert searched == EVIDENCE[entry.id].gone[number]
    assert searched.is_without(entry.signatures)


@pytest.mark.parametrize(("entry", "number"), ALSO)
def test_other_generations_show_it_too(entry: Entry, number: int) -> None:
    first = first_in(entry, entry.also[number])
    assert first is not None
    assert first == EVIDENCE[entry.id].also[number]
