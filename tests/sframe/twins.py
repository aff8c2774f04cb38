"""For each rule of `check` a section that breaks it, made from a sound one by as little as possible."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from stackweave.core.sframe.checking import Finding, Profile, Rule
from stackweave.core.sframe.checking_file import check
from stackweave.core.sframe.constants import PT_GNU_SFRAME
from stackweave.core.sframe.elf import (
    EM_AARCH64,
    EM_X86_64,
    SHF_EXECINSTR,
    ElfImage,
    Section,
    Segment,
)

from .sections import FLEX, KEY_B, MASK, PCREL, SIGNAL, SORTED, Function, row, section

ADDRESS: Final = 0x4000
FDE: Final = 28
ATTRIBUTE: Final = FDE + 16
ROWS: Final = ATTRIBUTE + 5
BOTH: Final = SORTED | PCREL
SOUND: Final = Function(0x1000, 16, (row(0, 8), row(4, 16)))
OUTERMOST: Final = row(0, info=0)


@dataclass(frozen=True, slots=True)
class Planted:
    """A section with something wrong."""

    rule: Rule
    data: bytes
    offset: int | None
    """Where it must be found."""
    image: ElfImage | None = None
    address: int = ADDRESS

    def findings(self) -> list[Finding]:
        """What `check` says of that rule."""
        profile = Profile.KERNEL if self.rule.is_kernels else Profile.SPECIFICATION
        found = check(self.image, self.data, self.address, profile)
        return [finding for finding in found if finding.rule is self.rule]


def table(*functions: Function, flags: int = BOTH, version: int = 3) -> bytes:
    """A section at `ADDRESS`."""
    return section(*functions, flags=flags, version=version, address=ADDRESS)


def patched(at: int, new: bytes, data: bytes | None = None) -> bytes:
    """The sound section, or another, with other bytes somewhere."""
    data = table(SOUND) if data is None else data
    return data[:at] + new + data[at + len(new) :]


def image(
    *,
    machine: int = EM_X86_64,
    text: tuple[int, int] = (0x1000, 16),
    name: bytes = b".text",
    entry: int = 0,
    flags: int = 2,
    segment: tuple[int, int] | None = (ADDRESS, 55),
    has_sframe: bool = True,
    code: bytes = b"",
) -> ElfImage:
    """A linked file with one section of code around the sound section."""
    head = bytes(24) + entry.to_bytes(8, "little")
    text_section = Section(name, 1, 2 | SHF_EXECINSTR, text[0], len(head), text[1], 0, 0)
    own = Section(b".sframe", 0x6FFFFFF4, flags, ADDRESS, 0, 55, 0, 0)
    segments = () if segment is None else (Segment(PT_GNU_SFRAME, 4, 0, *segment, segment[1]),)
    sections = (text_section, own) if has_sframe else (text_section,)
    return ElfImage("made", head + code, 3, machine, segments, sections, ())


def described(*rows: bytes, **fields: int) -> bytes:
    """A section whose one function has these rows."""
    return table(replace(SOUND, rows=rows, **fields))


def _header() -> list[Planted]:
    own = table(SOUND)
    return [
        Planted(Rule.HEADER_CUT, own[:20], 0),
        Planted(Rule.MAGIC, patched(0, b"\0"), 0),
        Planted(Rule.VERSION, patched(2, b"\4"), 2),
        Planted(Rule.FLAGS, patched(3, b"\x15"), 3),
        Planted(Rule.FLAGS, patched(3, b"\7"), 3),
        Planted(Rule.ABI, patched(4, b"\5"), 4),
        Planted(Rule.BYTE_ORDER, patched(4, b"\1"), 4),
        Planted(Rule.MACHINE, own, 4, image(machine=EM_AARCH64)),
        Planted(Rule.MACHINE, own, None, image(machine=40)),
        Planted(Rule.FDE_AREA, patched(8, b"\2"), 8),
        Planted(Rule.FRE_AREA, patched(16, b"\x0c"), 16),
        Planted(Rule.FRE_COUNT, patched(12, b"\1"), 12),
        Planted(Rule.FRE_ROOM, patched(12, b"\xff"), 12),
        Planted(Rule.AUXILIARY, section(SOUND, auxiliary=bytes(4)), 7),
        Planted(Rule.FIXED_OFFSETS, patched(6, b"\xf0"), 5),
        Planted(Rule.FIXED_OFFSETS, patched(5, b"\xf0"), 5),
        Planted(Rule.UNUSED_BYTES, patched(16, b"\x0d", own + bytes(2)), len(own)),
        Planted(Rule.TRAILING, own + b"\0\1", len(own) + 1),
        Planted(Rule.SEVERAL_HEADERS, own + bytes(1) + own, len(own) + 1),
        Planted(Rule.ALIGNMENT, own, 0, address=ADDRESS + 4),
        Planted(Rule.PCREL_CLEAR, table(SOUND, flags=SORTED), 3),
        Planted(Rule.PCREL_CLEAR, table(SOUND, flags=SORTED, version=2), 3),
        Planted(Rule.NO_FUNCTIONS, table(), 8),
    ]


def _functions() -> list[Planted]:
    other = replace(SOUND, start=0x2000)
    shared = patched(FDE + 16 + 12, bytes(4), table(SOUND, other))
    overlapping = replace(SOUND, start=0x1008)
    plt = image(name=b".plt.got")
    return [
        Planted(Rule.SORTED, table(other, SOUND), FDE + 16),
        Planted(Rule.UNSORTED, table(SOUND, flags=PCREL), 3),
        Planted(Rule.FRE_OFFSET, patched(FDE + 12, b"\x0b"), FDE + 12),
        Planted(Rule.FRE_OFFSET, patched(FDE + 8, b"\x0b", table(SOUND, version=2)), FDE + 8),
        Planted(Rule.FRE_TYPE, described(info=3), ATTRIBUTE + 2),
        Planted(Rule.FDE_TYPE, described(info2=2), ATTRIBUTE + 3),
        Planted(Rule.REPEAT_ZERO, described(row(0, 8), info=MASK), ATTRIBUTE + 4),
        Planted(Rule.REPEAT_UNUSED, described(row(0, 8), rep_size=16), ATTRIBUTE + 4),
        Planted(Rule.INFO_BITS, described(row(0, 8), info=0x40), ATTRIBUTE + 2),
        Planted(Rule.INFO_BITS, described(row(0, 8), info=KEY_B), ATTRIBUTE + 2),
        Planted(Rule.INFO_BITS, described(row(0, 8), info2=0x20), ATTRIBUTE + 3),
        Planted(Rule.INFO_BITS, table(replace(SOUND, info=SIGNAL), version=2), FDE + 16),
        Planted(Rule.PADDING, patched(FDE + 18, b"\1", table(SOUND, version=2)), FDE + 18),
        Planted(Rule.ROWS_CLAIMED, patched(ATTRIBUTE, b"\4"), ROWS),
        Planted(Rule.SIZE_ZERO, described(row(0, 8), size=0), FDE + 8),
        Planted(Rule.OVERLAP, table(SOUND, overlapping), FDE + 16),
        Planted(Rule.OVERLAP, table(SOUND, SOUND), FDE + 16),
        Planted(Rule.NO_ROWS, described(info2=FLEX), ROWS),
        Planted(Rule.NO_ROWS, table(replace(SOUND, rows=()), version=2), FDE + 20),
        Planted(Rule.SHARED_ROWS, shared, FDE + 32),
        Planted(Rule.OUTSIDE_TEXT, table(SOUND), FDE, image(text=(0x1000, 15))),
        Planted(Rule.OUTERMOST_MISSING, table(SOUND), ROWS, image(entry=0x1000)),
        Planted(Rule.PLT_ENTRY, described(row(0, 16), info=MASK, rep_size=8), ROWS, plt),
    ]


def _rows() -> list[Planted]:
    second = ROWS + 3
    flexible = {"info2": FLEX}
    wide = row(0, 40 << 3 | 1, 8, width=2)
    old = replace(SOUND, rows=(OUTERMOST,))
    return [
        Planted(Rule.ROW_CUT, patched(ATTRIBUTE, b"\3"), ROWS + 6),
        Planted(Rule.ROW_CUT, patched(ROWS + 4, b"\5"), second),
        Planted(Rule.WORD_SIZE, described(row(0, 8), row(4, info=0x63)), second),
        Planted(Rule.ROW_ORDER, described(row(0, 8), row(0, 16)), second),
        Planted(Rule.ROW_RANGE, described(row(0, 8), row(17, 16)), second),
        Planted(Rule.ROW_WORDS, described(row(0, 8, -16, -24)), ROWS),
        Planted(Rule.ROW_WORDS, described(row(0, 57), **flexible), ROWS),
        Planted(Rule.ROW_WORDS, described(row(0, 2, 8), **flexible), ROWS),
        Planted(Rule.ROW_WORDS, described(row(0, 8, info=0x83)), ROWS),
        Planted(Rule.ROW_NEVER, described(row(0, 8), row(16, 16)), second),
        Planted(Rule.ROW_NEVER, described(row(0, 8), row(8, 16), info=MASK, rep_size=8), second),
        Planted(Rule.FIRST_ROW, described(row(1, 8)), ROWS),
        Planted(Rule.OUTERMOST_BITS, described(row(0, info=1)), ROWS),
        Planted(Rule.OUTERMOST_EARLY, table(old, version=1, flags=SORTED), FDE + 17),
        Planted(Rule.OUTERMOST_EARLY, table(old, version=2, flags=SORTED), FDE + 20),
        Planted(Rule.CONTROL, described(row(0, 57 | 4, 8), **flexible), ROWS),
        Planted(Rule.PADDING_LAST, described(row(0, 57, 8, 0), **flexible), ROWS),
        Planted(Rule.STALE_FP, described(row(0, 57, 8, 0, 51, 0), **flexible), ROWS),
        Planted(Rule.REGISTER, described(wide, **flexible), ROWS),
    ]


def _file() -> list[Planted]:
    own = table(SOUND)
    return [
        Planted(Rule.ABSENT, b"", None, image(has_sframe=False)),
        Planted(Rule.EMPTY, b"", None, image()),
        Planted(Rule.NOT_LOADED, own, None, image(flags=0)),
        Planted(Rule.SEGMENT_MISSING, own, None, image(segment=None)),
        Planted(Rule.SEGMENT_ELSEWHERE, own, None, image(segment=(ADDRESS + 8, 55))),
        Planted(Rule.SEGMENT_ELSEWHERE, own, None, image(segment=(ADDRESS, 54))),
        Planted(Rule.SEGMENT_LONGER, own, None, image(segment=(ADDRESS, 56))),
        Planted(Rule.UNCOVERED, own, None, image(text=(0xFFF, 17))),
        Planted(Rule.UNCOVERED, own, None, image(text=(0x1000, 17))),
    ]


def _kernel() -> list[Planted]:
    own, flexible = table(SOUND), {"info2": FLEX}
    return [
        Planted(Rule.KERNEL_VERSION, table(SOUND, version=2), 2),
        Planted(Rule.KERNEL_FLAGS, table(SOUND, flags=PCREL), 3),
        Planted(Rule.KERNEL_FLAGS, table(SOUND, flags=SORTED), 3),
        Planted(Rule.KERNEL_AUXILIARY, section(SOUND, auxiliary=bytes(4)), 7),
        Planted(Rule.KERNEL_EMPTY, table(), 8),
        Planted(Rule.KERNEL_EMPTY, table(replace(SOUND, rows=())), 8),
        Planted(Rule.KERNEL_HEADERS, own + bytes(1) + own, len(own) + 1),
        Planted(Rule.KERNEL_TEXT, own, FDE, image(text=(0x1001, 16))),
        Planted(Rule.KERNEL_ORDER, table(SOUND, SOUND), FDE + 16),
        Planted(Rule.KERNEL_WORDS, patched(5, b"\xf0", described(row(0, 8, -16))), ROWS),
        Planted(Rule.KERNEL_WORDS, described(row(0, 57, 8, 0, 0), **flexible), ROWS),
    ]


PARTS: Final[tuple[Callable[[], list[Planted]], ...]] = (_header, _functions, _rows, _file, _kernel)
PLANTED: Final = tuple(planted for part in PARTS for planted in part())
