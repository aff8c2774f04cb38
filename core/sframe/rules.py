"""What the rows mean: every layout becomes the same three equations.

A default row of any ABI, and a flexible row of V3, say where the canonical frame address (CFA),
the return address (RA) and the frame pointer (FP) of the caller are found. All of them fit

    base = R[register] or CFA;  a = base + offset;  value = dereference ? *a : a

so the unwinder knows only that `Location`. Turning words into locations is the work of one
module per ABI (`amd64`); this one holds what they share: the types, the flexible pairs of
section 4, and the protocol that such a module fulfils.

Flexible words come as pairs of an unsigned control and a signed offset, in the order CFA, RA,
FP; a control of 0 stands alone and means the default. The published pseudocode counts the FP
words wrongly; reading the pairs one after the other cannot.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

from stackweave.core.sframe.decode import FrameRow, FunctionDescriptor
from stackweave.core.sframe.errors import ErrorKind, SFrameError
from stackweave.core.sframe.header import Header

CFA: Final = -1
"""Stands for the CFA where a location's base is not a register."""

ReadWord = Callable[[int], int | None]
"""Reads the word at an address of the unwound process; None if it cannot be read."""


@dataclass(frozen=True, slots=True)
class Location:
    """How a value is computed: value = dereference ? *(base + offset) : base + offset."""

    register: int
    """DWARF number of the base register, or `CFA`."""
    offset: int
    """Bytes."""
    dereference: bool


class RuleKind(Enum):
    """What stands at an address."""

    FRAME = "frame"
    OUTERMOST = "outermost"
    """The return address is undefined: nobody called this function."""
    SIGNAL_ENTRY = "signal entry"
    """A signal trampoline that the format could not describe: an entry without rows."""


@dataclass(frozen=True, slots=True)
class FrameRule:
    """How to get from a frame to its caller."""

    kind: RuleKind
    cfa: Location
    ra: Location
    fp: Location | None
    """None: the caller's FP is the frame's own."""
    interrupts: bool
    """The frame is a signal trampoline, so the caller's pc is no return address."""
    mangled_ra: bool = False
    """The return address carries a pointer authentication code (AArch64)."""


NOWHERE: Final = Location(CFA, 0, False)
OUTERMOST: Final = FrameRule(RuleKind.OUTERMOST, NOWHERE, NOWHERE, None, False)
SIGNAL_ENTRY: Final = FrameRule(RuleKind.SIGNAL_ENTRY, NOWHERE, NOWHERE, None, True)


@dataclass(frozen=True, slots=True)
class Registers:
    """The registers of a place where execution stopped: a thread's, or a signal's victim's."""

    pc: int
    sp: int
    fp: int
    others: Mapping[int, int] = field(default_factory=dict)
    """General registers by DWARF number, as far as known."""


class Architecture(Protocol):
    """What an ABI's module provides. A module with these names is one."""

    @property
    def SP(self) -> int: ...
    @property
    def FP(self) -> int: ...
    def default_rule(
        self, header: Header, function: FunctionDescriptor, row: FrameRow
    ) -> FrameRule:
        """The equations of a default row."""

    def flexible_rule(
        self, header: Header, function: FunctionDescriptor, row: FrameRow
    ) -> FrameRule:
        """The equations of a flexible row."""

    def signal_context(self, sp: int, read: ReadWord) -> Registers | None:
        """What the kernel saved, when `sp` is that of the trampoline; None: not readable."""

    def thread_registers(self, prstatus: bytes) -> Registers | None:
        """The registers in an NT_PRSTATUS note of a core; None: the note is cut."""

    def can_be_code(self, address: int) -> bool:
        """Whether user code can be at `address` at all."""


def flexible_locations(
    function: FunctionDescriptor, row: FrameRow
) -> tuple[Location, Location | None, Location | None]:
    """CFA, RA and FP of a flexible row; None stands for the default rule."""
    pairs = _pairs(function, row)
    cfa, ra, fp = next(pairs, None), next(pairs, None), next(pairs, None)
    if cfa is None or cfa.register == CFA:
        raise _inconsistent(function, "flexible CFA", "needs a register")
    if next(pairs, CFA) != CFA:
        raise _inconsistent(function, "flexible words", f"{len(row.words)} words are too many")
    return cfa, ra, fp


def _pairs(function: FunctionDescriptor, row: FrameRow) -> Iterator[Location | None]:
    mask = (1 << 8 * row.word_size) - 1
    words = iter(row.words)
    for word in words:
        control = word & mask
        if control == 0:
            yield None
            continue
        offset = next(words, None)
        if offset is None:
            raise _inconsistent(function, "flexible words", "a control word without its offset")
        register = control >> 3 if control & 1 else CFA
        yield Location(register, offset, bool(control & 2))


def _inconsistent(function: FunctionDescriptor, field: str, detail: str) -> SFrameError:
    return SFrameError(ErrorKind.INCONSISTENT, function.fres_at, field, detail)
