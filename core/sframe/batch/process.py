"""A process as arrays: what is mapped where, which ranges hold code, and the tables of all modules."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from stackweave.core.sframe.batch.arrays import (
    ABSENT,
    NO_TABLE,
    Kind,
    ModuleTable,
    Process,
    Rule,
    Words,
)
from stackweave.core.sframe.batch.layout import Layout
from stackweave.core.sframe.batch.tables import table_of
from stackweave.core.sframe.module import LoadedModule, Module
from stackweave.core.sframe.rules import ADDRESS_MASK, Architecture

_RARE_TABLE = ModuleTable(
    starts=np.zeros(1, dtype=np.int64),
    ends=np.full(1, (1 << 63) - 1, dtype=np.int64),
    first_rows=np.zeros(1, dtype=np.int64),
    end_rows=np.ones(1, dtype=np.int64),
    repeats=np.zeros(1, dtype=np.int64),
    row_starts=np.zeros(1, dtype=np.int64),
    row_rules=np.zeros(1, dtype=np.int64),
    rules=np.array([[Kind.RARE] + [0] * (len(Rule) - 1)], dtype=np.int64),
)
"""For a module whose addresses are not those of a program: the unwinder in Python is asked about everything."""
_RARE: Final = 0
"""Its number."""
_SEEN: Final = 1 << 12
"""Addresses whose rules are kept."""


class Tables:
    """The tables of modules, each decoded once, however many processes have it."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Module, int]] = {}
        self._firsts = [0, 1]
        self._joined = _RARE_TABLE
        self._new: list[ModuleTable] = []
        """Not yet behind the others."""

    def process(self, layout: Layout) -> Process:
        """All of a process."""
        shown = [self._number(each, layout.architecture) for each in layout.shown]
        self._join()
        return Process._make(
            [
                _signed(layout.lows),
                _signed(layout.highs),
                _signed([0 if each is None else each.bias for each in layout.shown]),
                _signed(shown),
                _signed([low for low, _ in layout.code]),
                _signed([high for _, high in layout.code]),
                _machine(layout),
                *_seen(),
                _signed(self._firsts),
                *self._joined,
            ]
        )

    def _number(self, loaded: LoadedModule | None, architecture: Architecture | None) -> int:
        """Of the module, in this process."""
        if loaded is None:
            return ABSENT
        section = loaded.module.sframe
        if section is None:
            return NO_TABLE
        if section.architecture is not architecture:
            return _RARE
        known = self._known.get(id(loaded.module))
        if known is None:
            table = table_of(section)
            number = _RARE
            if table is not None:
                number = len(self._firsts) - 1
                self._firsts.append(self._firsts[-1] + len(table.starts))
                self._new.append(table)
            known = self._known[id(loaded.module)] = loaded.module, number
        return known[1]

    def _join(self) -> None:
        """Put the new tables behind the others."""
        if not self._new:
            return
        rows, rules = len(self._joined.row_starts), len(self._joined.rules)
        tables = [self._joined]
        for table in self._new:
            tables.append(
                table._replace(
                    first_rows=table.first_rows + rows,
                    end_rows=table.end_rows + rows,
                    row_rules=table.row_rules + rules,
                )
            )
            rows += len(table.row_starts)
            rules += len(table.rules)
        self._joined = ModuleTable._make(map(np.concatenate, zip(*tables, strict=True)))
        self._new.clear()


def _seen() -> tuple[Words, Words]:
    """Nothing: address 0 stands in all places but its own."""
    addresses = np.zeros(_SEEN, dtype=np.int64)
    addresses[0] = 1
    return addresses, np.zeros(_SEEN, dtype=np.int64)


def _machine(layout: Layout) -> Words:
    """By `Machine`."""
    architecture = layout.architecture
    if architecture is None:
        return np.zeros(8, dtype=np.int64)
    return _signed(
        [
            architecture.SP,
            architecture.FP,
            architecture.CFA_TO_SP,
            int(architecture.LINK_REGISTER is not None),
            *architecture.CODE,
            int(layout.byte_order == "big"),
        ]
    )


def _signed(values: Sequence[int]) -> Words:
    return np.array([value & ADDRESS_MASK for value in values], dtype=np.uint64).view(np.int64)
