"""From a section's contents to its bytes: the inverse of `decode`, for V1, V2 and V3.

Nothing is chosen here: widths, places and order are the contents' own. `read_contents` and then
`encode` give the same bytes again, for every ABI and byte order, with these exceptions:

- Bits that the version reserves are written clear, whatever they were: bit 6 of a function's
  info, bit 7 before V3, bits 5 to 7 of V3's second info byte, the two bytes that fill up a V2
  descriptor. The format gives them no meaning to keep.
- Bytes that no table speaks for are zero: between headers, descriptors and rows, behind the last
  row. A segment without section headers shows foreign notes there, and those are not the section's.

Whatever the format cannot hold is refused with `EncodeError`: no value is ever cut to fit.
"""

import struct

from stackweave.core.sframe.constants import (
    DEFINED_FLAGS,
    SFRAME_MAGIC,
    V1_REPEAT_SIZE,
    FdeType,
    Flag,
    PcType,
    Version,
)
from stackweave.core.sframe.contents import (
    FunctionContents,
    SectionContents,
    TableContents,
    attribute_size,
)
from stackweave.core.sframe.decode import FrameRow, FunctionDescriptor
from stackweave.core.sframe.errors import EncodeError
from stackweave.core.sframe.header import FDE_SIZE, MIN_FRE_SIZE, Header
from stackweave.core.sframe.layout import (
    ATTRIBUTE,
    FDE,
    HEADER,
    INFO_PAUTH_KEY_B,
    INFO_PC_TYPE,
    INFO_SIGNAL,
    LAST_START,
    MOST_WORDS,
    START,
    WORD,
)


def encode(section: SectionContents) -> bytes:
    """The section's bytes; raises `EncodeError` for what the format cannot hold."""
    if section.size < 0:
        raise EncodeError(f"a section of {section.size} bytes")
    data = bytearray(section.size)
    end = 0
    for table in section.tables:
        header = table.header
        if header.offset < end:
            raise EncodeError(f"the header at {header.offset:#x} begins before {end:#x}")
        end = header.end
        if end > section.size:
            raise EncodeError(f"the section has {section.size} bytes, a table ends at {end:#x}")
        _encode_table(data, section.address, table)
    return bytes(data)


def _encode_table(data: bytearray, address: int, table: TableContents) -> None:
    header = table.header
    _check_table(table)
    _put(data, header.offset, _header(header) + table.auxiliary)
    size = FDE_SIZE[header.version]
    base = address
    rows = _RowArea(header.fre_len)
    for index, function in enumerate(table.functions):
        at = header.fdes_at + index * size
        if header.flags & Flag.FDE_FUNC_START_PCREL:
            base = address + at
        _check_function(header.version, function)
        place = function.descriptor.fres_at - header.fres_at - attribute_size(header.version)
        _put(data, at, _descriptor(header, function.descriptor, base, place))
        rows.put(function.descriptor, place, _rows(header, function))
    _put(data, header.fres_at, rows.data)


def _put(data: bytearray, at: int, part: bytes | bytearray) -> None:
    data[at : at + len(part)] = part


def _header(header: Header) -> bytes:
    return _pack(
        header.byte_order + HEADER,
        f"the header at {header.offset:#x}",
        *(SFRAME_MAGIC, header.version, header.flags, header.abi),
        *(header.cfa_fixed_fp_offset, header.cfa_fixed_ra_offset, header.auxhdr_len),
        *(header.num_fdes, header.num_fres, header.fre_len, header.fdeoff, header.freoff),
    )


def _descriptor(header: Header, descriptor: FunctionDescriptor, base: int, place: int) -> bytes:
    fields = [descriptor.start - base, descriptor.size, place]
    if header.version is not Version.V3:
        fields += [descriptor.num_fres, _info(descriptor)]
    if header.version is Version.V2:
        fields += [descriptor.rep_size, 0]
    return _pack(header.byte_order + FDE[header.version], _name(descriptor), *fields)


def _rows(header: Header, function: FunctionContents) -> bytes:
    """What lies at the function's place: its rows, in V3 with the attribute before them."""
    descriptor = function.descriptor
    parts = []
    if header.version is Version.V3:
        fields = (descriptor.num_fres, _info(descriptor), descriptor.fde_type, descriptor.rep_size)
        parts.append(_pack(header.byte_order + ATTRIBUTE, _name(descriptor), *fields))
    last = descriptor.size if descriptor.pc_type is PcType.INC else LAST_START
    previous = -1
    for row in function.rows:
        if not previous < row.start <= last:
            raise EncodeError(
                f"{_name(descriptor)}: a row at {row.start:#x} after {previous:#x}, of {last:#x}"
            )
        parts.append(_row(header.byte_order, descriptor, row))
        previous = row.start
    return b"".join(parts)


def _row(order: str, descriptor: FunctionDescriptor, row: FrameRow) -> bytes:
    count = len(row.words)
    if row.word_size not in (1, 2, 4) or count > MOST_WORDS:
        raise EncodeError(f"{_name(descriptor)}: {count} words of {row.word_size} bytes in a row")
    code = row.word_size >> 1
    info = row.base | count << 1 | code << 5 | row.mangled_ra << 7
    layout = f"{order}{START[descriptor.fre_type]}B{count}{WORD[code]}"
    return _pack(layout, _name(descriptor), row.start, info, *row.words)


def _info(descriptor: FunctionDescriptor) -> int:
    return (
        descriptor.fre_type
        | INFO_PC_TYPE * descriptor.pc_type
        | INFO_PAUTH_KEY_B * descriptor.pauth_key_b
        | INFO_SIGNAL * descriptor.is_signal_frame
    )


class _RowArea:
    """The FRE sub-section while it is filled; functions may share what is the same."""

    def __init__(self, size: int) -> None:
        self.data = bytearray(size)
        self._used = bytearray(size)

    def put(self, descriptor: FunctionDescriptor, start: int, rows: bytes) -> None:
        """Write a function's rows at its place."""
        end = start + len(rows)
        if end > len(self.data):
            size = len(self.data)
            raise EncodeError(f"{_name(descriptor)}: rows end at {end:#x}, their area at {size:#x}")
        there = zip(self._used[start:end], self.data[start:end], rows, strict=True)
        if any(used and old != new for used, old, new in there):
            raise EncodeError(f"{_name(descriptor)}: its rows lie over another function's")
        _put(self.data, start, rows)
        _put(self._used, start, b"\1" * len(rows))


def _check_table(table: TableContents) -> None:
    header = table.header
    undefined = header.flags & ~DEFINED_FLAGS[header.version]
    if undefined:
        raise EncodeError(f"V{header.version} does not define the flags {int(undefined):#x}")
    if (header.byte_order == ">") != header.abi.is_big_endian:
        raise EncodeError(f"{header.abi.name} in the other byte order")
    counts = (header.auxhdr_len, header.num_fdes)
    if counts != (len(table.auxiliary), len(table.functions)):
        raise EncodeError(
            f"a header for {counts[0]} auxiliary bytes and {counts[1]} functions, but there are "
            f"{len(table.auxiliary)} and {len(table.functions)}"
        )
    if header.num_fdes * FDE_SIZE[header.version] > header.freoff - header.fdeoff:
        raise EncodeError(f"no room for {header.num_fdes} functions before the rows")
    if header.num_fres * MIN_FRE_SIZE > header.fre_len:
        raise EncodeError(f"{header.num_fres} rows do not fit in {header.fre_len} bytes")


def _check_function(version: Version, function: FunctionContents) -> None:
    descriptor = function.descriptor
    name = _name(descriptor)
    if descriptor.num_fres != len(function.rows):
        raise EncodeError(f"{name}: {len(function.rows)} rows, counted {descriptor.num_fres}")
    if descriptor.pc_type is PcType.MASK and not descriptor.rep_size:
        raise EncodeError(f"{name}: repeats after 0 bytes")
    if version is not Version.V3 and descriptor.is_signal_frame:
        raise EncodeError(f"{name}: V{version} has no signal frames")
    if version is not Version.V3 and descriptor.fde_type is not FdeType.DEFAULT:
        raise EncodeError(f"{name}: V{version} has no flexible rows")
    if version is Version.V1 and descriptor.rep_size != V1_REPEAT_SIZE:
        raise EncodeError(f"{name}: V1 repeats after 16 bytes, not {descriptor.rep_size}")


def _pack(layout: str, name: str, *fields: int) -> bytes:
    try:
        return struct.pack(layout, *fields)
    except struct.error as error:
        raise EncodeError(f"{name}: a value has no room: {error}") from None


def _name(descriptor: FunctionDescriptor) -> str:
    return f"function at {descriptor.start:#x}"
