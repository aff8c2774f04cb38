"""The rows of many functions at once: where each begins, and which rows say the same.

As `decode.Table.row_places`, with the same checks. A module has few rows that differ in more than their start, so
rows are numbered by what follows it, byte for byte; only one of each number needs to be interpreted.
"""

from typing import Final, NamedTuple

from stackweave.core.sframe.batch.arrays import ABSENT, Bytes, Words
from stackweave.core.sframe.batch.compiling import compiled, compiled_inline

_MULTIPLIER: Final = 0x100000001B3
"""Of the hash FNV-1a."""
_BYTE: Final = 0xFF
"""Makes a signed word of an unsigned byte."""
_LARGEST_SIZE_CODE: Final = 2


class Claims(NamedTuple):
    """Functions and the rows that they claim to have."""

    places: Words
    """Section offset of the first row."""
    counts: Words
    start_sizes: Words
    """Bytes of a row's start."""
    last_starts: Words
    """The greatest start that a row may have."""
    flavours: Words
    """What else a row's meaning depends on."""


class Rows(NamedTuple):
    """Room for what is found."""

    first_rows: Words
    end_rows: Words
    """Of each function."""
    is_damaged: Words
    """Of each function; those that are so at first are passed over."""
    starts: Words
    kinds: Words
    """Of each row, the number of what it says."""
    table: Words
    """Of what rows say, hashed: the number + 1; its size is a power of two."""
    functions: Words
    examples: Words
    """Of each number, a function and the section offset of one of its rows."""
    flavours: Words
    sizes: Words
    """Of each number, the bytes behind the start."""


@compiled_inline
def _start(section: Bytes, at: int, size: int, is_big: bool) -> int:
    value = 0
    for each in range(size):
        byte = section[at + each] & _BYTE
        value = value << 8 | byte if is_big else value | byte << 8 * each
    return value


@compiled_inline
def _is_same(section: Bytes, one: int, other: int, size: int) -> bool:
    for each in range(size):  # noqa: SIM110  # compiled
        if section[one + each] != section[other + each]:
            return False
    return True


@compiled_inline
def _kind(
    section: Bytes, r: Rows, at: int, size: int, flavour: int, function: int, count: int
) -> int:
    """The number of what a row says, given how many numbers there are: it may be the next one."""
    value = flavour
    for each in range(size):
        value = (value ^ (section[at + each] & _BYTE)) * _MULTIPLIER
    mask = r.table.size - 1
    place = (value ^ value >> 32) & mask
    while r.table[place]:
        number: int = r.table[place] - 1
        same = r.flavours[number] == flavour and r.sizes[number] == size
        if same and _is_same(section, at, r.examples[number], size):
            return number
        place = place + 1 & mask
    r.table[place] = count + 1
    r.flavours[count] = flavour
    r.sizes[count] = size
    r.functions[count] = function
    r.examples[count] = at
    return count


@compiled
def find_rows(section: Bytes, end: int, is_big: bool, c: Claims, r: Rows) -> int:
    """Walk through all functions' rows; how many numbers there are."""
    count = 0
    row = 0
    for function in range(c.places.size):
        r.first_rows[function] = row
        at = c.places[function]
        width = c.start_sizes[function]
        previous = ABSENT
        good = not r.is_damaged[function]
        good = good and c.counts[function] * (width + 1) <= end - at
        good = good and row + c.counts[function] <= r.starts.size
        for _ in range(c.counts[function]):
            if not good:
                break
            if at + width + 1 > end:
                good = False
                break
            start = _start(section, at, width, is_big)
            info = section[at + width] & _BYTE
            code = info >> 5 & 3
            size = 1 + ((info >> 1 & 15) << code)
            following = at + width + size
            if start <= previous or start > c.last_starts[function] or code > _LARGEST_SIZE_CODE:
                good = False
                break
            previous = start
            r.starts[row] = start
            r.kinds[row] = ABSENT
            if following <= end:
                kind = _kind(section, r, at + width, size, c.flavours[function], function, count)
                count = max(count, kind + 1)
                r.kinds[row] = kind
            row += 1
            at = following
        if not good or at > end:
            r.is_damaged[function] = 1
            row = r.first_rows[function]
        r.end_rows[function] = row
    return count
