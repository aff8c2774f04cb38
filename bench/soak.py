"""How fast an emulator runs live, with all that time brings and its monitors on: kernel entries a second.

Which actor moves next is the back end's, so no two runs on trio are the same work; each is counted as it was,
and must be whole: clean or with known violations, everything read, as many entries as were asked for.
"""

from statistics import median
from time import process_time
from typing import Final, NamedTuple

import anyio
from measure import ROUNDS, Row

from stackweave.actors import Emulator
from stackweave.actors.live import Live
from stackweave.actors.soak import Entries, farewell, sources

ENTRIES: Final = 500
"""Of one round, at least."""

LEAST: Final = 20 * ENTRIES
"""Operations of one round: an entry takes no fewer."""


class Round(NamedTuple):
    """What a round did, a second."""

    entries: float
    operations: float
    messages: float


def run() -> list[Row]:
    """One row a back end."""
    return [_measure(back_end) for back_end in ("trio", "asyncio")]


def _measure(back_end: str) -> Row:
    rounds = [anyio.run(_round, seed, backend=back_end) for seed in range(ROUNDS)]
    entries = [each.entries for each in rounds]
    return {
        "back_end": back_end,
        "entries_per_second": round(median(entries)),
        "slowest_round": round(min(entries)),
        "fastest_round": round(max(entries)),
        "operations_per_second": round(median(each.operations for each in rounds)),
        "messages_per_second": round(median(each.messages for each in rounds)),
    }


async def _round(seed: int) -> Round:
    # of this generation no violation ends a run early
    emulator = Emulator("soak", generation="mutex_list")
    entries = Entries(ENTRIES)
    live = Live(
        emulator.program,
        seed=seed,
        sources=sources(emulator),
        farewell=farewell(emulator),
        watch=entries,
    )
    start = process_time()
    await live.run()
    seconds = process_time() - start
    if entries.count < ENTRIES or live.operations < LEAST or live.undelivered:
        raise SystemExit(f"seed {seed}: {entries.count} entries in {live.operations} operations")
    messages = live.carrier.messages
    return Round(entries.count / seconds, live.operations / seconds, messages / seconds)
