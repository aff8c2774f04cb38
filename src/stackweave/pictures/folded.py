"""Folded stacks, as Brendan Gregg's FlameGraph reads them: `thread;outermost;...;innermost count`.

As stackcollapse-perf.pl writes them: the process's name first, functions without offsets,
`[module]` where a name is not known, and one line per different stack, sorted.
"""

from collections import Counter
from collections.abc import Iterable
from typing import BinaryIO

from stackweave.printable import printable

from .stack import NamedStack


def write_folded(stacks: Iterable[NamedStack], title: str, out: BinaryIO) -> None:
    """Write the lines; the format has no place for a title."""
    counts = Counter(_line(stack) for stack in stacks)
    for line in sorted(counts):
        out.write(f"{line} {counts[line]}\n".encode())


def _line(stack: NamedStack) -> str:
    labels = [frame.label for frame in stack.frames]
    return ";".join(map(_escaped, [stack.thread.name or "[unknown]", *reversed(labels)]))


def _escaped(label: str) -> str:
    """A semicolon would end the frame: the format's own tools write a colon."""
    return printable(label).replace(";", ":")
