"""How the engine's functions are compiled, and where their machine code is kept.

Without reference counts: no function here makes or keeps an array, and counting those that are passed on took nine
tenths of the time. Integer division is C's. An inlined function spares passing on all arrays, one by one; LLVM
inlines it, since numba's own way of doing so copies and types its body once more at each call. What Python does
not call has no wrappers: unpacking all arrays from Python's objects was more code than the function.

Numba keeps machine code beside the time stamp of one source file, and would go on with old code when only a callee
in another file had changed. So the cache's path has a digest of every source that the code is made of.
"""

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Final, TypeVar

import numba
from platformdirs import user_cache_path

Function = TypeVar("Function", bound=Callable[..., object])

_HERE: Final = Path(__file__).parent
_SOURCES: Final = (
    *sorted(_HERE.glob("*.py")),
    *(_HERE.parent / name for name in ("machine.py", "operations.py", "prng.py")),
    *(_HERE.parent / "strategies" / name for name in ("footprint.py", "pos.py", "tactic.py")),
)


def _directory() -> str:
    digest = blake2b(numba.__version__.encode(), digest_size=8)
    for path in _SOURCES:
        digest.update(path.read_bytes())
    return str(user_cache_path("stackweave") / "engine" / digest.hexdigest())


_DIRECTORY: Final = _directory()


def is_kept() -> bool:
    """Whether there is machine code from an earlier start: making it takes a while."""
    return Path(_DIRECTORY).exists()


def compiled(function: Function) -> Function:
    """Machine code that Python calls, made when it first does."""
    return _compiled(function, called=True, forceinline=False)


def compiled_part(function: Function) -> Function:
    """Machine code that only other machine code calls."""
    return _compiled(function, called=False, forceinline=False)


def compiled_inline(function: Function) -> Function:
    """The same, made part of whoever calls it."""
    return _compiled(function, called=False, forceinline=True)


def _compiled(function: Function, *, called: bool, forceinline: bool) -> Function:
    before = vars(numba.config)["CACHE_DIR"]
    vars(numba.config)["CACHE_DIR"] = (
        _DIRECTORY  # for these functions alone: other users have their own
    )
    try:
        made = numba.njit(  # type: ignore[call-overload]  # no stub has _nrt
            function,
            _nrt=False,
            error_model="numpy",
            forceinline=forceinline,
            no_cpython_wrapper=not called,
            no_cfunc_wrapper=True,
            cache=True,
        )
    finally:
        vars(numba.config)["CACHE_DIR"] = before
    result: Function = made
    return result
