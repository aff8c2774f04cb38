"""The entries, one module a generation, oldest first."""

from difflib import get_close_matches
from typing import Final

from stackweave.core import UsageError

from ..entry import Entry
from . import (
    bitmask,
    completed,
    mutex_list,
    per_work,
    perf,
    remarks,
    upstream,
    ways_out,
    withdrawn,
)

ENTRIES: Final[dict[str, Entry]] = {
    entry.id: entry
    for module in (
        per_work,
        remarks,
        mutex_list,
        withdrawn,
        bitmask,
        completed,
        upstream,
        ways_out,
        perf,
    )
    for entry in module.ENTRIES
}
"""By id, in the order of the table."""

VARIANTS: Final[dict[str, Entry]] = {
    variant.id: variant
    for entry in ENTRIES.values()
    for variant in map(entry.of_generation, entry.also)
    if variant.id not in ENTRIES
}
"""The same defects in other generations: no rows of the table, but known by their ids, as `stress` names them."""

_NEAREST: Final = 5


def find(id: str) -> Entry:
    """The entry or variant of that id. Raises `UsageError`, with the nearest ids, when there is none."""
    known = {**ENTRIES, **VARIANTS}
    if id not in known:
        near = get_close_matches(id, known, _NEAREST, 0.3) or list(ENTRIES)[:_NEAREST]
        raise UsageError(f"no entry of the gallery is {id!r}; the nearest are {', '.join(near)}")
    return known[id]
