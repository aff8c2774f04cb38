"""Core files: one stack per thread."""

from collections.abc import Iterator
from typing import ClassVar, Final

from stackweave.core.sframe import CoreFile
from stackweave.pictures import Thread

from . import showing
from .showing import Stack

_RETURN_ADDRESS_SIZE: Final = 8


class Report(showing.Report):
    """A core's threads."""

    kind: ClassVar = "core"
    plural: ClassVar = "threads"

    def __init__(self, core: CoreFile) -> None:
        self._core = core
        self._unwound = 0

    @property
    def name(self) -> str:
        return self._core.image.name

    def stacks(self) -> Iterator[Stack]:
        """The threads' stacks, until there are more frames than return addresses fit in the core.

        Sound stacks do not overlap, so only a damaged core has so many. There, every thread may
        walk one and the same stack, and what they took together would not depend on the core's
        size.
        """
        left = len(self._core.image.data) // _RETURN_ADDRESS_SIZE
        for thread in self._core.threads:
            if left <= 0:
                return
            trace = self._core.unwind(thread)
            left -= len(trace.frames)
            self._unwound += 1
            lwp = thread.lwp
            yield showing.stack_of(
                trace,
                self._core.space,
                self._core.chooser,
                f"Thread {lwp}",
                {"lwp": lwp},
                Thread(self.name, tid=lwp),
            )

    def missing(self) -> list[str]:
        return list(self._core.missing)

    def absent(self) -> list[str]:
        return list(self._core.absent_files())

    def remarks(self) -> list[str]:
        lines = []
        left = len(self._core.threads) - self._unwound
        if left:
            lines.append(f"{left} more threads not unwound: the stacks overlap")
        return [*lines, *self._core.chooser.remarks()]
