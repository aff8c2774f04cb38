"""The random numbers of `core.prng`, compiled. WARNING: the two must agree, and a test compares them."""

from typing import Final

from ..prng import GAMMA, LARGEST
from .compiling import compiled_part
from .layout import Register as R
from .layout import Words

RANGE: Final = 1 << 30
GAMMA_WORD: Final = GAMMA - (1 << 64)
_FIRST: Final = 0xBF58476D1CE4E5B9 - (1 << 64)
_SECOND: Final = 0x94D049BB133111EB - (1 << 64)
"""As signed words."""


@compiled_part
def mix(value: int) -> int:
    """SplitMix64's output function."""
    value = (value ^ (value >> 30 & 0x3FFFFFFFF)) * _FIRST
    value = (value ^ (value >> 27 & 0x1FFFFFFFFF)) * _SECOND
    return value ^ (value >> 31 & 0x1FFFFFFFF)


@compiled_part
def seed_stream(registers: Words) -> None:
    """Begin the stream of this execution."""
    registers[R.DRAW] = mix(mix(registers[R.SEED]) + registers[R.EXECUTION] * GAMMA_WORD)
    registers[R.VALUE] = 0
    registers[R.LEFT] = 0
    registers[R.SECOND] = -1


@compiled_part
def draw(registers: Words, n: int) -> int:
    """An integer in [0, n), n at most 2**30."""
    if n == 1:
        return 0
    while True:
        left = registers[R.LEFT]
        if left >= LARGEST:
            value = registers[R.VALUE]
            quotient = left // n
            if value < quotient * n:
                rest = value // n
                registers[R.VALUE] = rest
                registers[R.LEFT] = quotient
                return value - rest * n
        if registers[R.SECOND] >= 0:
            registers[R.VALUE] = registers[R.SECOND]
            registers[R.SECOND] = -1
        else:
            state = registers[R.DRAW] + GAMMA_WORD
            registers[R.DRAW] = state
            drawn = mix(state)
            registers[R.VALUE] = drawn >> 4 & RANGE - 1
            registers[R.SECOND] = drawn >> 34 & RANGE - 1
        registers[R.LEFT] = RANGE
