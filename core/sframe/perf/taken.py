"""A sample in its turn: with what it is to be unwound by, which later records may change."""

from dataclasses import dataclass

from stackweave.core.sframe.dump import StackDump, most_frames
from stackweave.core.sframe.perf.constants import RegisterAbi
from stackweave.core.sframe.perf.maps import Maps
from stackweave.core.sframe.perf.registers import Machine, registers_of, sampled
from stackweave.core.sframe.perf.sample import Sample
from stackweave.core.sframe.unwind import Backtrace, Unwinder


@dataclass(frozen=True, slots=True)
class Taken:
    """A sample and its process at that moment."""

    sample: Sample
    deferred: tuple[int, ...] | None
    """The callchain that a later record brought for it."""
    comm: str
    maps: Maps
    kernel: Maps
    machine: Machine | None

    @property
    def why_not(self) -> str:
        """What is missing to unwind it; empty if nothing is."""
        abi = self.sample.abi
        if abi == RegisterAbi.NONE:
            return "no user registers in the sample"
        if abi != RegisterAbi.BITS_64:
            return "a 32-bit task"
        if self.machine is None:
            return "no unwinding for this machine"
        if sampled(self.machine, self.sample.event.user_registers) is None:
            return "pc, sp and fp are not all among the sampled registers"
        return ""

    @property
    def limit(self) -> int:
        """Frames at most."""
        return most_frames(self.sample.stack_size)

    def dump(self) -> StackDump:
        """The user's side; not if something is missing."""
        assert self.machine is not None
        sample = self.sample
        registers = registers_of(self.machine, sample.event.user_registers, sample.values)
        assert registers is not None
        return sample.dump(registers)

    def unwind(self) -> Backtrace:
        """By the unwinder in Python; not if something is missing."""
        assert self.machine is not None
        dump, maps = self.dump(), self.maps
        # also from the files, whose code tells signal trampolines
        read = dump.reader(maps.read_constant)
        unwinder = Unwinder(read, maps.find_module, maps.is_code, self.machine.architecture)
        return unwinder.unwind(dump.registers, self.limit)
