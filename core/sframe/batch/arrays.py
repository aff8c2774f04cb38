"""What the compiled unwinder reads and writes, as arrays: 64-bit words, signed, addresses among them."""

from enum import IntEnum, auto
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stackweave.core.sframe.unwind import StopReason

Words = NDArray[np.int64]
Bytes = NDArray[np.uint8]

ABSENT: Final = -1
NO_TABLE: Final = -2
REGISTERS: Final = 34
"""DWARF numbers that a sample's registers may have."""

STOPS: Final = tuple(StopReason)
"""What the numbers in `Frames.stops` mean."""


class Stop(IntEnum):
    """Why the loop stopped: the place in `STOPS`, or `ASIDE`."""

    OUTERMOST = STOPS.index(StopReason.OUTERMOST)
    NO_MODULE = STOPS.index(StopReason.NO_MODULE)
    NO_SFRAME = STOPS.index(StopReason.NO_SFRAME)
    NO_ENTRY = STOPS.index(StopReason.NO_ENTRY)
    UNSAFE_REGISTER = STOPS.index(StopReason.UNSAFE_REGISTER)
    OUTSIDE_STACK = STOPS.index(StopReason.OUTSIDE_STACK)
    NO_PROGRESS = STOPS.index(StopReason.NO_PROGRESS)
    BAD_RETURN_ADDRESS = STOPS.index(StopReason.BAD_RETURN_ADDRESS)
    LIMIT = STOPS.index(StopReason.LIMIT)
    ASIDE = len(STOPS)
    """This stack is for the unwinder in Python: signals, damage, and whatever else is rare."""


class Rule(IntEnum):
    """Columns of `Process.rules`: `core.sframe.rules.FrameRule` in numbers."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[int]) -> int:
        return count

    KIND = auto()
    CFA_REGISTER = auto()
    CFA_OFFSET = auto()
    CFA_DEREFERENCE = auto()
    RA_REGISTER = auto()
    RA_OFFSET = auto()
    RA_DEREFERENCE = auto()
    RA_MASK = auto()
    HAS_FP = auto()
    """Whether FP is another one than the frame's own."""
    FP_REGISTER = auto()
    FP_OFFSET = auto()
    FP_DEREFERENCE = auto()


class Kind(IntEnum):
    """What stands at an address."""

    FRAME = 0
    OUTERMOST = 1
    RARE = 2
    """A signal trampoline or damage: not for the loop."""


class Machine(IntEnum):
    """Places in `Process.machine`."""

    SP = 0
    FP = 1
    CFA_TO_SP = 2
    HAS_LINK_REGISTER = 3
    LOWEST_CODE = 4
    LAST_CODE = 5
    CODE_ALIGNMENT = 6
    IS_BIG_ENDIAN = 7


class ModuleTable(NamedTuple):
    """The unwind data of one module, addresses as linked."""

    starts: Words
    """Of functions, sorted."""
    ends: Words
    first_rows: Words
    end_rows: Words
    """Of each function: its rows, and one that says what a function without rows is, if anything does."""
    repeats: Words
    """Bytes after which a function's rows repeat; 0: they do not."""
    row_starts: Words
    row_rules: Words
    """Of each row, its rule."""
    rules: Words
    """By `Rule`."""


class Process(NamedTuple):
    """Where modules are mapped, and the tables of these modules, of others perhaps as well."""

    lows: Words
    """Of mappings, sorted."""
    highs: Words
    biases: Words
    modules: Words
    """The number of the module that a mapping shows; `ABSENT`, or `NO_TABLE` for one without `.sframe`."""
    code_lows: Words
    """Of ranges that hold code, sorted."""
    code_highs: Words
    machine: Words
    """By `Machine`."""
    seen_addresses: Words
    seen_rules: Words
    """Of addresses in code that the loop has come to, their rules, by `loop.seen_at`; a power of two of them."""
    first_functions: Words
    """Of each module, and one more."""
    starts: Words
    ends: Words
    first_rows: Words
    end_rows: Words
    repeats: Words
    row_starts: Words
    row_rules: Words
    rules: Words
    """As in `ModuleTable`, of all modules one after the other."""


class Samples(NamedTuple):
    """Captured stacks."""

    pcs: Words
    sps: Words
    fps: Words
    registers: Words
    """(sample, DWARF number)."""
    known: Words
    """Of each sample, the registers that are known, as bits."""
    bases: Words
    """The address of the first captured byte."""
    starts: Words
    """Where in `stacks` that byte is."""
    sizes: Words
    """Bytes captured."""
    limits: Words
    """Frames at most, one at least."""
    stacks: Bytes


class Frames(NamedTuple):
    """Room for frames, those of a sample in a row, innermost first."""

    pcs: Words
    sps: Words
    fps: Words
    known: Words
    """Whether FP is known."""
    ends: Words
    """Of each sample: one more than its last frame."""
    stops: Words
    """Of each sample: a `Stop`."""
