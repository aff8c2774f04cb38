"""What `stackweave explore` says at the end: what breaks, what goes on for ever, what was visited and what not."""

import textwrap
from collections.abc import Iterator
from dataclasses import asdict

from ..campaign import Subject
from ..exits import Exit
from ..known import is_among, standing
from ..lanes import draw, replay_command, screen_width
from ..lasso import FAIR_CYCLE
from .counterexamples import Seen, endless_in, seen_in
from .searching import Explored


class Report:
    """One search, as text and as a document."""

    def __init__(
        self, subject: Subject, explored: Explored, allowed: frozenset[str], wanted: str | None
    ) -> None:
        """`wanted` is the signature that was looked for, and is drawn."""
        self._subject = subject
        self._explored = explored
        self._found = explored.found
        self._allowed = allowed
        self._wanted = wanted
        self._seen = seen_in(subject, explored.found)
        lasso = explored.lasso
        self._endless = None if lasso is None else endless_in(subject, lasso)

    def _is_allowed(self, seen: Seen) -> bool:
        return is_among(self._allowed, seen.signature, seen.known)

    @property
    def exit(self) -> Exit:
        """Clean, unless something was seen that was not allowed."""
        if self._endless is not None and FAIR_CYCLE not in self._allowed:
            return Exit.VIOLATION
        return Exit.CLEAN if all(map(self._is_allowed, self._seen)) else Exit.VIOLATION

    def as_json(self) -> dict[str, object]:
        """The document for programs."""
        found, explored = self._found, self._explored
        return {
            "command": "explore",
            "program": self._subject.recipe.name,
            "parameters": self._subject.chosen,
            "states": found.states,
            "transitions": found.transitions,
            "depth": found.depth,
            "ends": found.ends,
            "complete": found.complete,
            "bound": found.bound,
            "waiting": explored.waiting,
            "interrupted": explored.interrupted,
            "omission": found.omission,
            "reductions": found.reductions,
            "seconds": round(explored.seconds, 3),
            "violations": [self._seen_json(each) for each in self._seen],
            "cycle": self._cycle_json(),
            "without_cycles": explored.without_cycles,
            "coverage": asdict(explored.coverage),
            "exit": int(self.exit),
        }

    def _seen_json(self, seen: Seen) -> dict[str, object]:
        property, explanation = seen.explanation
        return {
            "signature": seen.signature,
            "property": property,
            "known": seen.known,
            "allowed": self._is_allowed(seen),
            "moves": seen.moves,
            "explanation": explanation,
            "replay": seen.reference,
        }

    def _cycle_json(self) -> dict[str, object] | None:
        if self._endless is None:
            return None
        lasso = self._endless.lasso
        return {
            "stem": lasso.stem,
            "cycle": lasso.cycle,
            "moving": lasso.moving,
            "allowed": FAIR_CYCLE in self._allowed,
            "replay": self._endless.reference,
        }

    def as_text(self) -> str:
        """One screen of summary; before it the lanes of what was looked for, or of the first that is new."""
        reduced = " and ".join(self._found.reductions)
        states = f"states reduced by {reduced}" if reduced else "every state"
        lines = [f"{self._subject.title}, {states}", ""]
        for seen in self._drawn():
            lines += [
                f"{seen.signature}, after {seen.moves:,} moves:",
                "",
                draw(seen.replay, screen_width()),
                "",
                f"replay: {replay_command(seen.reference)}",
                "",
            ]
        return "\n".join([*lines, *self._cycle(), *self._figures(), *self._table()])

    def _drawn(self) -> list[Seen]:
        """At most one."""
        failing = [seen for seen in self._seen if not self._is_allowed(seen)]
        if self._wanted is not None:
            return [seen for seen in self._seen if seen.signature == self._wanted]
        return [seen for seen in failing if seen.known is None][:1]

    def _cycle(self) -> list[str]:
        """The lasso as lanes."""
        if self._endless is None:
            return []
        lasso = self._endless.lasso
        return [
            f"{FAIR_CYCLE}:",
            "",
            draw(lasso.replay, screen_width()),
            "",
            *textwrap.wrap(lasso.verdict, screen_width()),
            "",
            f"replay: {replay_command(self._endless.reference)}",
            "",
        ]

    def _figures(self) -> Iterator[str]:
        found, explored = self._found, self._explored
        speed = found.states / (explored.seconds or 1e-9)
        farthest = "switches" if explored.switches else "moves"
        ends = "1 end" if found.ends == 1 else f"{found.ends:,} ends"
        yield (
            f"{found.states:,} states, {found.transitions:,} transitions, {found.depth:,} {farthest} deep, "
            f"{ends}"
        )
        yield f"in {explored.seconds:.1f} s of CPU time ({speed:,.0f} states/s)"
        if found.complete:
            yield f"complete, but that a state was left out with probability {found.omission:.1g}"
        else:
            yield f"incomplete: {found.bound}; {explored.waiting:,} states wait to be expanded"
        yield f"covered: {explored.coverage.covered}"
        yield from (f"not covered: {each}" for each in explored.coverage.uncovered)
        yield self._about_cycles()

    def _about_cycles(self) -> str:
        if self._endless is not None:
            again = replay_command(self._endless.reference)
            allowed = " (allowed)" if FAIR_CYCLE in self._allowed else ""
            return f"{FAIR_CYCLE}{allowed}: {again}"
        why = self._explored.without_cycles
        return f"not covered: fair cycles ({why})" if why else "no fair cycle"

    def _table(self) -> Iterator[str]:
        if not self._seen:
            yield "no violation" if self._endless is None else "no other violation"
        width = max((len(each.signature) for each in self._seen), default=0)
        for seen in self._seen:
            name = standing(seen.known, is_allowed=self._is_allowed(seen))
            yield f"{seen.signature:<{width}}  {name}, after {seen.moves:,} moves"
            yield f"{'':<{width}}  {replay_command(seen.reference)}"
