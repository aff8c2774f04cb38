"""Damages bytes the way that finds most: in headers and tables, with numbers that lie at limits."""

from collections.abc import Sequence
from random import Random
from typing import Final

_EDGES: Final = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_WIDTHS: Final = (1, 2, 4, 8)
_MOST_CHANGES: Final = 8
_NEAR: Final = 1 << 10
"""Bytes from either end where formats keep their headers and tables."""
_LONGEST_PIECE: Final = 1 << 9


def mutated(random: Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds, changed in up to eight places."""
    data = bytearray(random.choice(seeds))
    for _ in range(random.randint(1, _MOST_CHANGES)):
        if not data:
            break
        random.choice(_CHANGES)(random, data, seeds)
    return bytes(data)


def _place(random: Random, data: bytearray) -> int:
    near = min(_NEAR, len(data))
    match random.randrange(3):
        case 0:
            return random.randrange(near)
        case 1:
            return len(data) - 1 - random.randrange(near)
        case _:
            return random.randrange(len(data))


def _piece(random: Random, data: bytes | bytearray) -> bytes:
    at = random.randrange(len(data)) if data else 0
    return bytes(data[at : at + random.randint(1, _LONGEST_PIECE)])


def _set_byte(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    data[_place(random, data)] = random.randrange(256)


def _flip_bit(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    data[_place(random, data)] ^= 1 << random.randrange(8)


def _set_number(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    """A number at a multiple of its width: at a limit, or about the size of the data."""
    width = random.choice(_WIDTHS)
    at = _place(random, data) // width * width
    limit = 1 << 8 * width
    value = random.choice((*_EDGES, limit - 1, limit >> 1, len(data), random.randrange(limit)))
    number = (value + random.randint(-2, 2)) % limit
    field = number.to_bytes(width, random.choice(("little", "big")))
    data[at : at + width] = field[: len(data) - at]


def _add(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    """A field that is nearly right."""
    at = _place(random, data)
    data[at] = (data[at] + random.randint(-16, 16)) % 256


def _copy(random: Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    """A piece of this or of another seed over what is there."""
    piece = _piece(random, random.choice((data, random.choice(seeds))))
    at = _place(random, data)
    data[at : at + len(piece)] = piece[: len(data) - at]


def _insert(random: Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    at = _place(random, data)
    data[at:at] = _piece(random, random.choice((data, random.choice(seeds))))


def _delete(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _place(random, data)
    del data[at : at + random.randint(1, _LONGEST_PIECE)]


def _cut(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[_place(random, data) :]


_CHANGES: Final = (
    *(_set_byte, _flip_bit, _set_number, _set_number, _set_number, _add),
    *(_copy, _insert, _delete, _cut),
)
