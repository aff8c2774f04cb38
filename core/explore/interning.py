"""Objects that travel through integers: events, messages and signatures by number, equal ones by the same.

Equal is what the encoder says: `1`, `1.0` and `True` are three, and so are records that hold them.
"""

from ..errors import ModelError
from .encoding import Encoder
from .identity import identity_of
from .keys import Key
from .statics import Statics


class Interning:
    """Numbers objects by content, in the order of their discovery. No number leaves the engine; `identity` may."""

    def __init__(self) -> None:
        self._numbers: dict[Key, int] = {}
        self._keys: list[Key] = []
        self._values: list[object] = []
        self._encoder = Encoder(Statics(()))

    def number(self, value: object) -> int:
        """The number of an object; of equal ones the same. Raises `ModelError` for what cannot be hashed."""
        try:
            hash(value)
        except TypeError:
            raise ModelError(
                f"a {type(value).__name__} is no message or event: make it a tuple or a frozen dataclass"
            ) from None
        key = self._encoder.value(value)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._values)
            self._keys.append(key)
            self._values.append(value)
        return number

    def identity(self, number: int) -> int:
        """What stands for an object in every process."""
        return identity_of(self._keys[number])

    def value(self, number: int) -> object:
        """The object of a number."""
        return self._values[number]

    def __len__(self) -> int:
        return len(self._values)
