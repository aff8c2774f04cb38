"""Runs the compiled loop over samples of one process, and says which stacks are for the unwinder in Python."""

from functools import lru_cache
from typing import Final

import numpy as np

from stackweave.core.sframe.batch.arrays import Frames, Samples, Stop, Words
from stackweave.core.sframe.batch.layout import Layout
from stackweave.core.sframe.batch.loop import unwind
from stackweave.core.sframe.batch.process import Tables
from stackweave.core.sframe.rules import ADDRESS_MASK

_ROOM: Final = 1 << 16
"""Frames of one call of the loop, beside those of one more stack."""
_CODE_NEARBY: Final = 64
"""Bytes around a pc that may be looked at to know a trampoline."""
_NO_ENTRY: Final = (Stop.NO_MODULE, Stop.NO_SFRAME, Stop.NO_ENTRY)
_COLUMNS: Final = 4
"""Of `Frames`: those that tell of frames."""


class LoopRunner:
    """Unwinds samples of one process by its tables alone."""

    def __init__(self, layout: Layout, tables: Tables) -> None:
        """`tables` may be those of other processes as well."""
        self.layout = layout
        self._process = tables.process(layout)
        self._is_trampoline = lru_cache(maxsize=1 << 16)(self._look_at_code)

    def unwind(self, samples: Samples) -> Frames:
        """The loop alone: stacks with something rare in them end there, with `Stop.ASIDE`."""
        count = len(samples.pcs)
        most = int(samples.limits.max(initial=0))
        room = min(_ROOM, int(samples.limits.sum())) + most
        sizes = [room] * _COLUMNS + [count] * 2
        frames = Frames._make(np.empty(each, dtype=np.int64) for each in sizes)
        done, base = 0, 0
        parts: list[tuple[Words, ...]] = []
        while done < count:
            end = unwind(self._process, samples, frames, done)
            used = int(frames.ends[end - 1])
            if end - done == count:  # all at once: nothing to put together
                return Frames._make(
                    [column[:used] for column in frames[:_COLUMNS]] + [*frames[_COLUMNS:]]
                )
            parts.append(tuple(column[:used].copy() for column in frames[:_COLUMNS]))
            frames.ends[done:end] += base
            base += used
            done = end
        columns = zip(*parts, strict=True) if parts else ((frames.pcs[:0],),) * _COLUMNS
        return Frames._make([*map(np.concatenate, columns), frames.ends, frames.stops])

    def aside(self, samples: Samples, found: Frames) -> list[int]:
        """Those with something rare: what the loop says, and what may stand at a trampoline's code."""
        rare = found.stops == Stop.ASIDE
        if self.layout.architecture is not None:
            for stack in np.flatnonzero(np.isin(found.stops, _NO_ENTRY)).tolist():
                pc = int(found.pcs[found.ends[stack] - 1]) & ADDRESS_MASK
                low = int(samples.bases[stack]) & ADDRESS_MASK
                high = low + int(samples.sizes[stack])
                in_stack = low - _CODE_NEARBY < pc < high + _CODE_NEARBY
                rare[stack] = in_stack or self._is_trampoline(pc)
        return [int(stack) for stack in np.flatnonzero(rare)]

    def _look_at_code(self, pc: int) -> bool:
        architecture = self.layout.architecture
        assert architecture is not None
        return architecture.is_trampoline(pc, self.layout.read)
