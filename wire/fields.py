"""Reading the fields of a decoded value: each either is what it must be, or a `WireError` that names it."""

from .codec import Plain
from .errors import WireError


def text(value: Plain, name: str) -> str:
    """A text."""
    if not isinstance(value, str):
        raise WireError(f"{name} is not text")
    return value


def integer(value: Plain, name: str, low: int, high: int) -> int:
    """An integer in [low, high]."""
    if type(value) is not int or not low <= value <= high:
        raise WireError(f"{name} is not an integer from {low} to {high}")
    return value


def items(value: Plain, name: str, count: int | None = None) -> list[Plain]:
    """A list, of `count` items if that is given."""
    if not isinstance(value, list) or count not in (None, len(value)):
        raise WireError(f"{name} is not a list" + (f" of {count}" if count is not None else ""))
    return value


def entries(value: Plain, name: str) -> dict[str, Plain]:
    """A map."""
    if not isinstance(value, dict):
        raise WireError(f"{name} is not a map")
    return value
