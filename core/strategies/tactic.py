"""Which strategy, by name: `random-walk`, `pct:3`, `pos`, `surw`, `preemption-bound:2`."""

from enum import IntEnum
from typing import Final, NamedTuple

from ..errors import UsageError
from ..prng import LARGEST
from ..program import Program
from ..strategy import RandomWalk, Strategy
from .footprint import Footprints
from .pct import Pct
from .pilot import profile_of
from .pos import Pos
from .preemption_bound import PreemptionBound
from .surw import Surw


class Method(IntEnum):
    """How contexts are picked. The engine compares the numbers."""

    RANDOM_WALK = 0
    PCT = 1
    POS = 2
    SURW = 3
    PREEMPTION_BOUND = 4


_NAMES: Final = {method.name.lower().replace("_", "-"): method for method in Method}
_LEAST: Final = {Method.PCT: 1, Method.PREEMPTION_BOUND: 0}
"""Of the methods that take a number."""


class Tactic(NamedTuple):
    """A strategy's name: with a program, a seed and an execution's number it makes every decision."""

    method: Method
    bound: int = 0
    """PCT's depth, or the most preemptions."""

    @classmethod
    def parse(cls, text: str) -> "Tactic":
        """From a command line or file. Raises `UsageError` for what is no strategy."""
        name, colon, number = text.partition(":")
        method = _NAMES.get(name)
        if method is None:
            raise UsageError(f"no strategy is named {name!r}: there are {', '.join(FORMS)}")
        if method not in _LEAST:
            if colon:
                raise UsageError(f"{name} takes no number")
            return cls(method)
        least = _LEAST[method]
        if not (number.isascii() and number.isdecimal() and len(number) < 6):
            raise UsageError(f"{name} takes a number from {least} to {LARGEST}: {name}:3")
        if not least <= int(number) <= LARGEST:
            raise UsageError(f"{name} takes a number from {least} to {LARGEST}, not {number}")
        return cls(method, int(number))

    def __str__(self) -> str:
        name = self.method.name.lower().replace("_", "-")
        return f"{name}:{self.bound}" if self.method in _LEAST else name


RANDOM_WALK: Final = Tactic(Method.RANDOM_WALK)
FORMS: Final = tuple(f"{name}:N" if method in _LEAST else name for name, method in _NAMES.items())
"""What can be asked for."""


def strategy_of(tactic: Tactic, seed: int, program: Program) -> Strategy:
    """The strategy as the interpreter takes it. Some run pilot executions of the program first."""
    method, bound = tactic
    if method is Method.PCT:
        return Pct(seed, bound, profile_of(program).length)
    if method is Method.POS:
        return Pos(seed, Footprints(program))
    if method is Method.SURW:
        return Surw(seed, Footprints(program), profile_of(program))
    if method is Method.PREEMPTION_BOUND:
        return PreemptionBound(seed, bound, profile_of(program).length)
    return RandomWalk(seed)
