"""Call frame information of an `.eh_frame` section, as plain values.

pyelftools reads it, and only this module knows how. It reads whole sections and gives up at the
first record that it does not understand, with whatever exception that ends in; so records are
walked here, each is given to it alone with its CIE in front, and one that fails costs one
function. Its tables of decoded rows are not used: they take the wrong alignment factor for
DW_CFA_def_cfa_sf, lose DW_CFA_AARCH64_negate_ra_state and stop at DW_CFA_GNU_args_size.

Time is bounded by the section's size: records lie inside, CIEs are short and not decoded anew for
each function, and numbers, which pyelftools builds in quadratic time, are short too.
"""

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from elftools.dwarf.callframe import CallFrameInstruction, CFIEntry
    from elftools.dwarf.structs import DWARFStructs

Instruction = tuple[int, tuple[int | bytes, ...]]
"""Opcode, DW_CFA_advance_loc, _offset and _restore without their low bits; operands."""

_HIGH_BITS: Final = 0xC0
_ABSOLUTE: Final = 0x00
_PCREL: Final = 0x10
_SIGNED: Final = 0x08
_LONGEST_CIE: Final = 128
"""Bytes; compilers write 40 and less. Every function carries out its CIE's instructions."""
_LONGEST_NUMBER: Final = re.compile(rb"[\x80-\xff]{256}")
_ADDRESS_MASK: Final = (1 << 64) - 1
_POINTER_SIZES: Final = {0x0: 8, 0x2: 2, 0x3: 4, 0x4: 8, 0xA: 2, 0xB: 4, 0xC: 8}
"""Bytes by the low half of a DW_EH_PE encoding; numbers of no fixed size are not used."""
_RECORD_HEAD: Final = 8
"""The length and the distance to the CIE."""


@dataclass(frozen=True, slots=True)
class CallFrame:
    """The call frame information of one function: a FDE and its CIE."""

    start: int
    """Address of the first instruction, as linked."""
    size: int
    """Length in bytes."""
    augmentation: bytes
    """The CIE's letters: S a signal frame, B key B of pointer authentication."""
    code_alignment: int
    data_alignment: int
    return_column: int
    """DWARF number of the register that is restored as the return address."""
    initial: tuple[Instruction, ...]
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class DamagedFrame:
    """A record that cannot be read."""

    offset: int
    """Where it begins in the section."""
    start: int | None
    """Address and length of its function, as far as they can be told."""
    size: int
    detail: str


class _Damaged(Exception):
    """What is wrong with a record."""


def read_call_frames(
    section: bytes, address: int, byte_order: str
) -> Iterator[CallFrame | DamagedFrame]:
    """The functions of the `.eh_frame` linked at `address`, in its order.

    `byte_order` is `struct`'s prefix. A record that is cut or of the 64-bit form ends the walk.
    """
    at = 0
    while at < len(section):
        try:
            length, distance = _record(section, at, byte_order)
        except _Damaged as damage:
            yield DamagedFrame(at, None, 0, str(damage))
            return
        if not length:
            return
        if distance:
            yield _call_frame(section, address, byte_order, at, distance)
        at += 4 + length


def _record(section: bytes, at: int, byte_order: str) -> tuple[int, int]:
    """Length behind the length, and distance from that to the CIE; 0: it is one. 0, 0: the end."""
    head = section[at : at + _RECORD_HEAD]
    if len(head) < 4:
        raise _Damaged("the section ends within a record")
    (length,) = struct.unpack_from(byte_order + "I", head)
    if not length:
        return 0, 0
    if length == 0xFFFFFFFF:
        raise _Damaged("a record of the 64-bit form")
    if length < 4 or at + 4 + length > len(section):
        raise _Damaged(f"a record of {length} bytes")
    (distance,) = struct.unpack_from(byte_order + "I", head, 4)
    return length, distance


def _call_frame(
    section: bytes, address: int, byte_order: str, at: int, distance: int
) -> CallFrame | DamagedFrame:
    start, size = None, 0
    try:
        cie = _cie(section, at + 4 - distance, byte_order)
        length, _ = _record(section, at, byte_order)
        fde = section[at : at + 4 + length]
        cie_entry, encoding = _parsed_cie(cie, byte_order)
        start, size = _extent(fde, address + at, encoding, byte_order)
        _check_readable(fde, _RECORD_HEAD + 2 * _POINTER_SIZES[encoding & 0x0F])
        short = _cie_without_instructions(encoding, byte_order)
        pair = short + fde[:4] + struct.pack(byte_order + "I", len(short) + 4) + fde[_RECORD_HEAD:]
        _, fde_entry = _parsed(pair, address + at - len(short), byte_order)
        return _plain(cie_entry, fde_entry, start, size)
    except _Damaged as damage:
        return DamagedFrame(at, start, size, str(damage))


def _cie(section: bytes, at: int, byte_order: str) -> bytes:
    if not 0 <= at < len(section):
        raise _Damaged("its CIE is outside the section")
    length, distance = _record(section, at, byte_order)
    if not length or distance:
        raise _Damaged("its CIE is none")
    if length > _LONGEST_CIE:
        raise _Damaged(f"its CIE has {length} bytes")
    return section[at : at + 4 + length]


def _check_readable(fde: bytes, augmentation_at: int) -> None:
    """What pyelftools would read past the record's end, or for a long time."""
    length = fde[augmentation_at] if augmentation_at < len(fde) else len(fde)
    if augmentation_at + 1 + length > len(fde):
        raise _Damaged("augmentation data behind its end")
    if _LONGEST_NUMBER.search(fde):
        raise _Damaged("a number of more than 255 bytes")


def _cie_without_instructions(encoding: int, byte_order: str) -> bytes:
    """All that pyelftools needs of a CIE to read a FDE: how it writes addresses."""
    body = b"\1zR\0\1\1\0\1" + bytes((encoding,))
    return struct.pack(byte_order + "II", 4 + len(body), 0) + body


@lru_cache(64)
def _parsed_cie(cie: bytes, byte_order: str) -> "tuple[CFIEntry, int]":
    """A CIE, and how its FDEs write addresses."""
    (entry,) = _parsed(cie, 0, byte_order)
    encoding = entry.augmentation_dict.get("FDE_encoding")
    if not isinstance(encoding, int):
        raise _Damaged("its CIE does not say how it writes addresses")
    if len(entry.augmentation_bytes or b"") != entry.augmentation_dict.get("length"):
        raise _Damaged("its CIE has augmentation data behind its end")
    return entry, encoding


def _extent(fde: bytes, address: int, encoding: int, byte_order: str) -> tuple[int, int]:
    """Start and length of the function, in the encoding that the CIE names."""
    size = _POINTER_SIZES.get(encoding & 0x0F)
    if size is None or encoding & 0xF0 not in (_ABSOLUTE, _PCREL):
        raise _Damaged(f"addresses in the encoding {encoding:#x}")
    fields = fde[_RECORD_HEAD : _RECORD_HEAD + 2 * size]
    if len(fields) < 2 * size:
        raise _Damaged("no room for an address")
    order: Literal["little", "big"] = "little" if byte_order == "<" else "big"
    start = int.from_bytes(fields[:size], order, signed=bool(encoding & _SIGNED))
    if encoding & 0xF0 == _PCREL:
        start += address + _RECORD_HEAD
    return start & _ADDRESS_MASK, int.from_bytes(fields[size:], order)


def _parsed(records: bytes, address: int, byte_order: str) -> "list[CFIEntry]":
    """What pyelftools makes of a CIE, or of a CIE and a FDE."""
    from elftools.dwarf.callframe import CallFrameInfo, CFIEntry

    stream = io.BytesIO(records)
    structs = _structs(byte_order)
    information = CallFrameInfo(stream, len(records), address, structs, for_eh_frame=True)
    try:
        entries = [entry for entry in information.get_entries() if isinstance(entry, CFIEntry)]
    except Exception as error:  # of a dozen kinds, none of them said to be for damaged bytes
        raise _Damaged(str(error) or type(error).__name__) from None
    return entries


@cache
def _structs(byte_order: str) -> "DWARFStructs":
    from elftools.dwarf.structs import DWARFStructs

    return DWARFStructs(little_endian=byte_order == "<", dwarf_format=32, address_size=8)


def _plain(cie: "CFIEntry", fde: "CFIEntry", start: int, size: int) -> CallFrame:
    return CallFrame(
        start,
        size,
        bytes(cie["augmentation"]),
        cie["code_alignment_factor"],
        cie["data_alignment_factor"],
        cie["return_address_register"],
        tuple(_instruction(each) for each in cie.instructions),
        tuple(_instruction(each) for each in fde.instructions),
    )


def _instruction(instruction: "CallFrameInstruction") -> Instruction:
    opcode = int(instruction.opcode)
    operands = tuple(
        operand if isinstance(operand, int) else bytes(operand) for operand in instruction.args
    )
    return opcode & _HIGH_BITS or opcode, operands
