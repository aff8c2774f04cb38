"""SFrame made from `.eh_frame`: the rows that gas wrote for the same file, or a listed reason."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from elftools.dwarf.callframe import CFIEntry

from stackweave.core.sframe import cfi, cfi_rows
from stackweave.core.sframe.cfi import CallFrame
from stackweave.core.sframe.constants import Abi
from stackweave.core.sframe.contents import FunctionContents, SectionContents, read_contents
from stackweave.core.sframe.dialect import Dialect, Reason
from stackweave.core.sframe.eh_frame import from_eh_frame, generate
from stackweave.core.sframe.elf import ElfImage
from stackweave.core.sframe.encode import encode
from stackweave.core.sframe.errors import ElfError, EncodeError
from stackweave.core.sframe.symbols import SymbolTable
from stackweave.core.sframe.words import Equations

from .recordings import DATA, OWN, label
from .test_convert import own_dialect
from .written import elf_image, sframe_of

Extent = tuple[int, int]

LINKED = [
    file
    for file in sorted((DATA / "elf").glob("*/*.xz"))
    if not file.name.endswith(".o.xz") and sframe_of(file)[0]
]

WITHOUT_SFRAME = {
    *("_start", "_dl_relocate_static_pie", "__wrap_main"),
    *("deregister_tm_clones", "register_tm_clones", "__do_global_dtors_aux", "frame_dummy"),
}
"""Functions of the C library's start files, which were assembled without --gsframe."""


def by_extent(section: SectionContents) -> dict[Extent, FunctionContents]:
    functions = (f for table in section.tables for f in table.functions)
    return {(f.descriptor.start, f.descriptor.size): f for f in functions}


def place(image: ElfImage, address: int) -> tuple[str, str]:
    """The ELF section and the symbol at an address."""
    symbol = SymbolTable(image).find(address)
    inside = (
        s for s in image.sections if s.address <= address < s.address + s.size and s.flags & 4
    )
    return next(inside).name.decode(), symbol.name if symbol else ""


def unexplained(image: ElfImage, theirs: SectionContents, dialect: Dialect) -> list[str]:
    """Where the generated section is not what the toolchain wrote, without a listed reason."""
    generated, losses = generate(image, dialect, theirs.address)
    told = {loss.start: loss.reason for loss in losses}
    mine, gas = by_extent(generated), by_extent(theirs)
    found = []
    for extent in mine.keys() | gas.keys():
        one, other = mine.get(extent), gas.get(extent)
        if one and other and same(one, other):
            continue
        section, symbol = place(image, extent[0])
        if section.startswith(".plt"):
            continue  # ld's own code; its .eh_frame has expressions, its SFrame of .plt.got is wrong
        if other is None and symbol in WITHOUT_SFRAME:
            continue
        if one is None and symbol == "_start" and told.get(extent[0]) is Reason.OUTERMOST:
            continue  # gas before 2.46 overlooked `.cfi_undefined rip`
        found.append(f"{section} {symbol} {extent}: {one}, gas: {other}, {told.get(extent[0])}")
    return found


def same(one: FunctionContents, other: FunctionContents) -> bool:
    kinds = [
        (f.rows, f.descriptor.fde_type, f.descriptor.is_signal_frame, f.descriptor.fre_type)
        for f in (one, other)
    ]
    keys = [f.descriptor.pauth_key_b for f in (one, other)]
    return kinds[0] == kinds[1] and keys[0] == keys[1]


@pytest.mark.parametrize("file", LINKED, ids=label)
def test_rows_are_those_of_gas(file: Path) -> None:
    image = elf_image(file)
    if not image.sections:
        return  # without section headers nobody knows where .eh_frame ends
    theirs = read_contents(*sframe_of(file))
    dialect = own_dialect(theirs)
    assert unexplained(image, theirs, dialect) == []
    generated, _ = generate(image, dialect, theirs.address)
    assert read_contents(encode(generated), theirs.address) == generated


def test_how_much_was_compared() -> None:
    counts = {}
    for tag in ("v1", "v2", "v3", "v3-aarch64", "v3-s390x"):
        extents = 0
        for file in (OWN / "elf" / tag).glob("*.xz"):
            if file in LINKED and elf_image(file).sections:
                theirs = read_contents(*sframe_of(file))
                mine = by_extent(generate(elf_image(file), own_dialect(theirs), theirs.address)[0])
                gas = by_extent(theirs)
                extents += sum(e in gas and same(f, gas[e]) for e, f in mine.items())
        counts[tag] = extents
    assert counts == {"v1": 49, "v2": 841, "v3": 340, "v3-aarch64": 99, "v3-s390x": 94}


@pytest.mark.parametrize("dialect", Dialect)
def test_every_version_can_be_generated(dialect: Dialect) -> None:
    image = elf_image(OWN / "elf" / "v3" / "flexasm.xz")
    generated, losses = generate(image, dialect, 0x400000)
    assert read_contents(encode(generated), 0x400000) == generated
    functions = len(by_extent(generated))
    assert functions + len(losses) == 12
    assert functions == {Dialect.V3: 12, Dialect.V2_PCREL: 4}.get(dialect, 3)
    names = [loss.told(SymbolTable(image)) for loss in losses]
    assert dialect is Dialect.V3 or any("function fp_in_reg at 0x" in name for name in names)


@pytest.mark.parametrize("machine", [Abi.AARCH64_ENDIAN_LITTLE, Abi.S390X_ENDIAN_BIG])
def test_a_dialect_without_the_machine_is_refused(machine: Abi) -> None:
    assert from_eh_frame(b"", 0, machine, Dialect.V3, 0)[1] == ()
    if machine is Abi.S390X_ENDIAN_BIG:
        with pytest.raises(EncodeError, match="v1 does not describe S390X"):
            from_eh_frame(b"", 0, machine, Dialect.V1, 0)


def test_a_file_without_eh_frame_is_refused() -> None:
    image = elf_image(OWN / "elf" / "v3" / "edge-recur-noshdr.xz")
    with pytest.raises(ElfError, match=r"no \.eh_frame"):
        generate(image, Dialect.V3, 0)


def test_an_object_file_is_refused() -> None:
    image = elf_image(OWN / "elf" / "v3" / "recur.o.xz")
    with pytest.raises(ElfError, match=r"recur\.o: an object file"):
        generate(image, Dialect.V3, 0)


def states_not_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cfi_rows._INSTRUCTIONS, 0x0B, cfi_rows._Evaluation.skip)


def saved_registers_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    def forget(evaluation: cfi_rows._Evaluation, register: int, offset: int) -> None:
        pass

    monkeypatch.setitem(cfi_rows._INSTRUCTIONS, 0x80, forget)


def offsets_unfactored(monkeypatch: pytest.MonkeyPatch) -> None:
    original = cfi._plain

    def unfactored(cie: CFIEntry, fde: CFIEntry, start: int, size: int) -> CallFrame:
        return replace(original(cie, fde, start, size), data_alignment=-4)

    monkeypatch.setattr(cfi, "_plain", unfactored)


def equal_rows_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    original = cfi_rows._Evaluation.finished

    def merged(evaluation: cfi_rows._Evaluation) -> list[Equations]:
        found = original(evaluation)
        pairs = zip(found, [None, *found[:-1]], strict=True)
        return [row for row, old in pairs if old is None or replace(old, start=row.start) != row]

    monkeypatch.setattr(cfi_rows._Evaluation, "finished", merged)


PLANTED = (states_not_restored, saved_registers_forgotten, offsets_unfactored, equal_rows_merged)


@pytest.mark.parametrize("plant", PLANTED)
def test_wrong_rows_are_found(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = OWN / "elf" / "v3" / "zt.xz"
    theirs = read_contents(*sframe_of(file))
    assert unexplained(elf_image(file), theirs, Dialect.V3) == []
    plant(monkeypatch)
    assert unexplained(elf_image(file), theirs, Dialect.V3) != []
