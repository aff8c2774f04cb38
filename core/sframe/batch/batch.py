"""Many captured stacks of one process, unwound at once by the compiled loop."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stackweave.core.sframe.address_space import AddressSpace
from stackweave.core.sframe.batch.arrays import REGISTERS, Frames, Samples, Words
from stackweave.core.sframe.batch.layout import layout_of
from stackweave.core.sframe.batch.process import Tables
from stackweave.core.sframe.batch.runner import LoopRunner
from stackweave.core.sframe.batch.tell import Walk
from stackweave.core.sframe.dump import StackDump
from stackweave.core.sframe.unwind import DEFAULT_LIMIT, Backtrace


@dataclass(frozen=True, slots=True)
class Unwound:
    """Backtraces, as arrays. Those of stacks with something rare in them are in `aside`."""

    found: Frames
    aside: dict[int, Backtrace]
    space: AddressSpace

    def __len__(self) -> int:
        return len(self.found.ends)

    @property
    def frames(self) -> int:
        """How many there are."""
        beside = sum(
            len(trace.frames) - len(Walk(self.found, stack)) for stack, trace in self.aside.items()
        )
        return len(self.found.pcs) + beside

    def backtrace(self, stack: int) -> Backtrace:
        """One as the unwinder tells it."""
        trace = self.aside.get(stack)
        if trace is not None:
            return trace
        walk = Walk(self.found, stack)
        find = self.space.find_module
        modules = [find(pc - 1 if depth else pc) for depth, pc in enumerate(walk.pcs())]
        return walk.backtrace(modules)


class BatchUnwinder:
    """Unwinds the captured stacks of one process by its tables alone."""

    def __init__(self, space: AddressSpace, tables: Tables | None = None) -> None:
        """`tables`: those that are shared with other processes."""
        self._space = space
        self._runner = LoopRunner(layout_of(space), tables or Tables())

    def unwind(self, dumps: Sequence[StackDump], limit: int = DEFAULT_LIMIT) -> Unwound:
        """As `StackDump.unwind` does with each. Memory is that of the dumps once more, and of the frames."""
        samples = pack(dumps, limit)
        found = self.unwind_packed(samples)
        aside = {
            stack: dumps[stack].unwind(self._space, limit=limit)
            for stack in self._runner.aside(samples, found)
        }
        return Unwound(found, aside, self._space)

    def unwind_packed(self, samples: Samples) -> Frames:
        """The loop alone: stacks with something rare in them end there, with `Stop.ASIDE`."""
        return self._runner.unwind(samples)


def pack(dumps: Sequence[StackDump], limit: int = DEFAULT_LIMIT) -> Samples:
    """Captured stacks as arrays."""
    count = len(dumps)
    registers = np.zeros((count, REGISTERS), dtype=np.uint64)
    known = np.zeros(count, dtype=np.int64)
    for stack, dump in enumerate(dumps):
        for number, word in dump.registers.others.items():
            if 0 <= number < REGISTERS:
                registers[stack, number] = word
                known[stack] |= 1 << number
    sizes = np.array([len(dump.stack) for dump in dumps], dtype=np.int64)
    return Samples(
        _signed([dump.registers.pc for dump in dumps]),
        _signed([dump.registers.sp for dump in dumps]),
        _signed([dump.registers.fp for dump in dumps]),
        registers.view(np.int64),
        known,
        _signed([dump.base for dump in dumps]),
        np.cumsum(sizes) - sizes,
        sizes,
        np.full(count, limit, dtype=np.int64),
        np.frombuffer(b"".join(dump.stack for dump in dumps), dtype=np.uint8),
    )


def _signed(values: list[int]) -> Words:
    return np.array(values, dtype=np.uint64).view(np.int64)
