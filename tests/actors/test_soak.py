"""Ten thousand kernel entries with contention, NMIs and a tracer that comes and goes, on each back end."""

from collections import Counter

import pytest

from stackweave.actors import Emulator
from stackweave.actors.soak import Entries
from stackweave.core.events import CancelEnd, Registered, RequestEnd

from .running import check_at_rest, replayed, soak

ENTRIES = 10_000

pytestmark = pytest.mark.anyio


async def test_ten_thousand_entries_replay_to_equal_events() -> None:
    live = soak(Emulator("soak"), ENTRIES, seed=1)
    outcome = await live.run()
    assert isinstance(live.watch, Entries)
    assert live.watch.count >= ENTRIES
    check_at_rest(live)
    moved = Counter(entry for entry in outcome.schedule if entry >= 0)
    names = [context.name for context in live.interpreter.contexts]
    assert all(moved[names.index(name)] > 1000 for name in names if name != "supervisor")
    kinds = Counter(type(each.event) for each in outcome.events)
    assert kinds[RequestEnd] > ENTRIES
    assert kinds[CancelEnd] > 50
    assert kinds[Registered] > 50
    again = replayed(Emulator("soak").program, live, outcome)
    assert again.events == list(outcome.events)
    assert tuple(again.store.words) == outcome.words
    assert tuple(again.violations) == outcome.violations
