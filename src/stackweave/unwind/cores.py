"""Core files: one stack per thread."""

from collections.abc import Iterator
from typing import ClassVar, Final

from stackweave.core.sframe import Backtrace, CoreFile
from stackweave.pictures import NamedStack, Thread

from . import showing
from .showing import Json, Stack

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
            yield self._shown(thread.lwp, trace)

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

    def _shown(self, lwp: int, trace: Backtrace) -> Stack:
        mappings = [self._core.space.find_mapping(frame.lookup_pc) for frame in trace.frames]
        files = [mapping.basename if mapping else None for mapping in mappings]
        mismatched = any(module.name == files[-1] for module in self._core.chooser.mismatched)
        why = showing.why_stopped(trace, files[-1], is_mismatched=mismatched)
        named = showing.named_frames(trace, files)
        lines = [f"Thread {lwp}", *showing.frame_lines(named), f"stopped: {why}"]
        described: Json = {
            "lwp": lwp,
            "frames": showing.frames_json(trace, named),
            "stop": showing.stop_name(trace.stop),
            "why": why,
        }
        thread = Thread(self.name, tid=lwp)
        return Stack(lines, described, NamedStack(thread, named, cut=showing.cut(trace, why)))
