"""A lasso: an execution without end, as the way to a state and the cycle that comes back to it.

A schedule holds the way and the cycle once. Replaying goes through the cycle twice, and refuses it unless all
that can make a difference is the same before it and after each time, and unless it is fair: whoever could move
all along, and cannot stay away for ever, does.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

from stackweave.core import Interpreter, ModelError, Program
from stackweave.core.context import Context
from stackweave.core.context import Protocol as Suspended
from stackweave.core.errors import diverged
from stackweave.core.explore.encoding import Encoder
from stackweave.core.explore.frames import SUSPENDED
from stackweave.core.explore.keys import Unmergeable
from stackweave.core.explore.selftest import self_test
from stackweave.core.explore.statics import Statics
from stackweave.core.situation import Situation, is_obliged
from stackweave.core.strategy import FixedSchedule

from .replaying import Replay, follow, going_again, program_of, steps_of
from .schedule import Schedule

FAIR_CYCLE: Final = "fair-cycle"
"""Its signature, as `--allow` names it."""
TIMES: Final = 2
"""How often a replay goes through the cycle."""


@dataclass(frozen=True, slots=True)
class ReplayedLasso:
    """A lasso that was gone through, and holds."""

    replay: Replay
    """The way and the cycle once."""
    stem: int
    """Moves of the way."""
    cycle: int
    """Moves of the cycle."""
    moving: tuple[str, ...]
    """The contexts that move in the cycle."""

    @property
    def verdict(self) -> str:
        """What was compared, in words."""
        ends = "s" if len(self.moving) == 1 else ""
        return (
            f"After {self.stem:,} moves the next {self.cycle:,} repeat for ever. Replayed {TIMES} times: "
            "memory, contexts, CPUs, mailboxes and monitors are the same before and after each time. "
            f"It is fair: {', '.join(self.moving)} move{ends}, and nobody else could all along."
        )


def replay_lasso(schedule: Schedule) -> ReplayedLasso:
    """Run it again. Raises `UsageError` for a stale one, `ModelError` for one that is none."""
    return replay_lasso_on(schedule, program_of(schedule))


def replay_lasso_on(schedule: Schedule, program: Program) -> ReplayedLasso:
    """As `replay_lasso`, on a program that is known to be the one."""
    decisions = schedule.decisions(program)
    stem = sum(entry >= 0 for entry in decisions) - schedule.cycle
    way, cycle = _cut(decisions, stem)
    with going_again(schedule.program):
        moving = _Rounds(program, way, cycle).check()
        interpreter = Interpreter(program)
        outcome = follow(interpreter, decisions)
        steps = tuple(steps_of(interpreter, decisions))
    replay = Replay(program, outcome, steps, schedule.signature, cycle=schedule.cycle)
    return ReplayedLasso(replay, stem, schedule.cycle, moving)


def _cut(decisions: Sequence[int], moves: int) -> tuple[Sequence[int], Sequence[int]]:
    """The entries of the first moves, and the others. Answers follow the move that asked."""
    places = [place for place, entry in enumerate(decisions) if entry >= 0]
    return decisions[: places[moves]], decisions[places[moves] :]


class _Rounds:
    """Goes the way and then the cycle, over and over."""

    def __init__(self, program: Program, way: Sequence[int], cycle: Sequence[int]) -> None:
        self._program = program
        self._interpreter = Interpreter(program)
        self._way = way
        self._cycle = cycle
        self._keys = Keys(program)

    def check(self) -> tuple[str, ...]:
        """The names of those who move in the cycle. Raises `ModelError` where it is no fair cycle."""
        entries = [*self._way, *(list(self._cycle) * TIMES)]
        self._interpreter.reset(FixedSchedule([entry for entry in entries if entry < 0]))
        try:
            self._go(self._way)
            before = self._situation()
            for _ in range(TIMES):
                left_out = self._go(self._cycle)
                self._compare(before, self._situation())
        finally:
            self._interpreter.discard()
        if left_out:
            raise diverged(f"{', '.join(left_out)} could move all along the cycle, and does not")
        return self._names(set(self._cycle))

    def _go(self, entries: Sequence[int]) -> tuple[str, ...]:
        """Who could move at each step, and did not at any."""
        patient: set[int] | None = None
        for entry in entries:
            if entry >= 0:
                able = {each.index for each in self._interpreter.enabled() if is_obliged(each)}
                patient = able if patient is None else patient & able
                self._interpreter.step(self._context(entry))
        return self._names((patient or set()) - set(entries))

    def _context(self, number: int) -> Context:
        return self._interpreter.contexts[number]

    def _names(self, numbers: set[int]) -> tuple[str, ...]:
        return tuple(spec.name for at, spec in enumerate(self._program.contexts) if at in numbers)

    def _situation(self) -> Situation:
        try:
            return self._interpreter.situation(self._keys)
        except Unmergeable as why:
            raise ModelError(f"the state cannot be compared: {why}") from None

    def _compare(self, before: Situation, after: Situation) -> None:
        different = before.difference(after)
        if different:
            raise diverged(f"the cycle does not end where it began: other {different}")


class Keys:
    """Coroutines and messages by content, as the search tells them apart."""

    def __init__(self, program: Program) -> None:
        self_test()
        self._contexts = Encoder(Statics([spec.body for spec in program.contexts]))
        self._monitors = Encoder(Statics([monitor.body for monitor in program.monitors]))

    def context(self, suspended: Suspended) -> Hashable:
        """Of a context's coroutine."""
        return _key(self._contexts, suspended)

    def monitor(self, suspended: Suspended) -> Hashable:
        """Of a monitor's."""
        return _key(self._monitors, suspended)

    def value(self, value: object) -> Hashable:
        """Of a message."""
        return self._contexts.value(value)


def _key(encoder: Encoder, suspended: Suspended) -> Hashable:
    if not isinstance(suspended, SUSPENDED):
        raise Unmergeable(f"a {type(suspended).__name__} is awaited")
    return encoder.key(suspended)
