"""The random numbers that decide: specified here, equal on every machine and in every driver.

SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014) seeds one stream
for an execution. One 64-bit draw serves many choices: its bits 4 to 33 and 34 to 63 are two numbers, used in
turn, each uniform in [0, 2**30). A number uniform in [0, r) gives a choice among n as its remainder modulo n
and leaves its quotient, uniform in [0, r // n); where it is not below n * (r // n), or r is less than 2**15, it
is dropped for the next one. So every choice is exact. Small numbers, because they are Python's fast ones.
"""

from collections.abc import Generator, Sequence
from typing import Any, Final, Protocol, TypeVar

from .cint import U64_MASK

GAMMA: Final = 0x9E3779B97F4A7C15
LARGEST: Final = 1 << 15
"""The most that a `choose` can be among, and that a context's weight can be: sums of weights stay below 2**30."""
_RANGE: Final = 1 << 30


Item = TypeVar("Item")


class Draw(Protocol):
    """Draws one of the items, all equally likely; a single one without a random number."""

    def __call__(self, items: Sequence[Item], /) -> Item: ...


def mix(value: int) -> int:
    """SplitMix64's output function: a bijection of 64-bit words."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & U64_MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & U64_MASK
    return value ^ (value >> 31)


def stream_seed(seed: int, execution: int) -> int:
    """The state from which execution number `execution` of a run seeded `seed` draws."""
    return mix((mix(seed & U64_MASK) + execution * GAMMA) & U64_MASK)


def stream(state: int) -> "Draw":
    """One execution's random numbers: a function from a sequence, of at most 2**30 items, to one of them."""
    draws = _draws(state)
    next(draws)
    return draws.send


def _draws(state: int) -> Generator[Any, Sequence[Any], None]:
    # a generator, since its state is local variables: half the time of a method that keeps attributes
    value = left = 0
    second = -1  # the other number of the last draw; -1 when it was used
    items: Sequence[Any] = yield None
    while True:
        n = len(items)
        if n == 1:
            items = yield items[0]
            continue
        if left >= LARGEST:
            quotient = left // n
            if value < quotient * n:
                choice = value % n
                value //= n
                left = quotient
                items = yield items[choice]
                continue
        if second >= 0:
            value, second = second, -1
        else:
            state = (state + GAMMA) & U64_MASK
            draw = mix(state)
            value, second = draw >> 4 & _RANGE - 1, draw >> 34
        left = _RANGE
