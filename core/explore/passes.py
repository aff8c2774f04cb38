"""The passes of shrinking, each one way in which executions may be made smaller."""

from collections.abc import Iterator, Sequence
from typing import Final

from .guided import Move, stretches
from .shrink import Pass, Shrinker, Version, find_integer
from .sparing import Sparing


class DropContexts:
    """Lets an interrupt or NMI never come, and a task never move: all moves of one context go."""

    def run(self, shrinker: Shrinker) -> None:
        """The last declared first: interrupts come after tasks."""
        for number in sorted(shrinker.best.moving, reverse=True):
            shrinker.consider([move for move in shrinker.best.moves if move[0] != number])


class RenameContexts:
    """Has a context that does not move yet do what one of a higher number does, which a smaller program may not
    have."""

    def run(self, shrinker: Shrinker) -> None:
        """The last declared first, each as the first that will do."""
        for number in sorted(shrinker.best.moving, reverse=True):
            for other in sorted(set(range(number)) - shrinker.best.moving):
                moves = shrinker.best.moves
                if shrinker.consider(
                    [(other, *move[1:]) if move[0] == number else move for move in moves]
                ):
                    break


class SmallerProgram:
    """Asks the maker for a smaller program, in which the contexts of the same names do the same.

    Where one that moves is not among them, any other of its level may be the one that is gone, and those in
    between take over from the next.
    """

    def run(self, shrinker: Shrinker) -> None:
        """Goes on with the first smaller one that will do."""
        while any(self._consider(shrinker, version) for version in shrinker.version.smaller()):
            pass

    def _consider(self, shrinker: Shrinker, version: Version) -> bool:
        moves, specs = shrinker.best.moves, shrinker.version.program.contexts
        names = {spec.name for spec in version.program.contexts}
        gone = [number for number in shrinker.best.moving if specs[number].name not in names]
        if shrinker.consider_version(version, moves):
            return True
        if len(gone) != 1:
            return False
        level = specs[gone[0]].level
        peers = [number for number in range(gone[0] + 1) if specs[number].level is level]
        return any(
            shrinker.consider_version(version, _taken_over(moves, peers[left_out:]))
            for left_out in range(len(peers) - 1)
        )


def _taken_over(moves: Sequence[Move], peers: Sequence[int]) -> list[Move]:
    """Without what the first one does; each does what the next one did."""
    roles = dict(zip(peers[1:], peers, strict=False))
    return [(roles.get(move[0], move[0]), *move[1:]) for move in moves if move[0] != peers[0]]


class DropVisits:
    """Lets an interrupt or NMI come less often, and a task come to a CPU less often: the moves from its coming
    up to its next coming go; as many visits in a row as may be."""

    def run(self, shrinker: Shrinker) -> None:
        """The last visits first: what goes late shifts little."""
        last = len(shrinker.best.arrivals)
        while last > 0:
            self._drop(shrinker, last)
            last = min(last - 1, len(shrinker.best.arrivals))

    def _drop(self, shrinker: Shrinker, last: int) -> None:
        """Drop the visit of that number, counted from 1, and as many as may be before it."""
        moves = shrinker.best.moves
        visits = [
            _visit(moves, arrival, shrinker.best.arrivals) for arrival in shrinker.best.arrivals
        ]

        def drops(count: int) -> bool:
            if count > last:
                return False
            gone = set().union(*visits[last - count : last])
            return shrinker.consider([move for at, move in enumerate(moves) if at not in gone])

        find_integer(drops)


def _visit(moves: Sequence[Move], arrival: int, arrivals: Sequence[int]) -> set[int]:
    """The positions of the moves that a context makes from its coming on, up to its next coming."""
    visitor = moves[arrival][0]
    following = (other for other in arrivals if other > arrival and moves[other][0] == visitor)
    end = next(following, len(moves))
    return {at for at in range(arrival, end) if moves[at][0] == visitor}


class JoinStretches:
    """Takes two stretches of one context, of which others move in between, for one: the later one comes
    earlier, or the earlier one later; with it as many of the stretches that follow, or that came before."""

    def run(self, shrinker: Shrinker) -> None:
        """From the beginning; once joined, the same place again."""
        place = 0
        while place < len(stretches(shrinker.best.moves)):
            if not (self._join(shrinker, place, True) or self._join(shrinker, place, False)):
                place += 1

    def _join(self, shrinker: Shrinker, place: int, forward: bool) -> bool:
        moves = shrinker.best.moves
        parts = [moves[begin:end] for begin, end in stretches(moves)]
        mover = parts[place][0][0]
        others = range(place + 1, len(parts)) if forward else range(place - 1, -1, -1)
        same = [other for other in others if parts[other][0][0] == mover]

        def joins(count: int) -> bool:
            if count > len(same):
                return False
            joined = same[:count]
            here = [parts[each] for each in sorted([place, *joined])]
            result = [moves[:1]]
            for number, part in enumerate(parts):
                if number == place:
                    result += here
                elif number not in joined:
                    result.append(part)
            return shrinker.consider([move for part in result for move in part])

        return find_integer(joins) > 0


class ShiftSwitches:
    """Moves the place of a switch: a context gives up its last moves before it to its next stretch, or takes
    moves from there."""

    def run(self, shrinker: Shrinker) -> None:
        """From the beginning."""
        place = 0
        while place < len(stretches(shrinker.best.moves)) - 1:
            self._shift(shrinker, place, 1)
            self._shift(shrinker, place, -1)
            place += 1

    def _shift(self, shrinker: Shrinker, place: int, direction: int) -> None:
        moves = shrinker.best.moves
        bounds = stretches(moves)
        if place >= len(bounds):
            return
        begin, end = bounds[place]
        mover = moves[begin][0]
        later = [other for other in range(end, len(moves)) if moves[other][0] == mover]
        following = later[0] if later else len(moves)

        def shifts(count: int) -> bool:
            if direction > 0:
                if count > len(later):
                    return False
                taken = set(later[:count])
                rest = [move for at, move in enumerate(moves[end:], end) if at not in taken]
                return shrinker.consider(
                    [*moves[:end], *(moves[at] for at in later[:count]), *rest]
                )
            if count > end - begin:
                return False
            given = moves[end - count : end]
            return shrinker.consider(
                [*moves[: end - count], *moves[end:following], *given, *moves[following:]]
            )

        find_integer(shifts)


class DropMoves:
    """Leaves out some moves of one context in a row: rounds of a loop that waits, or what it may as well do
    later."""

    def run(self, shrinker: Shrinker) -> None:
        """The last moves first."""
        end = len(shrinker.best.moves)
        while end > 1:
            end = min(end, len(shrinker.best.moves))
            end -= max(self._drop(shrinker, end), 1)

    def _drop(self, shrinker: Shrinker, end: int) -> int:
        moves = shrinker.best.moves

        def drops(count: int) -> bool:
            begin = end - count
            if begin < 1 or moves[begin][0] != moves[end - 1][0]:
                return False
            return shrinker.consider([*moves[:begin], *moves[end:]])

        return find_integer(drops)


class Recut:
    """Sews some stretches in a row anew, of one switch less: a context up to any place, the others one after
    the other, the rest of that context. The passes before keep the places of switches, or move one; this one
    finds executions that are few because they switch elsewhere."""

    def run(self, shrinker: Shrinker) -> None:
        """From the beginning; where a row was sewn, the same place again."""
        place = 0
        while place < len(stretches(shrinker.best.moves)) - _SEWN:
            bounds = stretches(shrinker.best.moves)[place:]
            ends = [end for _, end in bounds[_SEWN : _SEWN + _ROWS]]
            if not any(_recut(shrinker, bounds[0][0], end) for end in ends):
                place += 1


_SEWN: Final = 3
"""Stretches that a recut row has."""

_ROWS: Final = 3
"""How many rows that begin at one place are tried: of one stretch more, of two …"""


def _recut(shrinker: Shrinker, begin: int, end: int) -> bool:
    moves = shrinker.best.moves
    return any(
        shrinker.consider([*moves[:begin], *row, *moves[end:]]) for row in _sewn(moves[begin:end])
    )


def _sewn(moves: Sequence[Move]) -> Iterator[list[Move]]:
    """Each context's moves up to any place, then the others' one context after the other, then its rest."""
    by_context: dict[int, list[Move]] = {}
    for move in moves:
        by_context.setdefault(move[0], []).append(move)
    for mover, own in by_context.items():
        others = [move for other, part in by_context.items() if other != mover for move in part]
        for cut in range(len(own)):
            yield [*own[:cut], *others, *own[cut:]]


class SwitchLess:
    """Runs every execution with two switches less than the best, where they are not too many: what is left is
    within one switch of the fewest that there can be."""

    def run(self, shrinker: Shrinker) -> None:
        """Depth first; once one will do, the other passes go on with it."""
        switches = shrinker.best.size.switches - 2
        targets = len(shrinker.version.program.contexts) - 1
        if switches < 0 or (shrinker.best.size.steps * targets) ** switches > _HOPELESS:
            return
        waiting: list[tuple[int, ...]] = [()]
        for _ in range(_MOST_SPARING):
            if not waiting:
                return
            strategy = Sparing(waiting.pop(), switches)
            if shrinker.consider_sparing(strategy):
                return
            waiting += strategy.others


_MOST_SPARING: Final = 2_000
"""Executions of one such search."""

_HOPELESS: Final = 20_000
"""Ways to place the switches: an upper bound, of which most are none."""


class LowerChoices:
    """Answers each `choose` with 0, or at least with less."""

    def run(self, shrinker: Shrinker) -> None:
        """From the beginning."""
        place = 0
        while place < len(shrinker.best.moves):
            for answer in range(1, len(shrinker.best.moves[place])):
                self._lower(shrinker, place, answer)
            place += 1

    def _lower(self, shrinker: Shrinker, place: int, answer: int) -> None:
        moves = shrinker.best.moves
        move = moves[place]
        for lower in range(move[answer]):
            changed = (*move[:answer], lower, *move[answer + 1 :])
            if shrinker.consider([*moves[:place], changed, *moves[place + 1 :]]):
                return


PASSES: Final[tuple[Pass, ...]] = (
    DropContexts(),
    RenameContexts(),
    SmallerProgram(),
    DropVisits(),
    JoinStretches(),
    DropMoves(),
    ShiftSwitches(),
    Recut(),
    LowerChoices(),
    SwitchLess(),
)
"""In the order in which they take turns: what takes away most goes first."""
