"""The machine of live runs: the actors of the default program with empty mailboxes, to be filled while it runs."""

from dataclasses import replace
from typing import Final

from stackweave.actors import NOTHING, Agenda, Emulator
from stackweave.core import UsageError

from .parameters import Parameters
from .sizes import Sizes, sizes

MOST: Final = 64
"""CPUs, tasks or tracers: every actor is looked at after each operation."""


def machine(parameters: Parameters) -> Emulator:
    """As many CPUs, tasks and tracers as are asked for. Raises `UsageError` for what cannot be."""
    chosen = replace(
        parameters,
        cpus=2 if parameters.cpus is None else parameters.cpus,
        tasks=2 if parameters.tasks is None else parameters.tasks,
        tracers=3 if parameters.tracers is None else parameters.tracers,
    )
    size = sizes(chosen)
    if max(size.cpus, size.tasks, size.tracers) > MOST:
        raise UsageError(f"a live run takes at most {MOST} CPUs, tasks and tracers each")
    return emulator("live", size)


def emulator(name: str, size: Sizes, agenda: Agenda | None = None) -> Emulator:
    """The actors of a program of that size. Where there is no agenda the system calls come by message."""
    given = size.given()
    if agenda is None:
        del given["syscalls"]
    return Emulator(
        name,
        generation=size.generation,
        flavour=size.flavour,
        cpus=size.cpus,
        tasks=size.tasks,
        tracers=size.tracers,
        agenda=agenda or NOTHING,
        parameters=given,
    )
