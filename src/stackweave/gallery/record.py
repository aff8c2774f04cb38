"""Measure entries and keep the evidence: `python -m stackweave.gallery.record [ID…]`; without an id, all."""

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from . import kept
from .entries import ENTRIES, find
from .evidence import Evidence, measure

_JOBS: Final = 2


def main(ids: Sequence[str]) -> int:
    """Measure them; how many are not as their verdict says."""
    chosen = [find(id).id for id in ids] or list(ENTRIES)
    evidence = kept.load()
    wrong = 0
    with ProcessPoolExecutor(_JOBS) as pool:
        jobs = [pool.submit(_measure, id, evidence.get(id)) for id in chosen]
        for id, job in zip(chosen, jobs, strict=True):
            evidence[id] = job.result()
            right = evidence[id].bears_out(ENTRIES[id])
            wrong += not right
            print(id, "" if right else "DISAGREES", flush=True)
    kept.save({id: evidence[id] for id in ENTRIES if id in evidence})
    return wrong


def _measure(id: str, before: Evidence | None) -> Evidence:
    return measure(ENTRIES[id], before)


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
