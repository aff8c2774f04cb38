"""How large a built-in program is, and of which generation: its own defaults, or what was asked for."""

from dataclasses import asdict, dataclass

from stackweave.core import UsageError
from stackweave.core.kernel.system import GENERATIONS

from .parameters import Parameters


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a program is made with."""

    generation: str
    cpus: int
    tasks: int
    tracers: int
    syscalls: int

    def given(self) -> dict[str, int | str]:
        """As a program's parameters."""
        return asdict(self)


def sizes(
    parameters: Parameters,
    *,
    generation: str = "upstream",
    cpus: int = 1,
    tasks: int = 1,
    tracers: int = 1,
    syscalls: int = 1,
) -> Sizes:
    """The defaults, except where `parameters` say otherwise. Raises `UsageError` for what cannot be."""
    generation = parameters.generation or generation
    if generation not in GENERATIONS:
        raise UsageError(f"no generation {generation!r}: there are {', '.join(GENERATIONS)}")
    chosen = Sizes(
        generation,
        _size("cpus", parameters.cpus, cpus, cpus),
        _size("tasks", parameters.tasks, tasks, tasks),
        _size("tracers", parameters.tracers, tracers, tracers),
        _size("syscalls", parameters.syscalls, syscalls, 1),
    )
    bits = 64 - GENERATIONS[generation].reserved.bit_count()
    if chosen.tracers > bits:
        raise UsageError(f"generation {generation} has {bits} bits for tracers")
    return chosen


def _size(name: str, given: int | None, default: int, least: int) -> int:
    size = default if given is None else given
    if size < least:
        raise UsageError(f"this program needs at least {least} {name}")
    return size
