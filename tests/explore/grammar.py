"""Random protocols: source text of async functions, built from choices, that uses what a state is made of.

Locals unbound on some paths, values on the stack, closures, `try`/`finally`, `async with`, loops over iterators,
nested coroutines, generators, asynchronous generators, comprehensions, exceptions, aliases. All loops are bounded.
"""

from collections.abc import Callable, Sequence
from typing import Final

from .protocols import Body, ask

Choose = Callable[[int], int]
"""A number from 0 to one less."""

_NAMES: Final = ("a", "b", "c", "d")

PRELUDE: Final = """
class Scope:
    def __init__(self, number):
        self.number = number
    async def __aenter__(self):
        return await ask(self.number)
    async def __aexit__(self, kind, error, trace):
        await ask(self.number + 1)
        return kind is KeyError

def squares(count):
    for at in range(count):
        yield at * at

async def asked(count):
    for at in range(count):
        yield at + await ask(at)

async def helper(value):
    first = await ask(value % 4)
    return first + await ask(first % 3)
"""


class Writer:
    """Writes one protocol."""

    def __init__(self, choose: Choose) -> None:
        self._choose = choose
        self._lines: list[str] = []
        self._loops = 0

    def source(self) -> str:
        """A protocol named `protocol`, and what it uses."""
        self._lines = ["async def protocol():"]
        self._block(1, 3 + self._choose(3))
        self._line(1, f"return {self._value()}")
        return PRELUDE + "\n".join(self._lines) + "\n"

    def _line(self, depth: int, text: str) -> None:
        self._lines.append("    " * depth + text)

    def _name(self) -> str:
        return _NAMES[self._choose(len(_NAMES))]

    def _value(self) -> str:
        name, other = self._name(), self._name()
        return (
            f"await ask({self._choose(4)})",
            str(self._choose(3)),
            name,
            f"({name}, await ask({self._choose(3)}), {other})",
            f"await helper({self._choose(5)})",
            f"[{name}]",
            f"len(str({name}))",
            "[x for x in (await ask(), 1) if await ask(x % 3)]",
            f"max(1, {self._choose(3)}, await ask(2))",
            f"{{1: {name}, 2: await ask(1)}}",
            "{8 * (await ask()), 0, 16}",
        )[self._choose(11)]

    def _block(self, depth: int, count: int) -> None:
        for _ in range(count):
            self._statement(depth)

    def _statement(self, depth: int) -> None:
        simple = (self._assign, self._delete, self._grow, self._capture, self._assign, self._fail)
        nested = (self._if, self._try, self._with, self._for, self._finally, self._asynchronous)
        kinds = simple if depth > 3 else simple + nested
        kinds[self._choose(len(kinds))](depth)

    def _assign(self, depth: int) -> None:
        self._line(depth, f"{self._name()} = {self._value()}")

    def _delete(self, depth: int) -> None:
        name = self._name()
        self._line(depth, f"{name} = 0")
        self._line(depth, f"if await ask(1) % 2: del {name}")

    def _grow(self, depth: int) -> None:
        name, other = self._name(), self._name()
        self._line(depth, f"{name} = {other} = [await ask(3)]")
        self._line(depth, f"{name}.append(len({other}))")

    def _capture(self, depth: int) -> None:
        name = self._name()
        self._line(depth, f"inner = lambda value={self._choose(3)}: (value, {name})")
        self._line(depth, f"{self._name()} = (inner, await ask(2))[0]()")

    def _fail(self, depth: int) -> None:
        self._line(
            depth, f"if await ask() % 3 == {self._choose(3)}: raise KeyError({self._name()})"
        )

    def _if(self, depth: int) -> None:
        self._line(depth, f"if await ask(2) % 2 == {self._choose(2)}:")
        self._block(depth + 1, 1 + self._choose(2))
        self._line(depth, "else:")
        self._block(depth + 1, 1)

    def _try(self, depth: int) -> None:
        self._line(depth, "try:")
        self._block(depth + 1, 1 + self._choose(2))
        self._line(depth, "except (KeyError, NameError, TypeError) as error:")
        self._line(depth + 1, f"{self._name()} = (str(error), await ask(1))")
        self._block(depth + 1, 1)

    def _finally(self, depth: int) -> None:
        self._line(depth, "try:")
        self._block(depth + 1, 1 + self._choose(2))
        self._line(depth, "finally:")
        self._line(depth + 1, f"{self._name()} = await ask(3)")

    def _with(self, depth: int) -> None:
        self._line(depth, f"async with Scope({self._choose(3)}) as {self._name()}:")
        self._block(depth + 1, 1 + self._choose(2))

    def _for(self, depth: int) -> None:
        over = ("(1, 1, 2)", "squares(3)", "enumerate('ab')", "zip((1, 2), [2, 3])", "range(2)")
        self._line(depth, f"for {self._name()} in {over[self._choose(len(over))]}:")
        self._block(depth + 1, 1)
        self._line(depth + 1, f"if await ask() % 4 == {self._choose(4)}: break")

    def _asynchronous(self, depth: int) -> None:
        self._line(depth, f"async for {self._name()} in asked(2):")
        self._block(depth + 1, 1)


def protocol_of(source: str) -> Body:
    """The protocol that a text defines."""
    space: dict[str, object] = {"ask": ask, "__name__": "random_protocol"}
    exec(compile(source, "<random protocol>", "exec"), space)
    body = space["protocol"]
    assert callable(body)
    return body


def write(choices: Sequence[int]) -> str:
    """The protocol of a sequence of choices, which is begun again at its end."""
    at = 0

    def choose(bound: int) -> int:
        nonlocal at
        at += 1
        return choices[at % len(choices)] % bound

    return Writer(choose).source()
