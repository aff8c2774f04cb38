"""Names as their programmers wrote them: C++ and Rust names, read back from the linker's.

`multi-demangle` does the work and need not be there: without it names stay as linked. It is
chosen because it reads both languages (Rust's two manglings), comes as a wheel for each Python
of ours, and refuses what grows without end. LLVM's reader, and wrappers of libstdc++'s, do not:
a name of 300 bytes whose parts name one another takes all memory there and aborts the process.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final

LONGEST: Final = 1 << 12
"""Characters of a name, before and after; one that is longer stays as linked."""

_BEGINNINGS: Final = ("_Z", "_R")
"""C++ and older Rust; Rust. The library knows other languages, whose names look like anybody's."""


def is_mangled(name: str) -> bool:
    """Whether a name looks like C++ or Rust."""
    return name.startswith(_BEGINNINGS)


def can_demangle() -> bool:
    """Whether the library is installed."""
    return _demangler() is not None


@lru_cache(maxsize=1 << 14)
def demangled(name: str) -> str:
    """The name with its parameters, as `c++filt` prints it; any other name as it is."""
    demangle = _demangler()
    name, at, origin = name.partition("@")
    if demangle is None or not is_mangled(name) or len(name) > LONGEST or not name.isascii():
        return name + at + origin
    readable = demangle(name)
    return (readable if 0 < len(readable) <= LONGEST else name) + at + origin


@cache
def _demangler() -> Callable[[str], str] | None:
    try:
        from multi_demangle import demangle_symbol
    except ImportError:
        return None
    demangle: Callable[[str], str] = demangle_symbol
    return demangle
