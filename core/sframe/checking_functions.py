"""Function descriptors, one by one and with one another."""

import struct
from typing import Final

from stackweave.core.sframe.checking import Rule
from stackweave.core.sframe.checking_report import Report, Surroundings
from stackweave.core.sframe.checking_rows import CheckedRows, RawFunction, check_rows
from stackweave.core.sframe.constants import V1_REPEAT_SIZE, Abi, FdeType, Flag, FreType, Version
from stackweave.core.sframe.contents import attribute_size
from stackweave.core.sframe.decode import Table
from stackweave.core.sframe.describe_rules import equations
from stackweave.core.sframe.header import FDE_SIZE, HEADER_SIZE, MIN_FRE_SIZE
from stackweave.core.sframe.layout import (
    ATTRIBUTE,
    ATTRIBUTE_SIZE,
    FDE,
    INFO2_FDE_TYPE,
    INFO_FRE_TYPE,
    INFO_PAUTH_KEY_B,
    INFO_PC_TYPE,
    INFO_SIGNAL,
)
from stackweave.core.sframe.rules import RuleKind

_SIGNERS: Final = (Abi.AARCH64_ENDIAN_BIG, Abi.AARCH64_ENDIAN_LITTLE)


def check_table(report: Report, table: Table, around: Surroundings, most: int) -> int:
    """Look at a header's functions and at most so many rows; how many rows there were."""
    _check_order(report, table, around)
    used: list[tuple[int, int]] = []
    rows = claimed = 0
    is_complete = True
    for index in range(len(table)):
        function = _raw_function(report, table, index)
        if function is None:
            is_complete = False
            continue
        claimed += function.count
        checked = _check_function(report, table, function, around, most - rows)
        if checked is None:
            is_complete = False
            continue
        rows += checked.read
        is_complete = is_complete and checked.read == function.count
        used.append((function.rows_at - attribute_size(table.header.version), checked.end))
    _check_counts(report, table, claimed, is_complete)
    if is_complete:
        _check_use(report, table, used)
    return rows


def check_overlaps(report: Report, tables: list[Table]) -> None:
    """Functions that begin inside another one, whichever header they are under."""
    functions = sorted(
        (start, size, table.header.fdes_at + index * FDE_SIZE[table.header.version])
        for table in tables
        for index, (start, size) in enumerate(zip(table.starts, table.sizes, strict=True))
        if size
    )
    behind = owner = None
    for start, size, at in functions:
        if behind is not None and start < behind:
            detail = f"the one at {owner:#x} ends at {behind:#x}"
            report.add(Rule.OVERLAP, at, "function start", detail, start)
        if behind is None or start + size > behind:
            behind, owner = start + size, start


def _raw_function(report: Report, table: Table, index: int) -> RawFunction | None:
    """The fields, from the descriptor and, in V3, from in front of the rows."""
    header, section = table.header, table.section
    at = header.fdes_at + index * FDE_SIZE[header.version]
    start, size, place, *rest = struct.unpack_from(
        header.byte_order + FDE[header.version], section, at
    )
    start, rows_at = table.starts[index], header.fres_at + place
    if rows_at + attribute_size(header.version) > header.end:
        detail = f"{place:#x} in {header.fre_len:#x} bytes"
        report.add(Rule.FRE_OFFSET, at + _place_at(header.version), "FRE offset", detail, start)
        return None
    if header.version is Version.V3:
        count, *info = struct.unpack_from(header.byte_order + ATTRIBUTE, section, rows_at)
        return RawFunction(
            index, at, start, size, rows_at + ATTRIBUTE_SIZE, count, rows_at + 2, *info
        )
    count, info, *rest = rest
    if header.version is Version.V1:
        return RawFunction(index, at, start, size, rows_at, count, at + 16, info, 0, V1_REPEAT_SIZE)
    rep_size, padding = rest
    if padding:
        report.add(Rule.PADDING, at + 18, "padding", f"{padding:#06x}", start)
    return RawFunction(index, at, start, size, rows_at, count, at + 16, info, 0, rep_size)


def _place_at(version: Version) -> int:
    """Offset in a descriptor of the field that says where the rows are."""
    return 12 if version is Version.V3 else 8


def _check_function(
    report: Report, table: Table, function: RawFunction, around: Surroundings, most: int
) -> CheckedRows | None:
    """None: its rows cannot be walked through."""
    _check_info(report, table, function)
    _check_extent(report, table, function, around)
    start = function.start
    if function.info & INFO_FRE_TYPE > FreType.ADDR4:
        detail = str(function.info & INFO_FRE_TYPE)
        report.add(Rule.FRE_TYPE, function.info_at, "FRE type", detail, start)
        return None
    width = 1 << (function.info & INFO_FRE_TYPE)
    room = table.header.end - function.rows_at
    if function.count * (width + 1) > room:
        detail = f"{function.count} rows in {room} bytes"
        report.add(Rule.ROWS_CLAIMED, function.rows_at, "number of FREs", detail, start)
    elif function.count > most:
        detail = "functions claim more rows than fit in the section"
        report.add(Rule.ROWS_CLAIMED, function.rows_at, "number of FREs", detail, start)
    checked = check_rows(report, table, function, most)
    _check_meaning(report, table, function, checked, around)
    return checked


def _check_info(report: Report, table: Table, function: RawFunction) -> None:
    header, at, start = table.header, function.info_at, function.start
    defined = INFO_FRE_TYPE | INFO_PC_TYPE
    defined |= INFO_PAUTH_KEY_B if header.abi in _SIGNERS else 0
    defined |= INFO_SIGNAL if header.version is Version.V3 else 0
    if function.info & ~defined:
        detail = f"{function.info & ~defined:#x}"
        report.add(Rule.INFO_BITS, at, "FDE info", detail, start)
    if function.info2 & ~INFO2_FDE_TYPE:
        detail = f"{function.info2 & ~INFO2_FDE_TYPE:#x}"
        report.add(Rule.INFO_BITS, at + 1, "second FDE info", detail, start)
    if function.info2 & INFO2_FDE_TYPE > FdeType.FLEX:
        detail = str(function.info2 & INFO2_FDE_TYPE)
        report.add(Rule.FDE_TYPE, at + 1, "FDE type", detail, start)
    if header.version is Version.V1:
        return
    rep_at = at + (2 if header.version is Version.V3 else 1)
    if function.repeats and not function.rep_size:
        report.add(Rule.REPEAT_ZERO, rep_at, "repeat size", "0", start)
    if function.rep_size and not function.repeats:
        report.add(Rule.REPEAT_UNUSED, rep_at, "repeat size", str(function.rep_size), start)


def _check_extent(
    report: Report, table: Table, function: RawFunction, around: Surroundings
) -> None:
    start, end = function.start, function.start + function.size
    size_at = function.at + (8 if table.header.version is Version.V3 else 4)
    if not function.size:
        report.add(Rule.SIZE_ZERO, size_at, "function size", "0", start)
    if around.code is None:
        return
    missing = max(function.size, 1) - around.code.count(start, max(end, start + 1))
    if missing and function.size:
        detail = f"{missing:,} of {function.size:,} bytes are not executable"
        report.add(Rule.OUTSIDE_TEXT, function.at, "function start", detail, start)
    if not around.code.count(start, start + 1):
        detail = "not in executable code"
        report.add(Rule.KERNEL_TEXT, function.at, "function start", detail, start)


def _check_meaning(
    report: Report,
    table: Table,
    function: RawFunction,
    checked: CheckedRows,
    around: Surroundings,
) -> None:
    """What the rows say, where it is known what they should."""
    header, start = table.header, function.start
    is_flexible = function.info2 & INFO2_FDE_TYPE == FdeType.FLEX
    speaks_without = header.version is Version.V3 and not is_flexible
    if not function.count and not speaks_without and not function.info & INFO_SIGNAL:
        report.add(Rule.NO_ROWS, function.rows_at, "number of FREs", "0", start)
    if not checked.rules:
        return
    _, first = checked.rules[0]
    if start == around.entry and first.kind is not RuleKind.OUTERMOST:
        detail = f"the entry point has {equations(header.abi, first)}"
        report.add(Rule.OUTERMOST_MISSING, function.rows_at, "FRE", detail, start)
    for entries in around.plt:
        if entries.low <= start < entries.high:
            for offset, rule in entries.mistakes(checked.rules):
                detail = f"{offset:#x} bytes into an entry: {equations(header.abi, rule)}"
                report.add(Rule.PLT_ENTRY, function.rows_at, "FRE", detail, start)


def _check_order(report: Report, table: Table, around: Surroundings) -> None:
    header, starts = table.header, table.starts
    size = FDE_SIZE[header.version]
    is_sorted = bool(header.flags & Flag.FDE_SORTED)
    for index in range(1, len(table)):
        start, before = starts[index], starts[index - 1]
        at = header.fdes_at + index * size
        detail = f"{start:#x} after {before:#x}"
        if start < before and is_sorted:
            report.add(Rule.SORTED, at, "function start", detail, start)
        if start <= before:
            report.add(Rule.KERNEL_ORDER, at, "function start", detail, start)
    if not is_sorted and around.is_linked:
        report.add(Rule.UNSORTED, header.offset + 3, "flags", "FDE_SORTED is clear")


def _check_counts(report: Report, table: Table, claimed: int, is_complete: bool) -> None:
    header = table.header
    at = header.offset + 12
    if header.num_fres * MIN_FRE_SIZE > header.fre_len:
        detail = f"{header.num_fres} rows in {header.fre_len} bytes"
        report.add(Rule.FRE_ROOM, at, "number of FREs", detail)
    elif is_complete and claimed != header.num_fres:
        detail = f"{header.num_fres}, the functions have {claimed}"
        report.add(Rule.FRE_COUNT, at, "number of FREs", detail)


def _check_use(report: Report, table: Table, used: list[tuple[int, int]]) -> None:
    """Bytes that belong to two functions or to none."""
    header = table.header
    behind = header.offset + HEADER_SIZE + header.auxhdr_len
    gaps = [(behind, header.fdes_at)]
    behind = header.fdes_at + header.num_fdes * FDE_SIZE[header.version]
    gaps.append((behind, header.fres_at))
    behind = header.fres_at
    for start, end in sorted(used):
        if start < behind and start < end:
            detail = f"from {start:#x}, another's reach to {behind:#x}"
            report.add(Rule.SHARED_ROWS, start, "FRE offset", detail)
        gaps.append((behind, start))
        behind = max(behind, end)
    gaps.append((behind, header.end))
    for start, end in gaps:
        if start < end:
            report.add(Rule.UNUSED_BYTES, start, "section", f"{end - start} bytes")
