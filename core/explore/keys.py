"""What keys are made of: tags that are no value of a program, and what stands for what counts by identity."""

from typing import Final, NamedTuple, TypeAlias

Key: TypeAlias = tuple[object, ...]
"""Of what can be hashed, and is compared by value."""


class Unmergeable(Exception):
    """A value that has no key, with the place in the source that holds it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = ""
        """The local, function, file and line; known when the frame is."""

    def at(self, place: str) -> None:
        """Say where; the innermost frame says it first."""
        self.place = self.place or place

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" if self.place else self.reason


class Tag:
    """What a key says that is no value of a program."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


ATOM: Final = Tag("atom")
STATIC: Final = Tag("static")
AGAIN: Final = Tag("again")
UNBOUND: Final = Tag("unbound")
DEAD: Final = Tag("dead")
HANDLED: Final = Tag("handled")
ENDED: Final = Tag("ended")
FRAME: Final = Tag("frame")
TRUE: Final = Tag("True")
FALSE: Final = Tag("False")


class Atom:
    """In a key: something that counts by identity, and its name for those who do not share it."""

    __slots__ = ("_name", "_value")

    def __init__(self, value: object, name: str) -> None:
        self._value = value
        self._name = name

    def __repr__(self) -> str:
        return self._name


class Plan(NamedTuple):
    """What is known of a frame by its place."""

    prefix: tuple[object, ...]
    """How its key begins."""
    live: tuple[bool, ...]
    """Of each local, whether it can still be read."""
    origins: frozenset[int]
    """Places on the stack that tell tracebacks where an exception was raised."""
