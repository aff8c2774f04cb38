"""What the compiled loop found, told as the unwinder in Python tells it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from stackweave.core.sframe.batch.arrays import STOPS, Frames
from stackweave.core.sframe.module import LoadedModule
from stackweave.core.sframe.unwind import Backtrace, Frame, StopReason, UnwindType


@dataclass(frozen=True, slots=True)
class Walk:
    """One stack of many; not for those that the loop has left aside."""

    found: Frames
    stack: int

    def __len__(self) -> int:
        return len(self.found.pcs[self._place()])

    @property
    def stop(self) -> StopReason:
        return STOPS[int(self.found.stops[self.stack])]

    @property
    def cause(self) -> None:
        """Damaged entries are left aside."""

    def pcs(self) -> list[int]:
        """Innermost first."""
        pcs: list[int] = self.found.pcs[self._place()].view(np.uint64).tolist()
        return pcs

    def backtrace(
        self, modules: Iterable[LoadedModule | None], others: Mapping[int, int] | None = None
    ) -> Backtrace:
        """With the module of each frame, and the topmost's registers."""
        place = self._place()
        columns = (column[place].view(np.uint64).tolist() for column in self.found[:4])
        frames: list[Frame] = []
        for pc, sp, fp, knows_fp, module in zip(*columns, modules, strict=True):
            is_top = not frames
            frames.append(
                Frame(
                    pc,
                    sp,
                    fp if knows_fp else None,
                    is_top,
                    module,
                    others if is_top else None,
                    None if is_top else UnwindType.SFRAME,
                )
            )
        return Backtrace(tuple(frames), self.stop)

    def _place(self) -> slice:
        stack = self.stack
        return slice(int(self.found.ends[stack - 1]) if stack else 0, int(self.found.ends[stack]))
