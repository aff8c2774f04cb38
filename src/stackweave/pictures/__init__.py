"""Stacks as others draw them: folded, pprof, speedscope, Chrome's trace viewer, and a page of our own.

All take one list of stacks (`stack`), each sample once, and aggregate as they read.
"""

from collections.abc import Mapping
from typing import Final

from .chrome import write_chrome
from .folded import write_folded
from .page import write_page
from .pprof import write_pprof
from .speedscope import write_speedscope
from .stack import NamedFrame, NamedStack, Thread, Writer

WRITERS: Final[Mapping[str, Writer]] = {
    "folded": write_folded,
    "pprof": write_pprof,
    "speedscope": write_speedscope,
    "chrome": write_chrome,
}
"""By the format's name."""

__all__ = ["WRITERS", "NamedFrame", "NamedStack", "Thread", "Writer", "write_page"]
