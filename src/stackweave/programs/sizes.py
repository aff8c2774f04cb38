"""How large a built-in program is, of which generation and flavour: its own defaults, or what was asked for."""

from dataclasses import asdict, dataclass

from stackweave.core import UsageError
from stackweave.core.kernel.flavour import in_order
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
    flavour: str | None
    """None is the generation's default."""

    def given(self) -> dict[str, int | str]:
        """As a program's parameters."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def sizes(
    parameters: Parameters,
    *,
    generation: str = "upstream",
    flavour: str | None = None,
    cpus: int = 1,
    tasks: int = 1,
    tracers: int = 1,
    syscalls: int = 1,
) -> Sizes:
    """The defaults, except where `parameters` say otherwise. Raises `UsageError` for what cannot be.

    A program's own flavour is one of its own generation: another one that is asked for is as it is by default.
    """
    if parameters.generation not in (None, generation):
        generation, flavour = parameters.generation, None
    if generation not in GENERATIONS:
        raise UsageError(f"no generation {generation!r}: there are {', '.join(GENERATIONS)}")
    kind = GENERATIONS[generation]
    if parameters.flavour is not None:
        flavour = parameters.flavour
    chosen = Sizes(
        generation,
        _size("cpus", parameters.cpus, cpus, cpus),
        _size("tasks", parameters.tasks, tasks, tasks),
        _size("tracers", parameters.tracers, tracers, tracers),
        _size("syscalls", parameters.syscalls, syscalls, 1),
        None if flavour is None else in_order(flavour),
    )
    bits = kind.flavoured(flavour).long_bits - kind.reserved.bit_count()
    if chosen.tracers > bits:
        raise UsageError(f"generation {generation} has {bits} bits for tracers")
    return chosen


def _size(name: str, given: int | None, default: int, least: int) -> int:
    size = default if given is None else given
    if size < least:
        raise UsageError(f"this program needs at least {least} {name}")
    return size
