"""The built-in programs, by name."""

from collections.abc import Callable
from typing import Final

from stackweave.core import Program

from .increments import cas_increments
from .parameters import Parameters

__all__ = ["BUILTIN", "Parameters"]

BUILTIN: Final[dict[str, Callable[[Parameters], Program]]] = {
    "default": cas_increments,
    "cas-increments": cas_increments,
}
