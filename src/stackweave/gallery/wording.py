"""Verdicts and evidence in a few words."""

from .entry import Entry, Verdict
from .evidence import Evidence, Searched
from .measure import Rate


def in_words(entry: Entry, evidence: Evidence) -> str:
    """What was measured for the verdict: "20/20 seeds, 4.2 %"."""
    words = []
    if evidence.firsts:
        seeds = sum(first is not None for first in evidence.firsts)
        words.append(f"{seeds}/{len(evidence.firsts)} seeds")
    if evidence.script:
        words.append("a schedule")
    if entry.verdict is Verdict.OPEN and evidence.rate is not None:
        words.append(f"not found in {evidence.rate.among:,}")
    elif evidence.rate is not None:
        words.append(share(evidence.rate))
    if evidence.searched is not None and entry.verdict is not Verdict.REPRODUCED:
        words.append(extent(evidence.searched))
    return ", ".join(words)


def share(rate: Rate) -> str:
    """A rate: "4.2 %"."""
    return f"{100 * rate.count / max(rate.among, 1):.3g} %"


def interval(rate: Rate) -> str:
    """A rate with where it came from: "84 of 2,000, 95 % interval 3.4 to 5.2 %"."""
    low, high = (f"{100 * bound:.2g}" if bound < 0.995 else "100" for bound in rate.interval)
    return f"{rate.count:,} of {rate.among:,}, 95 % interval {low} to {high} %"


def extent(searched: Searched) -> str:
    """How far a search went."""
    return f"{'all' if searched.complete else 'only'} {searched.states:,} states"


def exhaustive(searched: Searched) -> str:
    """What a search gave beside seeds: "all 5,925 states; it shows after 121 moves at the soonest"."""
    found = f"it shows after {searched.moves:,} moves at the soonest"
    return f"{extent(searched)}; {found if searched.moves else 'it was not found'}"
