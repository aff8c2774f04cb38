"""What a program can be asked to be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameters:
    """Sizes and the generation of the kernel's mechanisms; None is the program's own choice."""

    generation: str | None = None
    cpus: int | None = None
    tasks: int | None = None
    tracers: int | None = None
    syscalls: int | None = None
    flavour: str | None = None
    """Names of flavours, joined by +."""
