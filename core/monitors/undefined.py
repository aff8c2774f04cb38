"""`undefined-behaviour`: the code does what C leaves undefined, as a sanitizer of the kernel would report it."""

from dataclasses import dataclass
from typing import Self

from ..events import UndefinedBehaviour
from ..monitor import Monitor, violate
from .specification import sliced


@dataclass(frozen=True, slots=True)
class Defined:
    """`undefined-behaviour`: the event itself is the violation."""

    def after(self, event: object) -> Self:
        if isinstance(event, UndefinedBehaviour):
            violate(f"undefined-behaviour:{event.what}", "the result is anything")
        return self


def undefined_behaviour(what: str) -> Monitor:
    """One kind of undefined behaviour never happens."""
    return sliced("undefined-behaviour", Defined(), UndefinedBehaviour, what=what)
