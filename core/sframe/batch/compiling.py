"""How the batch unwinder's functions are compiled, and where their machine code is kept.

As the engine's are (core/explore/compiling.py), which this room may not know: without reference counts and without
wrappers for what Python does not call, and kept under a digest of all sources, since numba itself would go on with
old code when only a callee in another file had changed.
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
    _HERE.parent / "rules.py",
    _HERE.parent / "unwind.py",
)


def _directory() -> str:
    digest = blake2b(numba.__version__.encode(), digest_size=8)
    for path in _SOURCES:
        digest.update(path.read_bytes())
    return str(user_cache_path("stackweave") / "unwinder" / digest.hexdigest())


_DIRECTORY: Final = _directory()


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
    vars(numba.config)["CACHE_DIR"] = _DIRECTORY  # for these functions alone
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
