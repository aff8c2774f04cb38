"""A table in figures: functions and rows by kind, rules by shape, bytes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from stackweave.core.sframe.constants import FdeType, PcType
from stackweave.core.sframe.decode import Table
from stackweave.core.sframe.describe_functions import ReadFunction, ReadRow, read_functions
from stackweave.core.sframe.describe_rules import shape
from stackweave.core.sframe.elf import ElfImage
from stackweave.core.sframe.errors import SFrameError


@dataclass(slots=True)
class Statistics:
    """What a table holds."""

    functions: int = 0
    flexible: int = 0
    repeating: int = 0
    signal: int = 0
    without_rows: int = 0
    damaged: int = 0
    rows: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    """Rows by the shape of their equations."""
    row_bytes: Counter[int] = field(default_factory=Counter)
    """Rows by their length in the table."""
    start_bytes: Counter[int] = field(default_factory=Counter)
    """Rows by the width of their start."""
    word_bytes: Counter[int] = field(default_factory=Counter)
    """Rows that have words, by the width of a word."""


def statistics(tables: Sequence[Table], size: int) -> Statistics:
    """Figures of a section of `size` bytes; what is damaged is counted as such and left out."""
    figures = Statistics()
    for function in read_functions(tables, size):
        _count_function(figures, function)
        for row in function.rows:
            _count_row(figures, function, row)
    return figures


def unwind_sizes(image: ElfImage) -> dict[str, int]:
    """Bytes of the sections that unwinders read, by name, as far as the file has them."""
    names = (".sframe", ".eh_frame", ".eh_frame_hdr")
    sizes = {section.name.decode("latin-1"): section.size for section in reversed(image.sections)}
    return {name: sizes[name] for name in names if name in sizes}


def _count_function(figures: Statistics, function: ReadFunction) -> None:
    figures.functions += 1
    figures.damaged += function.is_damaged
    descriptor = function.descriptor
    if descriptor is not None:
        figures.flexible += descriptor.fde_type is FdeType.FLEX
        figures.repeating += descriptor.pc_type is PcType.MASK
        figures.signal += descriptor.is_signal_frame
        figures.without_rows += not descriptor.num_fres


def _count_row(figures: Statistics, function: ReadFunction, read: ReadRow) -> None:
    assert function.descriptor is not None
    row, start_bytes = read.row, 1 << function.descriptor.fre_type
    figures.rows += 1
    figures.start_bytes[start_bytes] += 1
    figures.row_bytes[start_bytes + 1 + row.word_size * len(row.words)] += 1
    if row.words:
        figures.word_bytes[row.word_size] += 1
    if not isinstance(read.rule, SFrameError):
        figures.rules[shape(function.table.header.abi, read.rule)] += 1
