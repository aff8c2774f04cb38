"""Where the addresses of a stack lie, and what a callchain's addresses are."""

from dataclasses import dataclass

from stackweave.core.sframe.module import LoadedModule
from stackweave.core.sframe.perf.constants import Context
from stackweave.core.sframe.perf.maps import Maps


@dataclass(frozen=True, slots=True)
class Place:
    """One line of a stack."""

    pc: int
    is_exact: bool
    """pc is the next instruction to run, not a return address."""
    module: LoadedModule | None
    """The given module there."""
    path: str | None
    """The file that is mapped there, as the session names it."""

    @property
    def lookup_pc(self) -> int:
        """An address inside the instruction that the frame executes."""
        return self.pc if self.is_exact else self.pc - 1


def split_chain(chain: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The kernel's and the user's addresses of a callchain; a cookie is neither."""
    parts: dict[int, list[int]] = {Context.KERNEL: [], Context.USER: []}
    context: int = Context.USER
    for address in chain:
        if address >= Context.MAX:
            context = address
        elif context in parts:
            parts[context].append(address)
    return tuple(parts[Context.KERNEL]), tuple(parts[Context.USER])


def addresses(chain: tuple[int, ...]) -> tuple[int, ...]:
    """A callchain without its marks."""
    return tuple(address for address in chain if address < Context.MAX)


def places_of(maps: Maps, chain: tuple[int, ...]) -> tuple[Place, ...]:
    """Where the addresses of a callchain lie: the first is where it stood, the others return there."""
    return tuple(place_at(maps, address, not depth) for depth, address in enumerate(chain))


def place_at(maps: Maps, pc: int, is_exact: bool) -> Place:
    found = maps.find(pc if is_exact else pc - 1)
    return Place(
        pc, is_exact, found.loaded if found else None, found.mapping.path if found else None
    )
