"""What can be written: the versions' dialects, and what each of them cannot say.

Sections 2, 3 and 6 of the format description. V2 is two: as binutils 2.41 to 2.44 wrote it,
and with errata 1 and 2, which gave start offsets that count from their own field and a mark
for the outermost function. Readers tell them apart by the flag of the first.
"""

from dataclasses import dataclass
from enum import Enum

from stackweave.core.sframe.constants import Abi, Version
from stackweave.core.sframe.symbols import SymbolTable


class Dialect(Enum):
    """A version, as a family of tools writes it."""

    V1 = "v1"
    V2 = "v2"
    V2_PCREL = "v2-pcrel"
    V3 = "v3"

    @property
    def version(self) -> Version:
        return {Dialect.V1: Version.V1, Dialect.V3: Version.V3}.get(self, Version.V2)

    @property
    def is_pcrel(self) -> bool:
        """Start offsets count from their own field, not from the section."""
        return self in (Dialect.V2_PCREL, Dialect.V3)

    @property
    def marks_outermost(self) -> bool:
        """A row without words says that the return address is undefined."""
        return self in (Dialect.V2_PCREL, Dialect.V3)

    def describes(self, abi: Abi) -> bool:
        """Whether the ABI has a number in it."""
        return abi is not Abi.S390X_ENDIAN_BIG or self.marks_outermost


class Reason(Enum):
    """Why something cannot be expressed."""

    FLEXIBLE = "the rule needs a flexible row"
    CODED_REGISTER = "a value is kept in a register"
    FP_WITHOUT_RA = "the frame pointer is saved and the return address is not"
    OFFSET = "an offset has no coding"
    SIGNAL_FRAME = "signal frames cannot be marked"
    OUTERMOST = "an undefined return address cannot be marked"
    NO_ROWS = "without rows it would read as the outermost function"
    REPEAT_SIZE = "rows repeat after 16 bytes only"
    ROW_COUNT = "at most 65535 rows"
    DISTANCE = "too far from the section"
    SIZE = "longer than 4 GiB"
    FRAME_POINTER_FLAG = "no flag for code that keeps the frame pointer"
    CALL_FRAME = "call frame information without counterpart"
    MALFORMED = "call frame information that cannot be read"


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that was left out, and why."""

    start: int | None
    """Address of the function; None: it is about the section, or nobody can tell."""
    size: int
    """Bytes of code that are no longer described."""
    reason: Reason
    detail: str

    def told(self, symbols: SymbolTable | None = None) -> str:
        """A line for people, with the function's name if the symbols have it."""
        symbol = symbols.find(self.start) if symbols and self.start is not None else None
        name = f" {symbol.name}" if symbol else ""
        where = "section" if self.start is None else f"function{name} at {self.start:#x}"
        return f"{where}: {self.reason.value}" + (f": {self.detail}" if self.detail else "")


class Inexpressible(Exception):
    """A function that a dialect cannot describe; becomes a `Loss`."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
