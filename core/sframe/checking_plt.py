"""PLT entries of AMD64, whose code says what their rules must be.

An entry may push the number of its relocation; nothing else moves SP. So the CFA is SP + 8, and
SP + 16 once it has pushed. Linkers write these rules from templates of their own, and took the
wrong one more than once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stackweave.core.sframe.amd64 import SP
from stackweave.core.sframe.elf import ElfImage
from stackweave.core.sframe.module import section_bytes
from stackweave.core.sframe.rules import FrameRule, RuleKind

_ENTRY: Final = 16
"""Bytes of the first entry of `.plt`, which is of another kind, and of each of the others."""
_SINGLE_JUMPS: Final = (b".plt.got", b".plt.sec")
_PUSHED: Final = {
    b"\xff\x25": 11,  # jmp *slot(%rip); push
    b"\xf3\x0f": 9,  # endbr64; push; jmp
    b"\x68": 5,  # push; bnd jmp
}
"""Bytes to the end of the push, by an entry's first bytes."""
_PUSH_SIZE: Final = 5
_PUSH: Final = b"\x68"


@dataclass(frozen=True, slots=True)
class PltEntries:
    """Where entries of one kind are."""

    low: int
    high: int
    """The first address behind them."""
    pushed: int | None
    """Bytes of an entry until it has pushed; None: it is one jump."""

    def mistakes(self, rules: Sequence[tuple[int, FrameRule]]) -> list[tuple[int, FrameRule]]:
        """The offsets in an entry at which its rows, by their starts, say something else."""
        found = []
        for offset in sorted({self.pushed or 0, *(start for start, _ in rules)}):
            in_force = [rule for start, rule in rules if start <= offset][-1:]
            expected = 8 if self.pushed is None or offset < self.pushed else 16
            for rule in in_force:
                is_frame = rule.kind is RuleKind.FRAME
                if is_frame and (rule.cfa.register, rule.cfa.offset) != (SP, expected):
                    found.append((offset, rule))
        return found


def plt_entries(image: ElfImage) -> tuple[PltEntries, ...]:
    """The entries that are of a known kind."""
    found = []
    # a damaged file may have thousands of one name
    for section in {each.name: each for each in reversed(image.sections)}.values():
        low, high = section.address, section.address + section.size
        if section.name in _SINGLE_JUMPS:
            found.append(PltEntries(low, high, None))
        elif section.name == b".plt":
            pushed = _pushed(section_bytes(image, section)[_ENTRY : 2 * _ENTRY])
            if pushed is not None:
                found.append(PltEntries(low + _ENTRY, high, pushed))
    return tuple(found)


def _pushed(entry: bytes) -> int | None:
    for first, pushed in _PUSHED.items():
        if entry.startswith(first) and entry.startswith(_PUSH, pushed - _PUSH_SIZE):
            return pushed
    return None
