"""A module's `.sframe`, decoded once into arrays.

Functions are read with one numpy view of their descriptors, rows by a compiled walk, and of rows that say the
same one is interpreted by the ABI's module: what a rule means is written down once, there. Functions that are
damaged or trampolines have a row that says `RARE`, so that whoever comes to them asks the unwinder in Python.
"""

from typing import Final, NamedTuple

import numpy as np

from stackweave.core.sframe.batch.arrays import Bytes, Kind, ModuleTable, Rule, Words
from stackweave.core.sframe.batch.rows import Claims, Rows, find_rows
from stackweave.core.sframe.constants import V1_REPEAT_SIZE, FdeType, FreType, Version
from stackweave.core.sframe.decode import Table
from stackweave.core.sframe.errors import SFrameError
from stackweave.core.sframe.header import MIN_FRE_SIZE
from stackweave.core.sframe.layout import (
    ATTRIBUTE_SIZE,
    INFO2_FDE_TYPE,
    INFO_FRE_TYPE,
    INFO_PC_TYPE,
    INFO_SIGNAL,
    LAST_START,
)
from stackweave.core.sframe.lookup import SFrameSection, interpret
from stackweave.core.sframe.rules import ADDRESS_MASK, FrameRule, Location, RuleKind

_FIELDS: Final = {
    Version.V1: {"start": "i4", "size": "u4", "rows": "u4", "count": "u4", "info": "u1"},
    Version.V2: {
        "start": "i4",
        "size": "u4",
        "rows": "u4",
        "count": "u4",
        "info": "u1",
        "repeat": "u1",
        "padding": "u2",
    },
    Version.V3: {"start": "i8", "size": "u4", "rows": "u4"},
}
"""`layout.FDE`, for numpy."""

_OUTERMOST: Final = 0
_RARE: Final = 1
_OWN: Final = 2
"""The first rules, and the first rows, which serve functions that have none; then come a section's own."""
_LARGEST: Final = 1 << 63


class _Descriptors(NamedTuple):
    """Of the functions of one header, what their descriptors and attributes say."""

    places: Words
    counts: Words
    info: Words
    info2: Words
    repeats: Words
    is_damaged: Words
    """As far as it shows in the descriptor."""


class _Part(NamedTuple):
    """One header's functions and rows; rows and rules are numbered from `_OWN` on."""

    starts: Words
    ends: Words
    first_rows: Words
    end_rows: Words
    repeats: Words
    row_starts: Words
    row_rules: Words
    rules: Words


def table_of(section: SFrameSection) -> ModuleTable | None:
    """All of a section, functions sorted by address; those of no size cover nothing and are left out.

    None: an address does not fit into a positive word.
    """
    for table in section.tables:
        for start, size in zip(table.starts, table.sizes, strict=True):
            if not 0 <= start <= start + size < _LARGEST:
                return None
    parts = [_part(section, table) for table in section.tables]
    rows = rules = 0
    for at, part in enumerate(parts):
        parts[at] = part._replace(
            first_rows=_moved(part.first_rows, rows),
            end_rows=_moved(part.end_rows, rows, _OWN + 1),
            row_rules=_moved(part.row_rules, rules),
        )
        rows += len(part.row_starts)
        rules += len(part.rules)
    starts, ends, first_rows, end_rows, repeats, row_starts, row_rules = (
        np.concatenate([np.zeros(0, dtype=np.int64), *(part[column] for part in parts)])
        for column in range(7)
    )
    order = np.lexsort((ends, starts))  # and by place: as SFrameSection sorts them
    order = order[ends[order] > starts[order]]
    simple = np.zeros((_OWN, len(Rule)), dtype=np.int64)
    simple[:, Rule.KIND] = Kind.OUTERMOST, Kind.RARE
    return ModuleTable(
        starts[order],
        ends[order],
        first_rows[order],
        end_rows[order],
        repeats[order],
        np.concatenate([np.zeros(_OWN, dtype=np.int64), row_starts]),
        np.concatenate([np.arange(_OWN), row_rules]),
        np.concatenate([simple, *(part.rules for part in parts)]),
    )


def _moved(numbers: Words, by: int, own: int = _OWN) -> Words:
    """Behind those of the headers before; the first ones serve all headers."""
    return np.where(numbers >= own, numbers + by, numbers)


def _part(section: SFrameSection, table: Table) -> _Part:
    data = np.frombuffer(table.section, dtype=np.uint8)
    functions = _descriptors(table, data)
    starts = np.array(table.starts, dtype=np.int64)
    sizes = np.array(table.sizes, dtype=np.int64)
    version = table.header.version
    is_mask = functions.info & INFO_PC_TYPE != 0
    is_flexible = functions.info2 & INFO2_FDE_TYPE == FdeType.FLEX
    is_signal = (functions.info & INFO_SIGNAL != 0) & (version is Version.V3)
    claims = Claims(
        functions.places,
        functions.counts,
        1 << np.minimum(functions.info & INFO_FRE_TYPE, int(FreType.ADDR4)),
        np.where(is_mask, LAST_START, sizes),
        (is_flexible << 1 | is_signal).astype(np.int64),
    )
    rows, kinds = _rows(table, data, claims, functions.is_damaged)
    used = int(rows.end_rows.max(initial=0))
    first, end = rows.first_rows + _OWN, rows.end_rows + _OWN
    for which, row in (
        (~is_signal & ~is_flexible & (version is Version.V3), _OUTERMOST),
        (is_signal, _RARE),
    ):
        without = which & (functions.counts == 0)
        first[without], end[without] = row, row + 1
    damaged = rows.is_damaged != 0
    first[damaged], end[damaged] = _RARE, _RARE + 1
    return _Part(
        starts,
        starts + sizes,
        first,
        end,
        np.where(is_mask, functions.repeats, 0),
        rows.starts[:used],
        rows.kinds[:used] + _OWN,
        _rules(section, table, rows, kinds),
    )


def _descriptors(table: Table, data: Bytes) -> _Descriptors:
    header = table.header
    fields = [(name, header.byte_order + code) for name, code in _FIELDS[header.version].items()]
    found = np.frombuffer(table.section, np.dtype(fields), header.num_fdes, header.fdes_at)
    offsets = found["rows"].astype(np.int64)
    places = header.fres_at + offsets
    damaged = offsets > header.fre_len
    if header.version is Version.V3:
        damaged |= places + ATTRIBUTE_SIZE > header.end
        counts, info, info2, repeats = _attributes(data, places, damaged, header.byte_order)
        places += ATTRIBUTE_SIZE
    else:
        counts, info = (found[name].astype(np.int64) for name in ("count", "info"))
        info2 = np.zeros_like(info)
        repeats = np.full_like(info, V1_REPEAT_SIZE)
        if header.version is Version.V2:
            repeats = found["repeat"].astype(np.int64)
    damaged |= info & INFO_FRE_TYPE > FreType.ADDR4
    damaged |= (info & INFO_PC_TYPE != 0) & (repeats == 0)
    damaged |= info2 & INFO2_FDE_TYPE > FdeType.FLEX
    return _Descriptors(places, counts, info, info2, repeats, damaged.astype(np.int64))


def _attributes(
    data: Bytes, places: Words, damaged: np.ndarray[tuple[int], np.dtype[np.bool_]], order: str
) -> tuple[Words, Words, Words, Words]:
    """V3's, which lie in front of the rows: number of rows, info, second info, repeat size."""
    at = np.where(damaged, 0, places)
    one, other, info, info2, repeat = (data[at + each].astype(np.int64) for each in range(5))
    counts = one | other << 8 if order == "<" else one << 8 | other
    return counts, info, info2, repeat


def _rows(table: Table, data: Bytes, claims: Claims, is_damaged: Words) -> tuple[Rows, int]:
    """All rows, and how many there are that differ."""
    functions, size = len(claims.places), len(table.section)
    claimed = int(claims.counts[is_damaged == 0].sum())
    most = min(claimed, size // MIN_FRE_SIZE)
    sizes = [functions] * 3 + [most] * 2 + [1 << (2 * most + 1).bit_length()] + [most] * 4
    rows = Rows._make(np.zeros(each, dtype=np.int64) for each in sizes)
    rows.is_damaged[:] = is_damaged
    kinds = find_rows(data, table.header.end, table.header.byte_order == ">", claims, rows)
    return rows, kinds


def _rules(section: SFrameSection, table: Table, rows: Rows, kinds: int) -> Words:
    found = np.zeros((kinds, len(Rule)), dtype=np.int64)
    for kind in range(kinds):
        found[kind] = _numbers(_rule(section, table, rows, kind))
    return found


def _rule(section: SFrameSection, table: Table, rows: Rows, kind: int) -> FrameRule | None:
    """What rows of a kind mean; None if they are damaged."""
    descriptor = table.descriptor(int(rows.functions[kind]))
    place = int(rows.examples[kind]) - (1 << descriptor.fre_type)
    try:
        return interpret(
            section.architecture, table, descriptor, table.row(place, descriptor.fre_type)
        )
    except SFrameError:
        return None


def _numbers(rule: FrameRule | None) -> list[int]:
    """A rule by `Rule`'s columns."""
    if rule is None or rule.interrupts or rule.kind is RuleKind.SIGNAL_ENTRY:
        return [Kind.RARE] + [0] * (len(Rule) - 1)
    kind = Kind.FRAME if rule.kind is RuleKind.FRAME else Kind.OUTERMOST
    mask = rule.ra_mask if rule.ra_mask != ADDRESS_MASK else -1
    fp = rule.fp or rule.cfa
    return [
        kind,
        *_location(rule.cfa),
        *_location(rule.ra),
        mask - (1 << 64) if mask >> 63 > 0 else mask,
        rule.fp is not None,
        *_location(fp),
    ]


def _location(location: Location) -> tuple[int, int, bool]:
    return location.register, location.offset, location.dereference
