"""From bytes to function descriptors (FDEs) and frame rows (FREs), without meaning.

A `Table` is one header with its descriptors. Start addresses and sizes of all functions are
read at once, because every look-up needs them; attributes and rows are read per function when
asked for, so opening a large module costs little and damage in one function does not hide the
others. What the words of a row mean depends on the ABI and is left to `rules` and its
architectures.

Every count and offset is compared with the sub-section before it is used: a descriptor that
claims four billion rows is refused before the first one is read. Memory is therefore bounded
by the section's own size. Sections 2 and 3 of the format description.
"""

import re
import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stackweave.core.sframe.constants import (
    V1_REPEAT_SIZE,
    BaseRegister,
    FdeType,
    Flag,
    FreType,
    PcType,
    Version,
)
from stackweave.core.sframe.errors import ErrorKind, SFrameError
from stackweave.core.sframe.header import FDE_SIZE, Header, parse_header, starts_header
from stackweave.core.sframe.layout import (
    ATTRIBUTE,
    ATTRIBUTE_SIZE,
    FDE,
    INFO2_FDE_TYPE,
    INFO_FRE_TYPE,
    INFO_PAUTH_KEY_B,
    INFO_PC_TYPE,
    INFO_SIGNAL,
    LAST_START,
    START,
    WORD,
)

_NOT_PADDING: Final = re.compile(rb"[^\0]")


@dataclass(frozen=True, slots=True)
class FunctionDescriptor:
    """One function: its addresses, how its rows are coded and where they are."""

    start: int
    """Address of the first instruction, as linked."""
    size: int
    """Length in bytes; 0 occurs."""
    num_fres: int
    fres_at: int
    """Section offset of the first row."""
    fre_type: FreType
    pc_type: PcType
    fde_type: FdeType
    is_signal_frame: bool
    """V3: the function is a signal trampoline."""
    rep_size: int
    """PC MASK: the rows repeat every so many bytes."""
    pauth_key_b: bool
    """AArch64: return addresses are signed with key B; with key A otherwise."""


@dataclass(frozen=True, slots=True)
class FrameRow:
    """One row: words that hold from `start` to the next row's start."""

    start: int
    """Offset in bytes from the start of the function, or of the repeated block."""
    base: BaseRegister
    """Base of the CFA; without meaning in flexible rows."""
    mangled_ra: bool
    """The return address carries a pointer authentication code (aarch64)."""
    word_size: int
    """Bytes of each word: 1, 2 or 4."""
    words: tuple[int, ...]
    """The words, read as signed; none: the return address is undefined."""


class Table:
    """One header's functions: addresses at once, the rest on demand."""

    __slots__ = ("_fields", "header", "section", "sizes", "starts")

    def __init__(self, section: bytes, address: int, header: Header) -> None:
        self.header = header
        self.section = section
        self.starts, self.sizes = _addresses(section, address, header)
        self._fields = struct.Struct(header.byte_order + FDE[header.version])

    def __len__(self) -> int:
        return self.header.num_fdes

    def descriptor(self, index: int) -> FunctionDescriptor:
        """Decode the descriptor at `index`, or raise `SFrameError`."""
        header = self.header
        at = header.fdes_at + index * FDE_SIZE[header.version]
        fields = self._fields.unpack_from(self.section, at)
        fre_off = fields[2]
        if fre_off > header.fre_len:
            raise SFrameError(
                ErrorKind.INCONSISTENT, at, "FRE offset", f"{fre_off:#x} behind the sub-section"
            )
        fres_at = header.fres_at + fre_off
        info2, rep_size = FdeType.DEFAULT.value, V1_REPEAT_SIZE
        if header.version is Version.V3:
            num_fres, info, info2, rep_size = self._attribute(fres_at)
            fres_at += ATTRIBUTE_SIZE
        else:
            num_fres, info = fields[3:5]
            if header.version is Version.V2:
                rep_size = fields[5]
        return FunctionDescriptor(
            self.starts[index],
            self.sizes[index],
            num_fres,
            fres_at,
            _fre_type(info, at),
            _pc_type(info, rep_size, at),
            _fde_type(info2, at),
            header.version is Version.V3 and bool(info & INFO_SIGNAL),
            rep_size,
            bool(info & INFO_PAUTH_KEY_B),
        )

    def _attribute(self, at: int) -> tuple[int, int, int, int]:
        """The V3 attribute: number of rows, info, info2, repeat size."""
        if at + ATTRIBUTE_SIZE > self.header.end:
            raise SFrameError(ErrorKind.TRUNCATED, at, "FDE attribute", "cut by the sub-section")
        num, info, info2, rep = struct.unpack_from(
            self.header.byte_order + ATTRIBUTE, self.section, at
        )
        return num, info, info2, rep

    def row_places(self, descriptor: FunctionDescriptor) -> tuple[Sequence[int], Sequence[int]]:
        """Starts and section offsets of a function's rows, all checked; raises `SFrameError`.

        Words are not read yet: twelve bytes are kept for a row.
        """
        at, end = descriptor.fres_at, self.header.end
        start_size = 1 << descriptor.fre_type
        if descriptor.num_fres * (start_size + 1) > end - at:
            raise SFrameError(
                ErrorKind.TRUNCATED,
                at,
                "number of FREs",
                f"{descriptor.num_fres} rows cannot fit in {end - at} bytes",
            )
        head = struct.Struct(self.header.byte_order + START[descriptor.fre_type] + "B")
        last = descriptor.size if descriptor.pc_type is PcType.INC else LAST_START
        starts, places = array("I"), array("Q")
        previous = -1
        for _ in range(descriptor.num_fres):
            if at + head.size > end:
                raise SFrameError(ErrorKind.TRUNCATED, at, "FRE", "cut by the sub-section")
            start, info = head.unpack_from(self.section, at)
            if not previous < start <= last:
                raise SFrameError(
                    ErrorKind.INCONSISTENT,
                    at,
                    "FRE start",
                    f"{start:#x} after {previous:#x}, in a function of {last:#x} bytes",
                )
            starts.append(start)
            places.append(at)
            previous = start
            at += head.size + _words_size(info, at)
        if at > end:
            raise SFrameError(ErrorKind.TRUNCATED, places[-1], "FRE words", "cut")
        return starts, places

    def row(self, at: int, fre_type: FreType) -> FrameRow:
        """The row at a section offset that `row_places` gave."""
        order = self.header.byte_order
        start, info = struct.unpack_from(order + START[fre_type] + "B", self.section, at)
        count, size_code = (info >> 1) & 0xF, (info >> 5) & 0x3
        words = struct.unpack_from(
            f"{order}{count}{WORD[size_code]}", self.section, at + (1 << fre_type) + 1
        )
        return FrameRow(start, BaseRegister(info & 1), bool(info & 0x80), 1 << size_code, words)

    def rows(self, descriptor: FunctionDescriptor) -> tuple[FrameRow, ...]:
        """All rows of a function, or `SFrameError`."""
        _, places = self.row_places(descriptor)
        return tuple(self.row(at, descriptor.fre_type) for at in places)


def _words_size(info: int, at: int) -> int:
    """Bytes that a row's words take."""
    size_code = (info >> 5) & 0x3
    if size_code > 2:
        raise SFrameError(ErrorKind.INCONSISTENT, at, "FRE word size", "undefined")
    return ((info >> 1) & 0xF) << size_code


def parse_section(section: bytes, address: int) -> tuple[Table, ...]:
    """Decode the `.sframe` contents linked at `address`; bytes behind the headers are ignored.

    GNU ld merges its inputs under one header. lld concatenates them with zeros between. A
    segment of type PT_GNU_SFRAME may reach beyond the section, into notes, so the headers' own
    lengths decide where the data ends. An empty section has no tables.
    """
    tables: list[Table] = []
    at = 0 if section else None
    while at is not None and (not tables or starts_header(section, at)):
        header = parse_header(section, at)
        tables.append(Table(section, address, header))
        at = behind_padding(section, header.end)
    return tuple(tables)


def behind_padding(section: bytes, at: int) -> int | None:
    """Offset of the first byte from `at` on that is not zero."""
    found = _NOT_PADDING.search(section, at)
    return found.start() if found else None


def _addresses(section: bytes, address: int, header: Header) -> tuple[list[int], list[int]]:
    """Start addresses and sizes of all functions.

    start = address of the section + field, or address of the field itself + field (PCREL).
    """
    size = FDE_SIZE[header.version]
    layout = struct.Struct(header.byte_order + FDE[header.version])
    last = header.fdes_at + header.num_fdes * size
    entries = layout.iter_unpack(memoryview(section)[header.fdes_at : last])
    if header.flags & Flag.FDE_FUNC_START_PCREL:
        bases = range(address + header.fdes_at, address + last, size)
        pairs = [(base + entry[0], entry[1]) for base, entry in zip(bases, entries, strict=True)]
    else:
        pairs = [(address + entry[0], entry[1]) for entry in entries]
    return [start for start, _ in pairs], [length for _, length in pairs]


def _fre_type(info: int, at: int) -> FreType:
    value = info & INFO_FRE_TYPE
    if value > FreType.ADDR4:
        raise SFrameError(ErrorKind.INCONSISTENT, at, "FRE type", str(value))
    return FreType(value)


def _pc_type(info: int, rep_size: int, at: int) -> PcType:
    if not info & INFO_PC_TYPE:
        return PcType.INC
    if not rep_size:
        raise SFrameError(ErrorKind.INCONSISTENT, at, "repeat size", "0 in a PC MASK function")
    return PcType.MASK


def _fde_type(info2: int, at: int) -> FdeType:
    value = info2 & INFO2_FDE_TYPE
    if value > FdeType.FLEX:
        raise SFrameError(ErrorKind.UNSUPPORTED, at, "FDE type", str(value))
    return FdeType(value)
