"""Builds small `.eh_frame` sections for tests, record by record, from the layouts of DWARF 5, 6.4.1."""

from typing import Final

DEF_CFA: Final = b"\x0c"
AMD64: Final = b"\x0c\x07\x08\x90\x01"
"""What every CIE of AMD64 begins with: CFA = rsp + 8, RA at CFA - 8."""
ADDRESS: Final = 0x5000
"""Where the sections are linked."""


def uleb(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def sleb(value: int) -> bytes:
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value & 0x7F))


def record(body: bytes, order: str = "little") -> bytes:
    """A record, filled up to whole words with DW_CFA_nop."""
    body += bytes(-len(body) % 4)
    return _u32(len(body), order) + body


def cie(
    instructions: bytes = AMD64,
    letters: bytes = b"zR",
    column: int = 16,
    data_alignment: int = -8,
    encoding: int = 0x1B,
    order: str = "little",
) -> bytes:
    """A CIE; `encoding` is that of addresses (DW_EH_PE_pcrel | DW_EH_PE_sdata4)."""
    head = b"\1" + letters + b"\0" + uleb(1) + sleb(data_alignment) + uleb(column)
    return record(bytes(4) + head + b"\1" + bytes((encoding,)) + instructions, order)


def section(
    *functions: tuple[int, int, bytes], head: bytes | None = None, order: str = "little"
) -> bytes:
    """One CIE and the functions: start, size, instructions."""
    data = cie() if head is None else head
    for start, size, instructions in functions:
        at = len(data) + 8
        data += record(
            _u32(len(data) + 4, order)
            + _u32(start - ADDRESS - at & 0xFFFFFFFF, order)
            + _u32(size, order)
            + b"\0"
            + instructions,
            order,
        )
    return data + bytes(4)


def _u32(value: int, order: str) -> bytes:
    return value.to_bytes(4, "big" if order == "big" else "little")
