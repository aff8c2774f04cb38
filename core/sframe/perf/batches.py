"""Samples of any processes, unwound by the compiled unwinder: nothing is copied, it reads the session's bytes."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from stackweave.core.sframe.batch import LoopRunner, Tables, Walk
from stackweave.core.sframe.batch.arrays import REGISTERS, Samples, Words
from stackweave.core.sframe.batch.layout import Layout
from stackweave.core.sframe.elf import ByteOrder
from stackweave.core.sframe.perf.maps import Maps
from stackweave.core.sframe.perf.places import Place, place_at
from stackweave.core.sframe.perf.registers import Machine, Sampled, sampled
from stackweave.core.sframe.perf.stack import PerfStack, recorded_stack, unwound_stack
from stackweave.core.sframe.perf.taken import Taken

_FEW: Final = 8
"""Samples of a process that the unwinder in Python has done sooner than they are packed."""
_MAPPINGS: Final = 64
"""Mappings that may be packed for each sample."""
_PROCESSES: Final = 64
"""Kept, and as many places of each as `_PLACES`."""
_PLACES: Final = 1 << 14
_WORD: Final = 8


class Batches:
    """The batches of one session."""

    def __init__(self) -> None:
        self._tables = Tables()
        self._processes: dict[tuple[int, int, ByteOrder], _Process] = {}

    def tell(self, batch: Sequence[Taken]) -> Iterator[PerfStack]:
        """The stacks in their order."""
        why_not = [taken.why_not for taken in batch]
        groups: dict[tuple[int, ...], list[int]] = {}
        for at, taken in enumerate(batch):
            if not why_not[at]:
                sample = taken.sample
                key = id(taken.maps), id(taken.machine), id(sample.event), id(sample.data)
                groups.setdefault(key, []).append(at)
        walks: dict[int, tuple[Walk, tuple[Place, ...]]] = {}
        for places in groups.values():
            found = self._unwind([batch[at] for at in places])
            walks.update({places[at]: walk for at, walk in found})
        for at, taken in enumerate(batch):
            if why_not[at]:
                yield recorded_stack(taken, why_not[at])
            elif at in walks:
                yield unwound_stack(taken, *walks[at])
            else:
                yield unwound_stack(taken, taken.unwind())

    def _unwind(
        self, group: Sequence[Taken]
    ) -> Iterator[tuple[int, tuple[Walk, tuple[Place, ...]]]]:
        """Samples of one process and event, but for those that are better left to the unwinder in Python."""
        first = group[0]
        if len(group) < _FEW or len(first.maps) > _MAPPINGS * len(group):
            return
        assert first.machine is not None
        process = self._process(first.maps, first.machine, first.sample.order)
        samples = pack(group, sampled(first.machine, first.sample.event.user_registers))
        found = process.runner.unwind(samples)
        aside = set(process.runner.aside(samples, found))
        pcs = found.pcs.view(np.uint64).tolist()
        begin = 0
        for at, end in enumerate(found.ends.tolist()):
            if at not in aside:
                yield at, (Walk(found, at), process.places(pcs[begin:end]))
            begin = end

    def _process(self, maps: Maps, machine: Machine, order: ByteOrder) -> "_Process":
        key = id(maps), id(machine), order
        known = self._processes.pop(key, None)
        if known is None or known.changes != maps.changes:
            known = _Process(maps, machine, order, self._tables)
        self._processes[key] = known
        if len(self._processes) > _PROCESSES:
            del self._processes[next(iter(self._processes))]
        return known


class _Process:
    """A process, as long as its mappings stay what they are."""

    def __init__(self, maps: Maps, machine: Machine, order: ByteOrder, tables: Tables) -> None:
        self._maps = maps
        self.changes = maps.changes
        self.runner = LoopRunner(_layout(maps, machine, order), tables)
        self._returns = _Returns(maps)

    def places(self, pcs: list[int]) -> tuple[Place, ...]:
        """Of the frames of a stack."""
        if len(self._returns) > _PLACES:
            self._returns.clear()
        returns = map(self._returns.__getitem__, pcs[1:])
        return place_at(self._maps, pcs[0], True), *returns


class _Returns(dict[int, Place]):
    """Places by return address, each made once."""

    def __init__(self, maps: Maps) -> None:
        self._maps = maps

    def __missing__(self, pc: int) -> Place:
        place = self[pc] = place_at(self._maps, pc, False)
        return place


def _layout(maps: Maps, machine: Machine, order: ByteOrder) -> Layout:
    mapped = tuple(maps)
    return Layout(
        [each.mapping.low for each in mapped],
        [each.mapping.high for each in mapped],
        [each.loaded for each in mapped],
        [(each.mapping.low, each.mapping.high) for each in mapped if each.executable],
        machine.architecture,
        order,
        maps.read_constant,
    )


def pack(group: Sequence[Taken], places: Sampled | None) -> Samples:
    """Samples of one event and buffer as arrays."""
    assert places is not None
    samples = [taken.sample for taken in group]
    first = samples[0]
    data = np.frombuffer(first.data, dtype=np.uint8)
    size = _WORD * first.event.user_registers.bit_count()
    begins = _words([sample.values_at for sample in samples])
    values = data[begins[:, None] + np.arange(size)].view(
        "<u8" if first.order == "little" else ">u8"
    )
    values = values.astype(np.uint64).view(np.int64)
    registers = np.zeros((len(samples), REGISTERS), dtype=np.int64)
    registers[:, list(places.others)] = values[:, list(places.others.values())]
    pcs, sps, fps = (
        np.ascontiguousarray(values[:, at]) for at in (places.pc, places.sp, places.fp)
    )
    return Samples(
        pcs,
        sps,
        fps,
        registers,
        np.full(len(samples), sum(1 << number for number in places.others)),
        sps,
        _words([sample.stack_at for sample in samples]),
        _words([sample.stack_size for sample in samples]),
        _words([taken.limit for taken in group]),
        data,
    )


def _words(values: list[int]) -> Words:
    return np.array(values, dtype=np.int64)
