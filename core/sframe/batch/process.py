"""An address space as arrays: what is mapped where, which ranges hold code, and the tables of all modules."""

import numpy as np

from stackweave.core.sframe.address_space import AddressSpace
from stackweave.core.sframe.batch.arrays import ABSENT, Kind, ModuleTable, Process, Rule, Words
from stackweave.core.sframe.batch.tables import table_of
from stackweave.core.sframe.elf import PF_X
from stackweave.core.sframe.module import LoadedModule, Module
from stackweave.core.sframe.rules import ADDRESS_MASK

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


class Tables:
    """The tables of modules, each decoded once, however many processes have it."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Module, ModuleTable | None]] = {}

    def table(self, module: Module) -> ModuleTable | None:
        """Of a module; None if it has no `.sframe`."""
        known = self._known.get(id(module))
        if known is None:
            table = None
            if module.sframe is not None:
                table = table_of(module.sframe) or _RARE_TABLE
            known = self._known[id(module)] = module, table
        return known[1]

    def process(self, space: AddressSpace) -> Process:
        """All of an address space."""
        mappings = space.mappings
        shown = [space.modules.get(mapping.path) for mapping in mappings]
        modules = list({id(each): each for each in shown if each is not None}.values())
        places = {id(each): number for number, each in enumerate(modules)}
        tables = [self.table(each.module) for each in modules]
        ranges = [piece for at in range(len(mappings)) for piece in _code(space, at, shown[at])]
        ranges.sort()
        return Process._make(
            [
                _signed([mapping.low for mapping in mappings]),
                _signed([mapping.high for mapping in mappings]),
                _signed([0 if each is None else each.bias for each in shown]),
                _signed([ABSENT if each is None else places[id(each)] for each in shown]),
                _signed([low for low, _ in ranges]),
                _signed([high for _, high in ranges]),
                *_together(tables),
                _machine(space, modules),
            ]
        )


def _code(space: AddressSpace, at: int, loaded: LoadedModule | None) -> list[tuple[int, int]]:
    """The parts of a mapping that `AddressSpace.is_code` says hold code."""
    mapping = space.mappings[at]
    low, high = mapping.low, mapping.high
    if at + 1 < len(space.mappings):
        high = min(high, space.mappings[at + 1].low)
    if loaded is None:
        return [(low, high)] if low < high else []
    found = []
    loads = loaded.module.loads
    for number, load in enumerate(loads):
        end = load.address + load.memory_size
        if number + 1 < len(loads):
            end = min(end, loads[number + 1].address)
        start, end = max(low, load.address + loaded.bias), min(high, end + loaded.bias)
        if load.flags & PF_X and start < end:
            found.append((start, end))
    return found


def _together(tables: list[ModuleTable | None]) -> list[Words]:
    """The modules' tables one after the other: first functions, has_table, and the columns of `ModuleTable`."""
    firsts, rows, rules = [0], 0, 0
    moved: list[ModuleTable] = []
    for table in tables:
        if table is not None:
            moved.append(
                table._replace(
                    first_rows=table.first_rows + rows,
                    end_rows=table.end_rows + rows,
                    row_rules=table.row_rules + rules,
                )
            )
            rows += len(table.row_starts)
            rules += len(table.rules)
        firsts.append(firsts[-1] + (0 if table is None else len(table.starts)))
    empty = np.zeros(0, dtype=np.int64)
    columns = [np.concatenate([empty, *(table[column] for table in moved)]) for column in range(7)]
    no_rules = np.zeros((0, len(Rule)), dtype=np.int64)
    return [
        _signed(firsts),
        _signed([int(table is not None) for table in tables]),
        *columns,
        np.concatenate([no_rules, *(table.rules for table in moved)]),
    ]


def _machine(space: AddressSpace, modules: list[LoadedModule]) -> Words:
    """By `Machine`."""
    architecture = space.architecture
    if architecture is None:
        return np.zeros(8, dtype=np.int64)
    return _signed(
        [
            architecture.SP,
            architecture.FP,
            architecture.CFA_TO_SP,
            int(architecture.LINK_REGISTER is not None),
            *architecture.CODE,
            int(modules[0].module.image.byte_order == "big"),
        ]
    )


def _signed(values: list[int]) -> Words:
    return np.array([value & ADDRESS_MASK for value in values], dtype=np.uint64).view(np.int64)
