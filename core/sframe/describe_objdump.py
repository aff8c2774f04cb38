"""A section as `objdump --sframe` prints it.

The texts of binutils 2.40 (V1), 2.44 (V2) and 2.47.50 (V2, V3) differ where the versions do: V1
shows no fixed offsets and a return address that has one as `u`, later ones as `f`. Otherwise
`u` is unchanged, `U` the padding before a frame pointer, `c-16` saved at CFA - 16, `(fp-8)` read
from there, `[s]` a mangled return address, `[m]` rows that repeat. Where objdump gives up or
crashes, what can be read is printed, then a line that names the damage.

One thing is not followed: 2.40 and 2.44 print only the last of several flags.
"""

from collections.abc import Iterator
from typing import Final

from stackweave.core.sframe.architectures import ARCHITECTURES
from stackweave.core.sframe.constants import Abi, FdeType, Flag, PcType, Version
from stackweave.core.sframe.decode import FunctionDescriptor
from stackweave.core.sframe.describe_functions import ReadFunction, ReadRow
from stackweave.core.sframe.errors import SFrameError
from stackweave.core.sframe.header import Header
from stackweave.core.sframe.rules import ADDRESS_MASK, CFA, Location, RuleKind

FILE_FORMATS: Final = {
    Abi.AARCH64_ENDIAN_BIG: "elf64-bigaarch64",
    Abi.AARCH64_ENDIAN_LITTLE: "elf64-littleaarch64",
    Abi.AMD64_ENDIAN_LITTLE: "elf64-x86-64",
    Abi.S390X_ENDIAN_BIG: "elf64-s390",
}
"""BFD's names."""

_FLAG_SEPARATOR: Final = ",\n" + " " * 11


def header_lines(header: Header) -> Iterator[str]:
    """The block in front of a header's functions."""
    names = [f"SFRAME_F_{flag.name}" for flag in Flag if flag in header.flags]
    yield "  Header :"
    yield ""
    yield f"    Version: SFRAME_VERSION_{header.version}"
    yield f"    Flags: {_FLAG_SEPARATOR.join(names) or 'NONE'}"
    if header.version is not Version.V1:
        offsets = (("FP", header.cfa_fixed_fp_offset), ("RA", header.cfa_fixed_ra_offset))
        yield from (f"    CFA fixed {name} offset: {offset}" for name, offset in offsets if offset)
    yield f"    Num FDEs: {header.num_fdes}"
    yield f"    Num FREs: {header.num_fres}"
    yield ""
    yield "  Function Index :"


def function_lines(function: ReadFunction) -> Iterator[str]:
    """An empty line, the function's line, the columns' heads and the rows."""
    descriptor = function.descriptor
    base = function.start & ADDRESS_MASK
    attributes = "" if descriptor is None else _attributes(function.table.header, descriptor)
    repeats = descriptor is not None and descriptor.pc_type is PcType.MASK
    yield ""
    yield (
        f"    func idx [{function.index}]: pc = {base:#x}, size = {function.size} bytes{attributes}"
    )
    yield f"    {'STARTPC':<7}{'[m]' if repeats else '':<8} {'CFA':<10}{'FP':<10}{'RA':<13}"
    for row in function.rows:
        pc = row.row.start + (0 if repeats else base) & ADDRESS_MASK
        yield f"    {pc:016x}  {_columns(function, row)}"
    if function.damage is not None:
        yield f"    damaged: {function.damage}"


def _attributes(header: Header, descriptor: FunctionDescriptor) -> str:
    letters = "S" * descriptor.is_signal_frame + "F" * (descriptor.fde_type is FdeType.FLEX)
    signs = header.abi in (Abi.AARCH64_ENDIAN_BIG, Abi.AARCH64_ENDIAN_LITTLE)
    key = ", pauth = B key" if signs and descriptor.pauth_key_b else ""
    return (f', attr = "{letters}"' if letters else "") + key


def _columns(function: ReadFunction, row: ReadRow) -> str:
    """CFA, FP and RA."""
    rule = row.rule
    if isinstance(rule, SFrameError):
        return f"damaged: {rule}"
    if rule.kind is RuleKind.OUTERMOST:
        return "RA undefined"
    assert function.descriptor is not None
    header, flexible = function.table.header, function.descriptor.fde_type is FdeType.FLEX
    architecture = ARCHITECTURES[header.abi]
    names = {architecture.SP: "sp", architecture.FP: "fp", CFA: "c"}
    cfa = _location(rule.cfa, names, True)
    fp = _location(rule.fp, names, flexible) if rule.fp else "u"
    ra = _unsaid_ra(header, row, flexible) or _location(rule.ra, names, flexible)
    return f"{cfa:<10}{fp:<10}{ra + ('[s]' if row.row.mangled_ra else '   '):<13}"


def _unsaid_ra(header: Header, row: ReadRow, flexible: bool) -> str:
    """How a row without a rule for the return address is shown: fixed, unchanged or padding."""
    at = 2 if flexible else 1
    words, fixed = row.row.words, header.cfa_fixed_ra_offset
    if fixed and not flexible:
        return "u" if header.version is Version.V1 else "f"
    if len(words) <= at:
        return "f" if fixed else "u"
    return "" if words[at] else "U"


def _location(location: Location, names: dict[int, str], offsets: bool) -> str:
    """`sp+8`, `c-16` for saved there, `(fp-8)` for other dereferences, `r16` for a register."""
    register = names.get(location.register, f"r{location.register}")
    if not offsets and not location.dereference:
        return register
    plain = f"{register}{location.offset:+}"
    return f"({plain})" if location.dereference and location.register != CFA else plain
