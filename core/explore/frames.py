"""What a suspended coroutine or generator consists of: its place, its locals by name, its evaluation stack.

CPython keeps a frame's locals and its evaluation stack in one array, of which `gc.get_referents` shows what is not
NULL, in order, after the function and its code. The locals that are bound are known by name, and cells are
never NULL, so the rest is the stack: values that wait in the middle of an expression, the iterator of a
`for`, the `__aexit__` of an `async with`, what is being awaited; and last the exception that is being handled.
That holds for CPython 3.11 to 3.14; `self_test` tries it when the engine is imported, and refuses another one.
"""

import gc
import sys
from collections.abc import Coroutine, Generator
from itertools import pairwise
from types import (
    AsyncGeneratorType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
)
from typing import Final, NamedTuple, TypeAlias, cast

from ..errors import UsageError

Suspended: TypeAlias = (
    "CoroutineType[object, object, object] | GeneratorType[object, object, object]"
    " | AsyncGeneratorType[object, object]"
)

SUSPENDED: Final = (CoroutineType, GeneratorType, AsyncGeneratorType)
"""The types of `Suspended`."""


class Unbound:
    """Stands for a local that has no value."""


UNBOUND: Final = Unbound()


class Anatomy(NamedTuple):
    """A frame taken apart."""

    code: CodeType
    offset: int
    """Of the instruction that it is suspended at; -1 before the first."""
    names: tuple[str, ...]
    locals: tuple[object, ...]
    """For each name its value, `UNBOUND`, or the cell that holds it."""
    stack: tuple[object, ...]


def anatomy(suspended: Suspended) -> Anatomy | None:
    """The parts of a suspended frame; None for one that has ended."""
    code, frame = _code_and_frame(suspended)
    if frame is None:
        return None
    values = _referents(suspended, code)
    bound = frame.f_locals
    names = _names(code)
    cells = {*code.co_cellvars, *code.co_freevars}
    position = 0
    found: list[object] = []
    for name in names:
        if name in cells or name in bound:
            found.append(values[position])
            position += 1
        else:
            found.append(UNBOUND)
    return Anatomy(code, frame.f_lasti, names, tuple(found), tuple(values[position:]))


def _code_and_frame(suspended: Suspended) -> tuple[CodeType, FrameType | None]:
    if isinstance(suspended, CoroutineType):
        return suspended.cr_code, suspended.cr_frame
    if isinstance(suspended, GeneratorType):
        return suspended.gi_code, suspended.gi_frame
    return suspended.ag_code, suspended.ag_frame


def _names(code: CodeType) -> tuple[str, ...]:
    """Of all slots that precede the stack, in their order."""
    captured = (name for name in code.co_cellvars if name not in code.co_varnames)
    return (*code.co_varnames, *captured, *code.co_freevars)


def _referents(suspended: Suspended, code: CodeType) -> list[object]:
    """What is in the frame's array and not NULL."""
    referents = gc.get_referents(suspended)
    for position, (function, its_code) in enumerate(pairwise(referents)):
        if isinstance(function, FunctionType) and function.__code__ is code and its_code is code:
            return referents[position + 2 :]
    raise UsageError(f"this Python keeps the frame of {code.co_qualname} in an unknown way")


# the self-test


class _Mark:
    """An object that is itself alone."""


class _Scope:
    async def __aenter__(self) -> int:
        return 1

    async def __aexit__(self, *_: object) -> None:
        pass


def _suspend(value: object) -> Generator[object, object, object]:
    return (yield value)


async def _awaits(mark: object) -> object:
    class Awaitable:
        def __await__(self) -> Generator[object, object, object]:
            return _suspend(mark)

    return await Awaitable()


async def _locals_and_stack(first: object, second: object, which: bool) -> object:
    if which:
        x = first
    else:
        y = first
    del which
    pair = (second, await _awaits(None))
    return pair, x, y


async def _scope_and_loop(items: tuple[int, ...], mark: object) -> object:
    total: list[object] = []
    for item in items:
        async with _Scope() as entered:
            total.append((entered, item, await _awaits(mark)))
    return total


async def _handles(mark: object) -> None:
    try:
        raise KeyError(mark)
    except KeyError:
        await _awaits(mark)


def _stopped(protocol: Coroutine[object, object, object], steps: int = 1) -> Anatomy:
    for _ in range(steps):
        protocol.send(None)
    parts = anatomy(cast(Suspended, protocol))
    protocol.close()
    assert parts is not None
    return parts


def self_test() -> None:
    """Try on this Python what this module relies on. Raises `UsageError` where it does not hold."""
    first, second = _Mark(), _Mark()
    left = _stopped(_locals_and_stack(first, second, True))
    right = _stopped(_locals_and_stack(first, second, False))
    named = dict(zip(left.names, left.locals, strict=True))
    other = dict(zip(right.names, right.locals, strict=True))
    begun = anatomy(cast(Suspended, fresh := _awaits(first)))
    fresh.close()
    loop = _stopped(_scope_and_loop((1, 2), first), 2)
    handler = _stopped(_handles(first))
    facts = (
        named["x"] is first and named["y"] is UNBOUND and named["which"] is UNBOUND,
        other["x"] is UNBOUND and other["y"] is first,
        left.stack[0] is second and len(left.stack) == 2,
        begun is not None and begun.offset < left.offset,
        any(getattr(value, "__name__", "") == "__aexit__" for value in loop.stack),
        any(type(value).__name__ == "tuple_iterator" for value in loop.stack),
        any(isinstance(value, KeyError) for value in handler.stack),
    )
    if not all(facts):
        version = ".".join(map(str, sys.version_info[:3]))
        raise UsageError(
            f"the engine does not know this Python, {version}: fact {facts.index(False)}"
        )
