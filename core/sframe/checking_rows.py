"""One function's rows, field by field. Unlike `Table.row_places` this goes on after a violation."""

import struct
from dataclasses import dataclass

from stackweave.core.sframe.architectures import ARCHITECTURES
from stackweave.core.sframe.checking import Rule
from stackweave.core.sframe.checking_report import Report
from stackweave.core.sframe.constants import Abi, FdeType, Flag, FreType, Version
from stackweave.core.sframe.decode import FrameRow, FunctionDescriptor, Table
from stackweave.core.sframe.describe_rules import REGISTER_NAMES, equations
from stackweave.core.sframe.errors import SFrameError
from stackweave.core.sframe.layout import INFO_FRE_TYPE, INFO_PC_TYPE, START
from stackweave.core.sframe.lookup import interpret
from stackweave.core.sframe.rules import FrameRule


@dataclass(frozen=True, slots=True)
class RawFunction:
    """A function's fields as they stand, whatever they are."""

    index: int
    at: int
    """Offset of the descriptor."""
    start: int
    size: int
    rows_at: int
    count: int
    """Of rows, as claimed."""
    info_at: int
    """Offset of the info byte; the second info byte and the repeat size follow."""
    info: int
    info2: int
    rep_size: int

    @property
    def repeats(self) -> bool:
        return bool(self.info & INFO_PC_TYPE)


@dataclass(slots=True)
class CheckedRows:
    """What was seen of a function's rows."""

    end: int
    """Offset behind the last row that was read."""
    read: int = 0
    """Rows that were read."""
    rules: list[tuple[int, FrameRule]] | None = None
    """Start and meaning of each row that has one; None: the descriptor says not how to read them."""


def check_rows(report: Report, table: Table, function: RawFunction, most: int) -> CheckedRows:
    """Look at the rows, `most` of them at most; the function's row type is known to be one."""
    fre_type = FreType(function.info & INFO_FRE_TYPE)
    head = struct.Struct(table.header.byte_order + START[fre_type] + "B")
    end, at, previous = table.header.end, function.rows_at, -1
    descriptor = _descriptor(table, function.index)
    checked = CheckedRows(at, rules=None if descriptor is None else [])
    for number in range(min(function.count, most)):
        if at + head.size > end:
            detail = f"row {number} of {function.count} ends behind {end:#x}"
            report.add(Rule.ROW_CUT, at, "FRE", detail, function.start)
            break
        start, info = head.unpack_from(table.section, at)
        _check_start(report, function, at, start, previous, number)
        width = info >> 5 & 3
        if width == 3:
            report.add(Rule.WORD_SIZE, at, "FRE word size", "3", function.start)
            break
        after = at + head.size + ((info >> 1 & 0xF) << width)
        if after > end:
            detail = f"words end at {after:#x}, the sub-section at {end:#x}"
            report.add(Rule.ROW_CUT, at, "FRE words", detail, function.start)
            break
        if descriptor is not None and checked.rules is not None:
            rule = _check_words(report, table, descriptor, at, info)
            checked.rules += [] if rule is None else [(start, rule)]
        checked.read, checked.end, previous, at = number + 1, after, start, after
    return checked


def _descriptor(table: Table, index: int) -> FunctionDescriptor | None:
    try:
        return table.descriptor(index)
    except SFrameError:
        return None


def _check_start(
    report: Report, function: RawFunction, at: int, start: int, previous: int, number: int
) -> None:
    limit = function.rep_size if function.repeats else function.size
    if not number and start:
        report.add(Rule.FIRST_ROW, at, "FRE start", f"{start:#x}", function.start)
    if start <= previous:
        detail = f"{start:#x} after {previous:#x}"
        report.add(Rule.ROW_ORDER, at, "FRE start", detail, function.start)
    if start > limit and not function.repeats:
        detail = f"{start:#x} in a function of {limit:#x} bytes"
        report.add(Rule.ROW_RANGE, at, "FRE start", detail, function.start)
    elif start and start >= limit:
        what = "block" if function.repeats else "function"
        detail = f"{start:#x} in a {what} of {limit:#x} bytes"
        report.add(Rule.ROW_NEVER, at, "FRE start", detail, function.start)


def _check_words(
    report: Report, table: Table, descriptor: FunctionDescriptor, at: int, info: int
) -> FrameRule | None:
    header, function = table.header, descriptor.start
    row = table.row(at, descriptor.fre_type)
    if not row.words:
        if info:
            report.add(Rule.OUTERMOST_BITS, at, "FRE info", f"{info:#04x}", function)
        if header.version is not Version.V3 and not _has_errata(table):
            detail = f"no words in version {header.version}"
            report.add(Rule.OUTERMOST_EARLY, at, "FRE info", detail, function)
    elif descriptor.fde_type is FdeType.FLEX:
        _check_controls(report, row, at, function)
    else:
        offsets = (header.cfa_fixed_ra_offset, header.cfa_fixed_fp_offset)
        if len(row.words) > 1 + offsets.count(0):
            detail = f"{len(row.words)} words, with the fixed offsets {offsets}"
            report.add(Rule.KERNEL_WORDS, at, "FRE words", detail, function)
    try:
        rule = interpret(ARCHITECTURES[header.abi], table, descriptor, row)
    except SFrameError as error:
        report.add(Rule.ROW_WORDS, at, error.field, error.detail, function)
        return None
    _check_rule(report, header.abi, rule, at, function)
    return rule


def _check_rule(report: Report, abi: Abi, rule: FrameRule, at: int, function: int) -> None:
    architecture, last = ARCHITECTURES[abi], len(REGISTER_NAMES[abi])
    for location in (rule.cfa, rule.ra, rule.fp):
        if location is not None and location.register >= last:
            report.add(Rule.REGISTER, at, "FRE words", str(location.register), function)
    counts_from_sp = rule.cfa.register == architecture.SP and not rule.cfa.dereference
    is_read_from_fp = rule.fp is not None and rule.fp.register == architecture.FP
    if counts_from_sp and is_read_from_fp:
        report.add(Rule.STALE_FP, at, "FRE words", equations(abi, rule), function)


def _has_errata(table: Table) -> bool:
    """V2 with PCREL start offsets knows the mark of an outermost frame."""
    header = table.header
    return header.version is Version.V2 and bool(header.flags & Flag.FDE_FUNC_START_PCREL)


def _check_controls(report: Report, row: FrameRow, at: int, function: int) -> None:
    """Bit 2 of a control word; padding that nothing follows."""
    mask = (1 << 8 * row.word_size) - 1
    words = iter(row.words)
    control = None
    for word in words:
        control = word & mask
        if control & 4:
            report.add(Rule.CONTROL, at, "control word", f"{control:#x}", function)
        if control:
            next(words, None)
    if control == 0:
        for rule in (Rule.PADDING_LAST, Rule.KERNEL_WORDS):
            report.add(rule, at, "FRE words", f"{len(row.words)} words", function)
