"""Cores written here byte by byte: several threads, odd notes, mappings and permissions."""

import struct
from collections.abc import Sequence

import pytest

from stackweave.core.sframe import CoreFile, ElfError, StopReason
from stackweave.core.sframe.elf import EM_X86_64, ET_CORE, PF_X, PT_LOAD, PT_NOTE, parse_elf

from .recordings import OWN, module

STACK = 0x7FFF_0000
PAGE = 0x1000
LEAF, IN_START = 0x401030, 0x401014
"""In mini-O2: a function with CFA = SP + 8 throughout, and the call in `_start`."""

Load = tuple[int, int, bytes, int]
"""Address, flags, contents, size in memory."""


def note(owner: bytes, kind: int, contents: bytes, order: str = "<") -> bytes:
    name = owner + b"\0"
    padded = name.ljust(-(-len(name) // 4) * 4, b"\0")
    body = contents.ljust(-(-len(contents) // 4) * 4, b"\0")
    return struct.pack(order + "III", len(name), len(contents), kind) + padded + body


def prstatus(lwp: int, pc: int, sp: int, fp: int = 0) -> bytes:
    words = [0] * 27
    words[16], words[19], words[4] = pc, sp, fp
    return bytes(32) + struct.pack("<I", lwp) + bytes(76) + struct.pack("<27Q", *words) + bytes(8)


def nt_file(ranges: Sequence[tuple[int, int, int, bytes]], order: str = "<") -> bytes:
    rows = b"".join(struct.pack(order + "QQQ", *entry[:3]) for entry in ranges)
    names = b"".join(entry[3] + b"\0" for entry in ranges)
    return struct.pack(order + "QQ", len(ranges), PAGE) + rows + names


def core(
    notes: bytes,
    loads: Sequence[Load] = (),
    kind: int = ET_CORE,
    machine: int = EM_X86_64,
    order: str = "<",
) -> bytes:
    count = 1 + len(loads)
    at = 64 + 56 * count
    table = struct.pack(order + "IIQQQQQQ", PT_NOTE, 0, at, 0, 0, len(notes), 0, 0)
    body = notes
    for address, flags, contents, size in loads:
        place = at + len(body)
        fields = (PT_LOAD, flags, place, address, 0, len(contents), size, 0)
        table += struct.pack(order + "IIQQQQQQ", *fields)
        body += contents
    ident = (b"\x7fELF\2\1\1" if order == "<" else b"\x7fELF\2\2\1").ljust(16, b"\0")
    head = (kind, machine, 1, 0, 64, 0, 0, 64, 56, count, 64, 0, 0)
    return ident + struct.pack(order + "HHIQQQIHHHHHH", *head) + table + body


def opened(data: bytes) -> CoreFile:
    return CoreFile(parse_elf(data, "made.core"), [module(OWN / "elf" / "v3" / "mini-O2.xz")])


TEXT = (0x401000, 0x402000, 1, b"/x/mini-O2 (deleted)")


def threads_note(*words: int) -> tuple[bytes, Load]:
    """One thread per word, each in LEAF with that word as its return address."""
    notes = b"".join(
        note(b"CORE", 1, prstatus(7 + index, LEAF, STACK + 8 * index))
        for index in range(len(words))
    )
    return notes, (STACK, 6, struct.pack(f"<{len(words)}Q", *words), PAGE)


def test_threads_mappings_and_permissions() -> None:
    """The file's text is mapped from its second page, and the file is gone from the disk."""
    notes, stack = threads_note(IN_START, STACK + 0x20, 0x55550000)
    heap = (0x55550000 - PAGE, 6 | PF_X, b"", 2 * PAGE)
    found = opened(core(notes + note(b"CORE", 0x46494C45, nt_file([TEXT])), [stack, heap]))
    assert [thread.lwp for thread in found.threads] == [7, 8, 9]
    assert [(m.low, m.offset, m.basename) for m in found.mappings] == [(0x401000, PAGE, "mini-O2")]
    assert [loaded.bias for loaded in found.space.modules.values()] == [0]
    traces = [found.unwind(thread) for thread in found.threads]
    assert [(len(t.frames), t.stop) for t in traces] == [
        (2, StopReason.OUTERMOST),
        (1, StopReason.BAD_RETURN_ADDRESS),  # the stack is not executable
        (2, StopReason.NO_MODULE),  # generated code is
    ]
    assert found.missing == ()
    assert found.read(STACK + 16) == 0x55550000
    assert found.read(STACK + 17) is None


def test_a_moved_program_has_a_bias() -> None:
    notes, stack = threads_note(IN_START + 0x70000000)
    notes = notes.replace(struct.pack("<Q", LEAF), struct.pack("<Q", LEAF + 0x70000000))
    moved = (TEXT[0] + 0x70000000, TEXT[1] + 0x70000000, *TEXT[2:])
    found = opened(core(notes + note(b"CORE", 0x46494C45, nt_file([moved])), [stack]))
    (thread,) = found.threads
    assert [f.pc for f in found.unwind(thread).frames] == [LEAF + 0x70000000, IN_START + 0x70000000]


def test_return_addresses_into_a_files_data_are_no_code() -> None:
    """The core leaves the pages out; the file's own segments know which hold code."""
    notes, stack = threads_note(0x402010)
    ranges = [TEXT, (0x402000, 0x403000, 2, TEXT[3])]
    found = opened(core(notes + note(b"CORE", 0x46494C45, nt_file(ranges)), [stack]))
    (thread,) = found.threads
    assert found.unwind(thread).stop is StopReason.BAD_RETURN_ADDRESS


def test_notes_count_only_under_their_owner() -> None:
    notes, stack = threads_note(IN_START)
    foreign = note(b"GNU", 1, prstatus(99, LEAF, STACK)) + note(b"LINUX", 0x46494C45, b"\xff" * 40)
    found = opened(core(foreign + notes, [stack]))
    assert [thread.lwp for thread in found.threads] == [7]
    assert found.missing == ("file mappings (no NT_FILE note)",)


@pytest.mark.parametrize("contents", [b"", b"\1" * 15, b"\xff" * 16, struct.pack("<QQ", 2, PAGE)])
def test_damaged_mappings_are_none(contents: bytes) -> None:
    assert opened(core(note(b"CORE", 0x46494C45, contents))).mappings == ()


def test_a_cut_prstatus_is_no_thread() -> None:
    found = opened(core(note(b"CORE", 1, prstatus(7, LEAF, STACK)[:268])))
    assert found.threads == ()
    assert "threads (no NT_PRSTATUS note)" in found.missing


def test_only_cores_are_cores() -> None:
    with pytest.raises(ElfError, match="not a core file"):
        opened(core(b"", kind=2))
    with pytest.raises(ElfError, match="not a core file"):
        CoreFile(module(OWN / "elf" / "v3" / "recur.xz").image)


def test_notes_that_segments_share_are_read_once() -> None:
    """Thousands of segments over the same bytes must not multiply them."""
    notes = note(b"CORE", 1, prstatus(7, LEAF, STACK))
    data = bytearray(core(notes, [(0, 0, b"", 0)] * 3))
    first = data[64:120]
    for index in range(1, 4):
        data[64 + 56 * index : 120 + 56 * index] = first
    assert len(opened(bytes(data)).threads) == 1


def test_more_segments_than_the_header_can_count() -> None:
    """PN_XNUM: the count is in the first section header; a count of 0 sections likewise."""
    notes, stack = threads_note(IN_START)
    data = bytearray(core(notes, [stack]))
    shoff = len(data)
    data[56:58] = b"\xff\xff"
    data[40:48] = shoff.to_bytes(8, "little")
    data += struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, 1, 0, 2, 0, 0)
    image = parse_elf(bytes(data), "many")
    assert [segment.type for segment in image.segments] == [PT_NOTE, PT_LOAD]
    assert (len(image.sections), image.missing) == (1, ())
