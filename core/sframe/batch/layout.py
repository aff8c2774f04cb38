"""What the compiled unwinder must know of a process, wherever that comes from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stackweave.core.sframe.address_space import AddressSpace
from stackweave.core.sframe.elf import PF_X, ByteOrder
from stackweave.core.sframe.module import LoadedModule
from stackweave.core.sframe.rules import Architecture


@dataclass(frozen=True, slots=True)
class Layout:
    """The mappings of a process at one moment."""

    lows: Sequence[int]
    """Sorted."""
    highs: Sequence[int]
    shown: Sequence[LoadedModule | None]
    """Of each mapping, the given module there."""
    code: Sequence[tuple[int, int]]
    """Ranges that hold code, sorted."""
    architecture: Architecture | None
    byte_order: ByteOrder
    """Of words in memory."""
    read_constant: Callable[[int, int], bytes | None]
    """What files show."""

    def read(self, address: int) -> int | None:
        """The word that a file shows at an address, or None."""
        data = self.read_constant(address, 8)
        return None if data is None else int.from_bytes(data, self.byte_order)


def layout_of(space: AddressSpace) -> Layout:
    """Of an address space."""
    mappings = space.mappings
    shown = [space.modules.get(mapping.path) for mapping in mappings]
    ranges = [piece for at in range(len(mappings)) for piece in _code(space, at, shown[at])]
    first = next(iter(space.modules.values()), None)
    return Layout(
        [mapping.low for mapping in mappings],
        [mapping.high for mapping in mappings],
        shown,
        sorted(ranges),
        space.architecture,
        first.module.image.byte_order if first else "little",
        space.read_constant,
    )


def _code(space: AddressSpace, at: int, loaded: LoadedModule | None) -> list[tuple[int, int]]:
    """The parts of a mapping that `AddressSpace.is_code` says hold code."""
    mapping = space.mappings[at]
    low, high = mapping.low, mapping.high
    if at + 1 < len(space.mappings):
        high = min(high, space.mappings[at + 1].low)
    if loaded is None:
        return [(low, high)] if low < high else []
    found = []
    loads = loaded.module.loads
    for number, load in enumerate(loads):
        end = load.address + load.memory_size
        if number + 1 < len(loads):
            end = min(end, loads[number + 1].address)
        start, end = max(low, load.address + loaded.bias), min(high, end + loaded.bias)
        if load.flags & PF_X and start < end:
            found.append((start, end))
    return found
