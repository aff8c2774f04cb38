"""A sample's user registers: perf's numbers, per machine, to DWARF's.

The mask of the event says which registers were sampled; their values stand in ascending order
(arch/*/include/uapi/asm/perf_regs.h of Linux, enum perf_event_*_regs).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from stackweave.core.sframe.architectures import ARCHITECTURES
from stackweave.core.sframe.constants import Abi
from stackweave.core.sframe.rules import Architecture, Registers


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """One machine's numbers."""

    abi: Abi
    dwarf: Mapping[int, int]
    """DWARF number by perf number."""
    pc: int
    """perf number of the pc."""

    @property
    def architecture(self) -> Architecture:
        return ARCHITECTURES[self.abi]


_AMD64: Final = Machine(
    Abi.AMD64_ENDIAN_LITTLE,
    dwarf={
        **dict(zip(range(8), (0, 3, 2, 1, 4, 5, 6, 7), strict=True)),  # ax bx cx dx si di bp sp
        **{16 + i: 8 + i for i in range(8)},  # r8 to r15
    },
    pc=8,
)
_AARCH64: Final = Machine(Abi.AARCH64_ENDIAN_LITTLE, dwarf={i: i for i in range(32)}, pc=32)
_FLOATING: Final = (0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15)
"""s390x: which of f0 to f15 has the DWARF numbers 16 to 31."""
_S390X: Final = Machine(
    Abi.S390X_ENDIAN_BIG,
    dwarf={
        **{i: i for i in range(16)},
        **{16 + number: 16 + i for i, number in enumerate(_FLOATING)},
    },
    pc=33,
)

MACHINES: Final = {
    "x86_64": _AMD64,
    "aarch64": _AARCH64,
    "aarch64_be": replace(_AARCH64, abi=Abi.AARCH64_ENDIAN_BIG),
    "s390x": _S390X,
}
"""By what `uname -m` says."""
_BY_HIGHEST: Final = {24: _AMD64, 33: _AARCH64, 34: _S390X}
"""By the length of the usual mask, in files that do not name their machine."""


def machine_of(name: str | None, mask: int) -> Machine | None:
    """The machine called `name`, or the one whose usual mask this is."""
    return _BY_HIGHEST.get(mask.bit_length()) if name is None else MACHINES.get(name)


@dataclass(frozen=True, slots=True)
class Sampled:
    """Where the registers stand among a sample's values."""

    pc: int
    sp: int
    fp: int
    others: Mapping[int, int]
    """By DWARF number; SP and FP among them."""


@lru_cache(maxsize=1 << 10)
def sampled(machine: Machine, mask: int) -> Sampled | None:
    """What an event with that mask samples; None if pc, sp or fp is not among it."""
    numbers = [number for number in range(mask.bit_length()) if mask >> number & 1]
    others = {machine.dwarf[each]: at for at, each in enumerate(numbers) if each in machine.dwarf}
    architecture = machine.architecture
    sp, fp = others.get(architecture.SP), others.get(architecture.FP)
    if machine.pc not in numbers or sp is None or fp is None:
        return None
    return Sampled(numbers.index(machine.pc), sp, fp, others)


def registers_of(machine: Machine, mask: int, values: tuple[int, ...]) -> Registers | None:
    """Registers by DWARF number; None if pc, sp or fp was not sampled."""
    places = sampled(machine, mask)
    if places is None:
        return None
    others = {number: values[at] for number, at in places.others.items()}
    return Registers(values[places.pc], values[places.sp], values[places.fp], others)
