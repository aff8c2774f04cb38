"""Damaged sections of AArch64 and s390x, patched by field in the target's byte order."""

import pytest

from stackweave.core.sframe import ErrorKind, Module, SFrameError
from stackweave.core.sframe.decode import Table
from stackweave.core.sframe.header import HEADER_SIZE

from .recordings import OWN, module

PROGRAMS = (
    "v1-aarch64/mini-O2",
    "v2-aarch64/mini-O2",
    "v3-aarch64/mini-pac",
    "v3-aarch64/mini-be-O2",
    "v3-s390x/mini-O2",
    "v3-s390x/s390x-mini-O2-as-v2pcrel",
)
ON_EACH = pytest.mark.parametrize("name", PROGRAMS)

HEADER = [
    (0, 2, 0, ErrorKind.BAD_MAGIC),
    (2, 1, 0, ErrorKind.BAD_VERSION),
    (2, 1, 4, ErrorKind.BAD_VERSION),
    (3, 1, 0x80, ErrorKind.INCONSISTENT),
    (4, 1, 0, ErrorKind.UNSUPPORTED),
    (4, 1, 5, ErrorKind.UNSUPPORTED),
    (4, 1, 3, ErrorKind.INCONSISTENT),  # AMD64
    (7, 1, 255, ErrorKind.TRUNCATED),  # auxiliary header
    (8, 4, 0xFFFFFFFF, ErrorKind.INCONSISTENT),  # functions
    (12, 4, 0xFFFFFFFF, ErrorKind.INCONSISTENT),  # rows
    (16, 4, 0xFFFFFFFF, ErrorKind.TRUNCATED),  # length of the rows
    (20, 4, 0xFFFFFFFF, ErrorKind.INCONSISTENT),  # where functions begin
    (24, 4, 0xFFFFFFFF, ErrorKind.TRUNCATED),  # where rows begin
]
"""Offset, size and value of a field, and why the section is refused as a whole."""


def patched(name: str, at: int, size: int, value: int) -> Module:
    """The program with a field of its section changed."""
    sound = module(OWN / "elf" / f"{name}.xz")
    (section,) = (s for s in sound.image.sections if s.name == b".sframe")
    data = bytearray(sound.image.data)
    place = section.offset + at
    data[place : place + size] = value.to_bytes(size, sound.image.byte_order)
    return Module.parse(bytes(data), name)


def table_of(program: Module) -> Table:
    assert program.sframe is not None
    (table,) = program.sframe.tables
    return table


@ON_EACH
@pytest.mark.parametrize(("at", "size", "value", "kind"), HEADER)
def test_damaged_headers(name: str, at: int, size: int, value: int, kind: ErrorKind) -> None:
    with pytest.raises(SFrameError) as caught:
        patched(name, at, size, value)
    assert caught.value.kind is kind


@ON_EACH
def test_the_magic_number_of_the_other_byte_order(name: str) -> None:
    with pytest.raises(SFrameError):
        patched(name, 0, 2, 0xE2DE)


@ON_EACH
def test_damaged_functions(name: str) -> None:
    """Offset and number of rows, their type and the size of their words, of the first function."""
    table = table_of(module(OWN / "elf" / f"{name}.xz"))
    rows_at = table.descriptor(0).fres_at
    newest = table.header.version == 3
    attribute = rows_at - 5
    patches = [
        (HEADER_SIZE + (12 if newest else 8), 4, 0xFFFFFFFF),
        (attribute, 2, 0xFFFF) if newest else (HEADER_SIZE + 12, 4, 0xFFFFFFFF),
        (attribute + 2 if newest else HEADER_SIZE + 16, 1, 3),
        (rows_at + 1, 1, 0x60 | 1 << 1),
    ]
    for at, size, value in patches:
        damaged = table_of(patched(name, at, size, value))
        with pytest.raises(SFrameError):
            damaged.rows(damaged.descriptor(0))
        assert damaged.rows(damaged.descriptor(5)) == table.rows(table.descriptor(5))
