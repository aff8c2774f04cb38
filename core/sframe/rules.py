"""What the rows mean: every layout becomes the same three equations.

A default row of any ABI, and a flexible row of V3, say where the canonical frame address (CFA),
the return address (RA) and the frame pointer (FP) of the caller are found. All of them fit

    base = R[register] or CFA;  a = base + offset;  value = dereference ? *a : a

so the unwinder knows only that `Location`. Turning words into locations is the work of one
module per ABI (`amd64`, `aarch64`, `s390x`); this one holds what they share: the types, the
order of default words, the flexible pairs of section 4, and the protocol that such a module
fulfils.

Flexible words come as pairs of an unsigned control and a signed offset, in the order CFA, RA,
FP; a control of 0 stands alone and means the default. The published pseudocode counts the FP
words wrongly; reading the pairs one after the other cannot.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple, Protocol

from stackweave.core.sframe.decode import FrameRow, FunctionDescriptor
from stackweave.core.sframe.errors import ErrorKind, SFrameError
from stackweave.core.sframe.header import Header

CFA: Final = -1
"""Stands for the CFA where a location's base is not a register."""

ReadWord = Callable[[int], int | None]
"""Reads the word at an address of the unwound process, in its byte order; None: unreadable."""

ADDRESS_MASK: Final = (1 << 64) - 1


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
    ra_mask: int = ADDRESS_MASK
    """Bits of the return address proper; the others hold its authentication code (AArch64)."""


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
    """Registers by DWARF number, as far as known."""


@dataclass(frozen=True, slots=True)
class RegisterLayout:
    """Where a kernel structure keeps registers, in bytes from its beginning."""

    pc: int
    registers: Mapping[int, int]
    """Offsets by DWARF number; SP and FP among them."""

    def registers_at(self, base: int, read: ReadWord, sp: int, fp: int) -> Registers | None:
        """The registers of a structure at `base`; None unless PC, SP and FP can be read."""
        pc = read(base + self.pc)
        words = {number: read(base + offset) for number, offset in self.registers.items()}
        known = {number: word for number, word in words.items() if word is not None}
        if pc is None or sp not in known or fp not in known:
            return None
        return Registers(pc, known[sp], known[fp], known)


class CodeAddresses(NamedTuple):
    """Where an ABI's user code can be."""

    lowest: int
    last: int
    alignment: int
    """Of instructions, in bytes: a power of two."""

    def holds(self, address: int) -> bool:
        """Whether an instruction can be at `address`."""
        return self.lowest <= address <= self.last and not address & self.alignment - 1


class Architecture(Protocol):
    """What an ABI's module provides. A module with these names is one."""

    @property
    def SP(self) -> int: ...
    @property
    def FP(self) -> int: ...
    @property
    def LINK_REGISTER(self) -> int | None:
        """Where a call leaves the return address; None: on the stack."""

    @property
    def CFA_TO_SP(self) -> int:
        """The caller's SP minus the CFA, in bytes."""

    @property
    def PRSTATUS(self) -> RegisterLayout:
        """The NT_PRSTATUS note of a core."""

    @property
    def FPREGSET(self) -> Mapping[int, int]:
        """Offsets in the NT_FPREGSET note of a core of the registers that rules may name."""

    def default_rule(
        self, header: Header, function: FunctionDescriptor, row: FrameRow
    ) -> FrameRule:
        """The equations of a default row."""

    def flexible_rule(
        self, header: Header, function: FunctionDescriptor, row: FrameRow
    ) -> FrameRule:
        """The equations of a flexible row."""

    @property
    def FRAME_POINTER_RULE(self) -> FrameRule | None:
        """A function that keeps a frame pointer; None: the kernel does not follow them here."""

    def is_trampoline(self, pc: int, read: ReadWord) -> bool:
        """Whether the code at `pc` is that of a signal trampoline, in its last instructions."""

    def signal_context(self, pc: int, sp: int, read: ReadWord) -> Registers | None:
        """What the kernel saved, at a trampoline's `pc` and `sp`; None: not readable."""

    @property
    def CODE(self) -> CodeAddresses:
        """Where user code can be at all."""


def saved_at(offset: int) -> Location:
    """A register saved in the frame: value = *(CFA + offset)."""
    return Location(CFA, offset, True)


def default_words(
    header: Header, function: FunctionDescriptor, row: FrameRow
) -> tuple[int, int | None, int | None]:
    """CFA, RA and FP words of a default row with words; None: neither a word nor a fixed offset.

    The rows track RA, in front of FP, unless the header fixes its place.
    """
    cfa, *saved = row.words
    ra: int | None = header.cfa_fixed_ra_offset or None
    if ra is None and saved:
        ra = saved.pop(0)
    fp = saved.pop(0) if saved else header.cfa_fixed_fp_offset or None
    if saved:
        detail = f"{len(row.words)} words with a fixed RA offset of {header.cfa_fixed_ra_offset}"
        raise inconsistent(function, "FRE words", detail)
    return cfa, ra, fp


def refuse_mangled(function: FunctionDescriptor, row: FrameRow) -> None:
    """Only AArch64 authenticates return addresses."""
    if row.mangled_ra:
        raise inconsistent(function, "FRE info", "a mangled RA, but not on AArch64")


def flexible_locations(
    header: Header, function: FunctionDescriptor, row: FrameRow
) -> tuple[Location, Location | None, Location | None]:
    """CFA, RA and FP of a flexible row; None: by default, and the header fixes no offset."""
    pairs = _pairs(function, row)
    cfa, ra, fp = next(pairs, None), next(pairs, None), next(pairs, None)
    if cfa is None or cfa.register == CFA:
        raise inconsistent(function, "flexible CFA", "needs a register")
    if next(pairs, CFA) != CFA:
        raise inconsistent(function, "flexible words", f"{len(row.words)} words are too many")
    if ra is None and header.cfa_fixed_ra_offset:
        ra = saved_at(header.cfa_fixed_ra_offset)
    if fp is None and header.cfa_fixed_fp_offset:
        fp = saved_at(header.cfa_fixed_fp_offset)
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
            raise inconsistent(function, "flexible words", "a control word without its offset")
        register = control >> 3 if control & 1 else CFA
        yield Location(register, offset, bool(control & 2))


def inconsistent(function: FunctionDescriptor, field: str, detail: str) -> SFrameError:
    """The error for rows whose words make no rule."""
    return SFrameError(ErrorKind.INCONSISTENT, function.fres_at, field, detail)
