"""What a process has mapped where, as the records tell it: a new mapping replaces what it covers."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from stackweave.core.sframe.address_space import FileMapping
from stackweave.core.sframe.module import LoadedModule


@dataclass(frozen=True, slots=True)
class Mapped:
    """One mapping, with the module that was given for it."""

    mapping: FileMapping
    build_id: bytes | None
    executable: bool
    loaded: LoadedModule | None

    def part(self, low: int, high: int) -> "Mapped":
        """What is left of it."""
        offset = self.mapping.offset + low - self.mapping.low
        return replace(self, mapping=replace(self.mapping, low=low, high=high, offset=offset))


class Maps:
    """The mappings of one process; its methods are the unwinder's callables."""

    __slots__ = ("_entries", "_lows", "changes", "holders")

    def __init__(self) -> None:
        self.holders = 1
        """Processes that have them in common."""
        self.changes = 0
        """How often something was mapped."""
        self._lows: list[int] = []
        self._entries: list[Mapped] = []

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Mapped]:
        """By address."""
        return iter(self._entries)

    def copy(self) -> "Maps":
        other = Maps()
        other._lows, other._entries = self._lows[:], self._entries[:]
        return other

    def insert(self, new: Mapped) -> None:
        """Map a range; older mappings keep what lies outside it."""
        self.changes += 1
        low, high = new.mapping.low, new.mapping.high
        first = bisect_right(self._lows, low)
        if first and self._entries[first - 1].mapping.high > low:
            first -= 1
        behind = bisect_left(self._lows, high)
        pieces = [new]
        if first < behind:
            oldest, newest = self._entries[first], self._entries[behind - 1]
            if oldest.mapping.low < low:
                pieces.insert(0, oldest.part(oldest.mapping.low, low))
            if newest.mapping.high > high:
                pieces.append(newest.part(high, newest.mapping.high))
        self._entries[first:behind] = pieces
        self._lows[first:behind] = [piece.mapping.low for piece in pieces]

    def find(self, address: int) -> Mapped | None:
        """What covers `address`, or None."""
        found = bisect_right(self._lows, address) - 1
        if found < 0 or address >= self._entries[found].mapping.high:
            return None
        return self._entries[found]

    def find_module(self, address: int) -> LoadedModule | None:
        """The given module that is mapped at `address`, or None."""
        found = self.find(address)
        return found.loaded if found else None

    def read_constant(self, address: int, size: int) -> bytes | None:
        """Bytes that a mapped file, which nobody can write to, shows there; None: not known."""
        loaded = self.find_module(address)
        return loaded.module.read_constant(address - loaded.bias, size) if loaded else None

    def is_code(self, address: int) -> bool:
        """Whether something executable is mapped there."""
        found = self.find(address)
        return found is not None and found.executable
