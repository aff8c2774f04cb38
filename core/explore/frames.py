"""What a suspended coroutine or generator consists of: its place, its local variables, its evaluation stack.

CPython keeps a frame's locals and its evaluation stack in one array at the end of the coroutine's own memory.
`gc.get_referents` gives what is in it, in order, but leaves out what is NULL: an unbound local, the NULL beside
a callable that waits for its arguments, a variable that a comprehension has put aside. So which places are NULL is
read from the array itself, as words that are compared with the referents' addresses and never followed, at
each frame anew. That holds for CPython 3.11 to 3.13 (Include/internal/pycore_frame.h, `_PyInterpreterFrame`, and
Objects/genobject.c, `gen_traverse`); 3.14 is written down as its headers have it. `selftest` tries it when the
engine is imported, and refuses a Python where it does not hold.
"""

import ctypes
import gc
import sys
from itertools import compress
from types import (
    AsyncGeneratorType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
)
from typing import Final, NamedTuple, TypeAlias

from ..errors import UsageError

Suspended: TypeAlias = (
    "CoroutineType[object, object, object] | GeneratorType[object, object, object]"
    " | AsyncGeneratorType[object, object]"
)

SUSPENDED: Final = (CoroutineType, GeneratorType, AsyncGeneratorType)
"""The types of `Suspended`."""

_POINTER_TOP: Final = sys.version_info >= (3, 14)
"""Whether the top of the stack is kept as a pointer, and what is on it with two bits that are no address."""
_HEADER: Final = 2
"""Words read before the array; the top of the stack is in one of them."""
_WORD: Final = ctypes.sizeof(ctypes.c_uint64)


class Missing:
    """Stands for NULL: a local that has no value, an empty place of the stack."""


MISSING: Final = Missing()


class Shape:
    """What all frames of one code have in common."""

    __slots__ = ("code", "function_at", "names", "window")

    def __init__(self, code: CodeType) -> None:
        self.code = code
        captured = (name for name in code.co_cellvars if name not in code.co_varnames)
        self.names = (*code.co_varnames, *captured, *code.co_freevars)
        """Of all places that precede the stack, in their order."""
        self.window: type[ctypes.Array[ctypes.c_uint64]] = ctypes.c_uint64 * (
            _HEADER + len(self.names) + code.co_stacksize
        )
        """The header's words and the array's."""
        self.function_at = 0
        """Where the function was found among the referents; the code and the array follow it."""


class Anatomy(NamedTuple):
    """A frame taken apart."""

    shape: Shape
    offset: int
    """Of the instruction that it is suspended at; before the first `await` that of the function's beginning."""
    places: list[object]
    """Of each name its value, `MISSING`, or the cell that holds it; then the stack, from the bottom."""
    handled: object
    """The exception that is being handled, or None."""
    function: FunctionType
    """Whose frame it is."""


_shapes: Final[dict[int, Shape]] = {}
"""By the code's address, which a shape keeps from being given to another one."""


def anatomy(suspended: Suspended) -> Anatomy | None:
    """The parts of a suspended frame; None for one that has ended."""
    code, frame = _code_and_frame(suspended)
    if frame is None:
        return None
    shape = _shapes.get(id(code))
    if shape is None:
        shape = _shapes[id(code)] = Shape(code)
    offset = frame.f_lasti
    referents = gc.get_referents(suspended)
    at = _function_at(shape, referents)
    words = _words(suspended, shape)
    held = len(words) - words.count(0)
    first = at + 2
    values = referents[first : first + held]
    rest = referents[first + held :]
    if list(map(id, values)) != (words if held == len(words) else list(compress(words, words))):
        raise _unknown(shape)
    if len(rest) > 1 or len(words) < len(shape.names):
        raise _unknown(shape)
    if held != len(words):
        following = iter(values)
        values = [next(following) if word else MISSING for word in words]
    function: FunctionType = referents[at]
    return Anatomy(shape, offset, values, rest[0] if rest else None, function)


def _code_and_frame(suspended: Suspended) -> tuple[CodeType, FrameType | None]:
    if isinstance(suspended, CoroutineType):
        return suspended.cr_code, suspended.cr_frame
    if isinstance(suspended, GeneratorType):
        return suspended.gi_code, suspended.gi_frame
    return suspended.ag_code, suspended.ag_frame


def _function_at(shape: Shape, referents: list[object]) -> int:
    code, at = shape.code, shape.function_at
    if at + 1 < len(referents) and referents[at + 1] is code and _is_of(referents[at], code):
        return at
    for at in range(len(referents) - 1):
        if referents[at + 1] is code and _is_of(referents[at], code):
            shape.function_at = at
            return at
    raise _unknown(shape)


def _is_of(function: object, code: CodeType) -> bool:
    return isinstance(function, FunctionType) and function.__code__ is code


def _words(suspended: Suspended, shape: Shape) -> list[int]:
    """The array up to the top of the stack: addresses, 0 for NULL. It lies within the coroutine's own memory."""
    base = id(suspended) + type(suspended).__basicsize__
    window = shape.window.from_address(base - _HEADER * _WORD)[:]
    if _POINTER_TOP:
        top = (window[0] - base) // _WORD
        words = [word & ~3 for word in window[_HEADER : _HEADER + top]]
    else:
        top = window[1] & 0xFFFF_FFFF
        words = window[_HEADER : _HEADER + top]
    if len(words) != top:
        raise _unknown(shape)
    return words


def _unknown(shape: Shape) -> UsageError:
    return UsageError(
        f"this Python keeps the frame of {shape.code.co_qualname} in an unknown way: the engine knows "
        "CPython 3.11 to 3.14"
    )
