"""How the engine's functions are compiled, and where their machine code is kept.

Without reference counts: no function here makes or keeps an array, and counting those that are passed on took nine
tenths of the time. Integer division is C's. An inlined function spares passing on all arrays, one by one.

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
    """Machine code, when it is first called."""
    return _compiled(function, "never")


def compiled_inline(function: Function) -> Function:
    """The same, made part of whoever calls it."""
    return _compiled(function, "always")


def _compiled(function: Function, inline: str) -> Function:
    before = vars(numba.config)["CACHE_DIR"]
    vars(numba.config)["CACHE_DIR"] = (
        _DIRECTORY  # for these functions alone: other users have their own
    )
    try:
        made = numba.njit(  # type: ignore[call-overload]  # no stub has _nrt
            function, _nrt=False, error_model="numpy", inline=inline, cache=True
        )
    finally:
        vars(numba.config)["CACHE_DIR"] = before
    result: Function = made
    return result
