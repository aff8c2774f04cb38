"""Objects that travel through integers: events, messages and signatures by number, equal ones by the same."""

from collections.abc import Hashable
from typing import cast


class Interning:
    """Numbers objects by content, in the order of their discovery. No number leaves the engine."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._values: list[object] = []

    def number(self, value: object) -> int:
        """The number of an object; of equal ones of one type the same."""
        key = cast(Hashable, (type(value), value))
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._values)
            self._values.append(value)
        return number

    def value(self, number: int) -> object:
        """The object of a number."""
        return self._values[number]

    def __len__(self) -> int:
        return len(self._values)
