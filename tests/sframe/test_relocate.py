"""Object files: function addresses come from relocations, where the section asks for it."""

import struct
from collections.abc import Callable

import pytest

from stackweave.core.sframe import ErrorKind, Module, SFrameError, relocate
from stackweave.core.sframe.elf import SHT_RELA, Section, parse_elf

from .recordings import OWN, module, unxz

ENTRY = struct.Struct("<QQq")


def object_file(version: str) -> bytes:
    return unxz(OWN / "elf" / version / "recur.o.xz")


def section_named(data: bytes, name: bytes) -> Section:
    return next(s for s in parse_elf(data, "recur.o").sections if s.name == name)


def with_addends(version: str, change: Callable[[int], int]) -> bytes:
    """The object with each relocation's addend replaced, by its index."""
    data = bytearray(object_file(version))
    table = section_named(bytes(data), b".rela.sframe")
    for index in range(table.size // ENTRY.size):
        at = table.offset + index * ENTRY.size
        offset, info, _ = ENTRY.unpack_from(data, at)
        ENTRY.pack_into(data, at, offset, info, change(index))
    return bytes(data)


def starts(data: bytes) -> list[int]:
    found = Module.parse(data, "recur.o").sframe
    assert found is not None
    (table,) = found.tables
    return table.starts


def test_addresses_are_symbol_plus_addend() -> None:
    plain = starts(object_file("v3"))
    assert plain == [0] * len(plain)
    moved = starts(with_addends("v3", lambda index: 0x40 * index))
    assert moved == [0x40 * index for index in range(len(plain))]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_without_the_flag_only_a_linker_can_tell(version: str) -> None:
    assert starts(with_addends(version, lambda index: 0x40)) == starts(object_file(version))


def test_without_relocation_fields_speak_for_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relocate, "_PC_RELATIVE", {})
    assert starts(object_file("v3"))[:2] != [0, 0]


def test_relocations_that_lead_nowhere_are_passed_over() -> None:
    """Behind the section, of an unknown symbol, of another type: the rest still counts."""
    data = bytearray(with_addends("v3", lambda index: 0x40))
    table = section_named(bytes(data), b".rela.sframe")
    ENTRY.pack_into(data, table.offset, 1 << 40, 2 << 32 | 24, 0x40)
    ENTRY.pack_into(data, table.offset + 24, 0x2C, 0xFFFFFF << 32 | 24, 0x40)
    ENTRY.pack_into(data, table.offset + 48, 0x3C, 2 << 32 | 0xFF, 0x40)
    unrelocated = [28 + 16 * index for index in range(3)]
    assert starts(bytes(data))[:5] == [*unrelocated, 0x40, 0x40]


@pytest.mark.parametrize("link", [0, 0xFFFF])
def test_a_table_without_symbols_changes_nothing(link: int) -> None:
    data = bytearray(object_file("v3"))
    image = parse_elf(bytes(data), "recur.o")
    index = next(i for i, s in enumerate(image.sections) if s.name == b".rela.sframe")
    assert image.sections[index].type == SHT_RELA
    at = struct.unpack_from("<Q", data, 40)[0] + 64 * index
    data[at + 40 : at + 44] = link.to_bytes(4, "little")
    assert starts(bytes(data))[:2] == [28, 44]


def test_a_section_of_another_abi_than_its_file_is_refused() -> None:
    sound = module(OWN / "elf" / "v3-aarch64" / "mini-O2.xz").image
    data = bytearray(sound.data)
    data[18:20] = (62).to_bytes(2, "little")
    with pytest.raises(SFrameError) as caught:
        Module.parse(bytes(data), "mini-O2")
    assert (caught.value.kind, caught.value.field) == (ErrorKind.INCONSISTENT, "abi")
