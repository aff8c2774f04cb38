"""From equations to the words of a row: the inverse of `rules` and its architectures.

Section 3 of the format description for default rows, section 4 for flexible ones. What a row
need not say is None: the return address where it always is (AMD64: *(CFA - 8)) or still in its
register, the frame pointer where it still is the frame's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stackweave.core.sframe.architectures import ARCHITECTURES
from stackweave.core.sframe.constants import Abi, BaseRegister, FdeType, FreType, Version
from stackweave.core.sframe.decode import FrameRow, FunctionDescriptor
from stackweave.core.sframe.dialect import Inexpressible, Reason
from stackweave.core.sframe.header import Header
from stackweave.core.sframe.rules import ADDRESS_MASK, CFA, NOWHERE, Location, RuleKind, saved_at


@dataclass(frozen=True, slots=True)
class Convention:
    """What an ABI fixes for those who write."""

    ra: int
    """DWARF number of the return address's column."""
    ra_offset: int = 0
    """The return address is always at CFA + this many bytes; 0: rows say where."""
    cfa_bias: int = 0
    """A CFA offset is written as (offset - bias) / scale."""
    cfa_scale: int = 1
    pads_ra: bool = False
    """A word of 0 says that the return address is not saved when the frame pointer is."""


_AARCH64: Final = Convention(30)

CONVENTIONS: Final = {
    Abi.AARCH64_ENDIAN_BIG: _AARCH64,
    Abi.AARCH64_ENDIAN_LITTLE: _AARCH64,
    Abi.AMD64_ENDIAN_LITTLE: Convention(16, -8),
    Abi.S390X_ENDIAN_BIG: Convention(14, cfa_bias=160, cfa_scale=8, pads_ra=True),
}


@dataclass(frozen=True, slots=True)
class Equations:
    """What holds from `start` on: the caller's CFA, RA and FP."""

    start: int
    """Bytes from the start of the function."""
    cfa: Location
    ra: Location | None
    fp: Location | None
    mangled_ra: bool = False
    is_outermost: bool = False
    """The return address is undefined, and nothing else counts."""


def outermost(start: int) -> Equations:
    """Nobody called the function, from `start` on."""
    return Equations(start, NOWHERE, None, None, is_outermost=True)


def row_equations(header: Header, descriptor: FunctionDescriptor, row: FrameRow) -> Equations:
    """What a row says; raises `SFrameError` if its words make no rule."""
    architecture = ARCHITECTURES[header.abi]
    flexible = descriptor.fde_type is FdeType.FLEX
    interpret = architecture.flexible_rule if flexible else architecture.default_rule
    rule = interpret(header, descriptor, row)
    if rule.kind is RuleKind.OUTERMOST:
        return outermost(row.start)
    fixed = header.cfa_fixed_ra_offset
    implied = saved_at(fixed) if fixed else Location(CONVENTIONS[header.abi].ra, 0, False)
    ra = None if rule.ra == implied else rule.ra
    return Equations(row.start, rule.cfa, ra, rule.fp, rule.ra_mask != ADDRESS_MASK)


def default_row(header: Header, equations: Equations) -> FrameRow:
    """The row of a default function, or `Inexpressible`."""
    if equations.is_outermost:
        return _outermost_row(equations.start)
    architecture = ARCHITECTURES[header.abi]
    cfa = equations.cfa
    if cfa.dereference or cfa.register not in (architecture.SP, architecture.FP):
        raise Inexpressible(Reason.FLEXIBLE, f"CFA = {spelled(cfa)}")
    ra, fp = (_saved(header, place) for place in (equations.ra, equations.fp))
    words = [_coded_cfa(header.abi, cfa), *_saved_words(header, ra, fp)]
    base = BaseRegister.SP if cfa.register == architecture.SP else BaseRegister.FP
    return _row(equations, base, words, ())


def flexible_row(header: Header, equations: Equations) -> FrameRow:
    """The row of a flexible V3 function, or `Inexpressible`."""
    if equations.is_outermost:
        return _outermost_row(equations.start)
    words = [_control(equations.cfa), _coded_cfa(header.abi, equations.cfa)]
    controls = [0]
    if equations.ra is not None:
        controls.append(len(words))
        words += [_control(equations.ra), equations.ra.offset]
    elif equations.fp is not None:
        words.append(0)
    if equations.fp is not None:
        controls.append(len(words))
        words += [_control(equations.fp), equations.fp.offset]
    return _row(equations, BaseRegister.FP, words, controls)


def fre_type(size: int) -> FreType:
    """The narrowest row starts for `size` bytes of code, as gas chooses them."""
    if size < 1 << 8:
        return FreType.ADDR1
    return FreType.ADDR2 if size < 1 << 16 else FreType.ADDR4


def spelled(location: Location) -> str:
    """`r10+8`, `*(cfa-16)`."""
    register = "cfa" if location.register == CFA else f"r{location.register}"
    plain = f"{register}{location.offset:+}"
    return f"*({plain})" if location.dereference else plain


def _outermost_row(start: int) -> FrameRow:
    return FrameRow(start, BaseRegister.FP, False, 1, ())


def _coded_cfa(abi: Abi, cfa: Location) -> int:
    convention = CONVENTIONS[abi]
    coded, rest = divmod(cfa.offset - convention.cfa_bias, convention.cfa_scale)
    if rest:
        raise Inexpressible(Reason.OFFSET, f"CFA = {spelled(cfa)}")
    return coded


def _saved(header: Header, location: Location | None) -> int | None:
    """The word for a saved register: its offset from the CFA; s390x V2: or (number << 1) | 1."""
    codes_registers = header.version is Version.V2 and header.abi is Abi.S390X_ENDIAN_BIG
    if location is None:
        return None
    if location.register == CFA and location.dereference:
        if codes_registers and location.offset & 1:
            raise Inexpressible(Reason.OFFSET, f"{spelled(location)} would read as a register")
        return location.offset
    if location.register == CFA or location.dereference or location.offset:
        raise Inexpressible(Reason.FLEXIBLE, spelled(location))
    if not codes_registers:
        raise Inexpressible(Reason.CODED_REGISTER, spelled(location))
    return location.register << 1 | 1


def _saved_words(header: Header, ra: int | None, fp: int | None) -> list[int]:
    """The words behind the CFA's."""
    if header.cfa_fixed_ra_offset:
        if ra is not None:
            raise Inexpressible(Reason.FLEXIBLE, f"the return address is at cfa{ra:+}")
        return [] if fp is None else [fp]
    if CONVENTIONS[header.abi].pads_ra:
        if ra == 0:
            raise Inexpressible(Reason.OFFSET, "RA = *(cfa+0) would read as not saved")
        ra = 0 if ra is None and fp is not None else ra
    if ra is None and fp is not None:
        raise Inexpressible(Reason.FP_WITHOUT_RA, f"FP = *(cfa{fp:+})")
    return [word for word in (ra, fp) if word is not None]


def _control(location: Location) -> int:
    """Bit 0: a register, not the CFA; bit 1: dereference; bits 3 and up: its number."""
    if location.register == CFA:
        return location.dereference << 1
    return 1 | location.dereference << 1 | location.register << 3


def _row(
    equations: Equations, base: BaseRegister, words: list[int], controls: Sequence[int]
) -> FrameRow:
    """The row in the fewest bytes; words at `controls` are unsigned."""
    for size in (1, 2, 4):
        limit = 1 << 8 * size - 1
        if all(
            word < 2 * limit if at in controls else -limit <= word < limit
            for at, word in enumerate(words)
        ):
            signed = tuple(word - 2 * limit if word >= limit else word for word in words)
            return FrameRow(equations.start, base, equations.mangled_ra, size, signed)
    raise Inexpressible(Reason.OFFSET, f"{max(words, key=abs)} does not fit in four bytes")
