"""The random numbers that decide: specified here, equal on every machine and in every driver.

SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014) seeds
one stream per execution. One 64-bit draw serves several choices: its top 60 bits are a number uniform in
[0, 2**60), and a choice among n takes it modulo n and leaves the quotient. It is drawn anew when less than 2**30
of its range is left, so no choice is biased by more than n / 2**30. Sixty bits keep every
intermediate value inside a signed 64-bit integer.
"""

from collections.abc import Callable, Generator
from typing import Final

from .cint import U64_MASK

GAMMA: Final = 0x9E3779B97F4A7C15
_RANGE: Final = 1 << 60
_REFILL: Final = 1 << 30


def mix(value: int) -> int:
    """SplitMix64's output function: a bijection of 64-bit words."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & U64_MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & U64_MASK
    return value ^ (value >> 31)


def stream_seed(seed: int, execution: int) -> int:
    """The state from which execution number `execution` of a run seeded `seed` draws."""
    return mix((mix(seed & U64_MASK) + execution * GAMMA) & U64_MASK)


def stream(state: int) -> Callable[[int], int]:
    """One execution's random numbers: a function from n, at most 2**30, to an integer in [0, n)."""
    draws = _draws(state)
    next(draws)
    return draws.send


def _draws(state: int) -> Generator[int, int, None]:
    # a generator, since its state is local variables: half the time of a method that keeps attributes
    value = left = choice = 0
    while True:
        n = yield choice
        if left < _REFILL:
            state = (state + GAMMA) & U64_MASK
            value = mix(state) >> 4
            left = _RANGE
        left //= n
        choice = value % n
        value //= n
