"""One entry, run again: its story, its lanes, how to replay it, and what was measured now and before."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stackweave.campaign import Subject
from stackweave.core import FixedSchedule, Interpreter
from stackweave.core.strategies import RANDOM_WALK
from stackweave.exits import Exit
from stackweave.lanes import draw, replay_command, screen_width
from stackweave.replaying import replay_on
from stackweave.schedule import Origin, Schedule, keep

from .entry import Entry, Verdict
from .evidence import Evidence, measure_verdict
from .measure import SEEDS, first_of
from .wording import exhaustive, extent, in_words, interval


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry and what came of running it."""

    entry: Entry
    before: Evidence | None
    """What is kept; None for a variant, and for what was not measured yet."""
    now: Evidence

    @classmethod
    def of(cls, entry: Entry, before: Evidence | None) -> "Shown":
        """Run it."""
        return cls(entry, before, measure_verdict(entry, before))

    @property
    def agrees(self) -> bool:
        """Whether it is what the verdict says, and the same as what is kept, unless that is stale."""
        repeats = self.before is None or self._is_stale or self.now.repeats(self.before)
        return self.now.bears_out_verdict(self.entry) and repeats

    @property
    def exit(self) -> Exit:
        """Clean where it agrees: that a known defect shows is no failure."""
        return Exit.CLEAN if self.agrees else Exit.VIOLATION

    @property
    def _is_stale(self) -> bool:
        return self.before is not None and self.before.digest != self.now.digest

    def as_json(self) -> dict[str, object]:
        """The document for programs."""
        entry = self.entry
        found = _schedule(entry, self.now)
        return {
            "command": "gallery",
            "id": entry.id,
            "title": entry.title,
            "source": entry.source,
            "verdict": entry.verdict.value,
            "conditional": entry.conditional,
            "seen": entry.seen,
            "story": list(entry.story),
            "evidence": in_words(entry, self.now),
            "firsts": list(self.now.firsts),
            "others": list(self.now.others),
            "agrees": self.agrees,
            "stale": self._is_stale,
            "signature": found[1].signature if found else None,
            "replay": keep(found[1], Path()) if found else None,
            "exit": int(self.exit),
        }

    def as_text(self) -> str:
        """The lanes come first: at the end of a long output the story is still on the screen."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        entry = self.entry
        yield f"{entry.id}: {entry.title}"
        yield ""
        found = _schedule(entry, self.now)
        if found is not None:
            subject, schedule = found
            yield draw(replay_on(schedule, subject.program), screen_width())
            yield ""
        yield from textwrap.wrap(" ".join(entry.story), screen_width())
        yield ""
        yield from self._facts()
        if found is not None:
            yield f"replay: {replay_command(keep(found[1], Path()))}"

    def _facts(self) -> Iterator[str]:
        entry = self.entry
        yield f"{entry.verdict.value}: {in_words(entry, self.now) or entry.source}{self._compared()}"
        if self.now.rate is not None:
            yield f"{entry.cost.what if entry.cost else 'executions'}: {interval(self.now.rate)}"
        if entry.cost is not None:
            for generation, rate in zip(entry.cost.beside, self.now.beside, strict=True):
                yield f"in {generation}: {interval(rate) if rate.among else 'there are none'}"
        if entry.conditional:
            yield f"conditional on {entry.conditional}"
        yield f"source: {entry.source}{'; seen on a running 7.2 kernel' if entry.seen else ''}"
        before = self.before or Evidence()
        if before.searched is not None and entry.verdict is Verdict.REPRODUCED:
            yield f"every execution: {exhaustive(before.searched)}"
        for gone, searched in zip(entry.gone, before.gone, strict=False):
            others = ", ".join(searched.signatures) or "nothing else"
            yield f"gone in {gone.where} by {gone.by}: {extent(searched)}, which show {others}"
        if entry.also:
            yield f"also in {', '.join(entry.also)}"
        if self.now.others:
            yield f"the same executions also show {', '.join(self.now.others)}"

    def _compared(self) -> str:
        if self.before is None:
            return ""
        if self._is_stale:
            return "; what is kept is stale"
        return "; as before" if self.now.repeats(self.before) else "; DIFFERS from what is kept"


def _schedule(entry: Entry, now: Evidence) -> tuple[Subject, Schedule] | None:
    """The execution to show: the kept one, or the first of the seed that is soonest."""
    if entry.case is None:
        return None
    if now.script:
        return _of(entry, now.script, Origin("script", 0, 0))
    found = [
        (first, seed) for seed, first in zip(SEEDS, now.firsts, strict=False) if first is not None
    ]
    if not found:
        return None
    _, seed = min(found)
    again = first_of(entry.case, entry.signatures, seed)
    assert again is not None
    execution, outcome = again
    return _of(entry, outcome.schedule, Origin(str(RANDOM_WALK), seed, execution))


def _of(entry: Entry, decisions: Sequence[int], origin: Origin) -> tuple[Subject, Schedule]:
    assert entry.case is not None
    subject = entry.case.subject()
    outcome = Interpreter(subject.program).run(FixedSchedule(decisions))
    signature = next(
        each.signature for each in outcome.violations if each.signature in entry.signatures
    )
    return subject, subject.schedule_of(decisions, signature, origin)
