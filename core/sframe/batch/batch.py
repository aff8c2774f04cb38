"""Many captured stacks of one process, unwound at once by the compiled loop."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from stackweave.core.sframe.address_space import AddressSpace
from stackweave.core.sframe.batch.arrays import (
    REGISTERS,
    STOPS,
    Frames,
    Process,
    Samples,
    Stop,
    Words,
)
from stackweave.core.sframe.batch.loop import unwind
from stackweave.core.sframe.batch.process import Tables
from stackweave.core.sframe.dump import StackDump
from stackweave.core.sframe.rules import ADDRESS_MASK
from stackweave.core.sframe.unwind import (
    DEFAULT_LIMIT,
    Backtrace,
    Frame,
    UnwindType,
)

_ROOM: Final = 1 << 16
"""Frames of one call of the loop, beside those of one more stack."""
_CODE_NEARBY: Final = 64
"""Bytes around a pc that may be looked at to know a trampoline."""
_NO_ENTRY: Final = (Stop.NO_MODULE, Stop.NO_SFRAME, Stop.NO_ENTRY)


@dataclass(frozen=True, slots=True)
class Unwound:
    """Backtraces, as arrays. Those of stacks with something rare in them are in `aside`."""

    pcs: Words
    """Of all frames, as signed words; those of a stack in a row, innermost first."""
    sps: Words
    fps: Words
    fp_known: Words
    ends: Words
    """Of each stack: one more than its last frame."""
    stops: Words
    """Of each stack: the place of its reason in `STOPS`; or one more than there are, for one in `aside`."""
    aside: dict[int, Backtrace]
    space: AddressSpace

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def frames(self) -> int:
        """How many there are."""
        beside = sum(
            len(trace.frames) - len(range(*self._place(stack)))
            for stack, trace in self.aside.items()
        )
        return len(self.pcs) + beside

    def backtrace(self, stack: int) -> Backtrace:
        """One as the unwinder tells it."""
        trace = self.aside.get(stack)
        if trace is not None:
            return trace
        first, end = self._place(stack)
        frames = []
        for at in range(first, end):
            pc = int(self.pcs[at]) & ADDRESS_MASK
            is_top = at == first
            frames.append(
                Frame(
                    pc,
                    int(self.sps[at]) & ADDRESS_MASK,
                    int(self.fps[at]) & ADDRESS_MASK if self.fp_known[at] else None,
                    is_top,
                    self.space.find_module(pc if is_top else pc - 1),
                    found_by=None if is_top else UnwindType.SFRAME,
                )
            )
        return Backtrace(tuple(frames), STOPS[self.stops[stack]])

    def _place(self, stack: int) -> tuple[int, int]:
        return int(self.ends[stack - 1]) if stack else 0, int(self.ends[stack])


class BatchUnwinder:
    """Unwinds the captured stacks of one process by its tables alone."""

    def __init__(self, space: AddressSpace, tables: Tables | None = None) -> None:
        """`tables`: those that are shared with other processes."""
        self._space = space
        self._process: Process = (tables or Tables()).process(space)
        self._is_trampoline = lru_cache(maxsize=1 << 16)(self._look_at_code)

    def unwind(self, dumps: Sequence[StackDump], limit: int = DEFAULT_LIMIT) -> Unwound:
        """As `StackDump.unwind` does with each. Memory is that of the dumps once more, and of the frames."""
        samples = pack(dumps)
        found = self.unwind_packed(samples, limit)
        aside = {
            stack: dumps[stack].unwind(self._space, limit=limit)
            for stack in self._aside(samples, found)
        }
        return Unwound(*found, aside, self._space)

    def unwind_packed(self, samples: Samples, limit: int = DEFAULT_LIMIT) -> Frames:
        """The loop alone: stacks with something rare in them end there, with `Stop.ASIDE`."""
        count = len(samples.pcs)
        room = min(_ROOM, count * limit) + limit
        sizes = [room] * 4 + [count] * 2
        frames = Frames._make(np.zeros(each, dtype=np.int64) for each in sizes)
        done, base = 0, 0
        parts: list[tuple[Words, ...]] = []
        while done < count:
            end = unwind(self._process, samples, frames, done, limit)
            used = int(frames.ends[end - 1])
            parts.append(tuple(column[:used].copy() for column in frames[:4]))
            frames.ends[done:end] += base
            base += used
            done = end
        columns = zip(*parts, strict=True) if parts else ((frames.pcs[:0],),) * 4
        return Frames._make([*map(np.concatenate, columns), frames.ends, frames.stops])

    def _aside(self, samples: Samples, found: Frames) -> list[int]:
        """Those with something rare: what the loop says, and what may stand at a trampoline's code."""
        rare = found.stops == Stop.ASIDE
        if self._space.architecture is not None:
            for stack in np.flatnonzero(np.isin(found.stops, _NO_ENTRY)).tolist():
                pc = int(found.pcs[found.ends[stack] - 1]) & ADDRESS_MASK
                low = int(samples.bases[stack]) & ADDRESS_MASK
                high = low + int(samples.starts[stack + 1] - samples.starts[stack])
                in_stack = low - _CODE_NEARBY < pc < high + _CODE_NEARBY
                rare[stack] = in_stack or self._is_trampoline(pc)
        return [int(stack) for stack in np.flatnonzero(rare)]

    def _look_at_code(self, pc: int) -> bool:
        architecture = self._space.architecture
        assert architecture is not None
        byte_order = next(iter(self._space.modules.values())).module.image.byte_order

        def read(address: int) -> int | None:
            data = self._space.read_constant(address, 8)
            return None if data is None else int.from_bytes(data, byte_order)

        return architecture.is_trampoline(pc, read)


def pack(dumps: Sequence[StackDump]) -> Samples:
    """Captured stacks as arrays."""
    count = len(dumps)
    registers = np.zeros((count, REGISTERS), dtype=np.uint64)
    known = np.zeros(count, dtype=np.int64)
    for stack, dump in enumerate(dumps):
        for number, word in dump.registers.others.items():
            if 0 <= number < REGISTERS:
                registers[stack, number] = word
                known[stack] |= 1 << number
    starts = np.zeros(count + 1, dtype=np.int64)
    np.cumsum([len(dump.stack) for dump in dumps], out=starts[1:])
    return Samples(
        _signed([dump.registers.pc for dump in dumps]),
        _signed([dump.registers.sp for dump in dumps]),
        _signed([dump.registers.fp for dump in dumps]),
        registers.view(np.int64),
        known,
        _signed([dump.base for dump in dumps]),
        starts,
        np.frombuffer(b"".join(dump.stack for dump in dumps), dtype=np.uint8),
    )


def _signed(values: list[int]) -> Words:
    return np.array(values, dtype=np.uint64).view(np.int64)
