"""What `check` looks for, one line a rule: its name, how bad it is, who says so, what it means.

A violation contradicts the specification: readers may refuse the section or read something
else. What is suspicious is legal but was a mistake wherever it has been seen, or is beyond
what many readers take. The profile of the kernel adds what its reader refuses besides.

References are chapters of the SFrame format's document (libsframe/doc/sframe-spec.texi of
binutils), functions of kernel/unwind/sframe.c at 3231d5c571fa, or where the thing was seen.
"""

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How bad a finding is."""

    VIOLATION = "violation"
    SUSPICIOUS = "suspicious"


class Profile(Enum):
    """Whose rules are applied."""

    SPECIFICATION = "specification"
    KERNEL = "kernel"
    """The specification's and those of the kernel's reader."""


_PREAMBLE = "SFrame Preamble"
_HEADER = "SFrame Header"
_ABI = "SFrame ABI/arch identifier"
_FDE = "SFrame Function Descriptor Entries"
_FDE_INFO = "The SFrame FDE info word"
_FDE_TYPES = "The SFrame FDE types"
_FRE_TYPES = "The SFrame FRE types"
_FRE = "SFrame Frame Row Entries"
_FRE_INFO = "The SFrame FRE info word"
_SECTION = "SFrame section"
_V, _S = Severity.VIOLATION, Severity.SUSPICIOUS


class Rule(Enum):
    """One thing that is looked for: its name, severity, reference and meaning."""

    HEADER_CUT = ("header-cut", _V, _HEADER, "the section ends inside a header")
    MAGIC = ("magic", _V, _PREAMBLE, "no magic number where a header should be")
    VERSION = ("version", _V, _PREAMBLE, "a version that does not exist")
    FLAGS = ("flags", _V, _PREAMBLE, "flags that the version does not define")
    ABI = ("abi", _V, _ABI, "an ABI that does not exist")
    BYTE_ORDER = ("byte-order", _V, _ABI, "an ABI of the other byte order")
    MACHINE = ("machine", _V, _ABI, "an ABI other than the file's, or than another header's")
    FDE_AREA = ("fde-area", _V, _HEADER, "the descriptors do not lie before the rows")
    FRE_AREA = ("fre-area", _V, _HEADER, "the rows end behind the section")
    FRE_COUNT = ("fre-count", _V, _HEADER, "the header counts other rows than the functions")
    FRE_ROOM = ("fre-room", _V, _HEADER, "the header counts more rows than there is room for")
    AUXILIARY = ("auxiliary", _S, _HEADER, "an auxiliary header, which no ABI defines")
    FIXED_OFFSETS = ("fixed-offsets", _S, _HEADER, "fixed offsets that no tool writes for the ABI")
    UNUSED_BYTES = ("unused-bytes", _S, _HEADER, "bytes that belong to no function")
    TRAILING = ("trailing", _S, _HEADER, "bytes behind the last header's data that are not zero")
    SEVERAL_HEADERS = (
        "several-headers",
        _S,
        _SECTION,
        "tables one behind the other, as lld leaves them: many readers see the first only",
    )
    ALIGNMENT = ("alignment", _S, _SECTION, "a header at an address that eight does not divide")
    PCREL_CLEAR = (
        "pcrel-clear",
        _S,
        "SFrame V2 erratum 1",
        "start offsets count from the section, as binutils up to 2.44 wrote them",
    )
    NO_FUNCTIONS = ("no-functions", _S, _FDE, "a header without functions")

    SORTED = ("sorted", _V, _PREAMBLE, "FDE_SORTED is set, the functions are not sorted")
    UNSORTED = (
        "unsorted",
        _S,
        _PREAMBLE,
        "FDE_SORTED is clear in a linked file: readers that bisect refuse it",
    )
    FRE_OFFSET = ("fre-offset", _V, _FDE, "rows outside the rows' sub-section")
    FRE_TYPE = ("fre-type", _V, _FRE_TYPES, "an unknown width of row starts")
    FDE_TYPE = ("fde-type", _V, _FDE_TYPES, "an unknown kind of rows")
    REPEAT_ZERO = ("repeat-zero", _V, _FDE_TYPES, "rows that repeat after zero bytes")
    REPEAT_UNUSED = ("repeat-unused", _S, _FDE_TYPES, "a repeat size, but rows do not repeat")
    INFO_BITS = ("info-bits", _S, _FDE_INFO, "bits without meaning are set")
    PADDING = ("padding", _S, _FDE, "bytes that only fill up are not zero")
    ROWS_CLAIMED = ("rows-claimed", _V, _FDE, "more rows than there is room for")
    SIZE_ZERO = ("size-zero", _S, _FDE, "a function of no bytes")
    OVERLAP = ("overlap", _S, _FDE, "a function that begins inside another")
    NO_ROWS = ("no-rows", _S, _FDE, "a function that says nothing")
    SHARED_ROWS = ("shared-rows", _S, _FDE, "rows that overlap another function's")
    OUTSIDE_TEXT = ("outside-text", _S, _FDE, "a function that is not in executable code")
    OUTERMOST_MISSING = (
        "outermost-missing",
        _S,
        "SFrame V2 erratum 2; binutils up to 2.44, clang 23",
        "the entry point has no undefined return address, so readers find a caller that is none",
    )
    PLT_ENTRY = (
        "plt-entry",
        _S,
        "ld of binutils 2.40 (.plt, .plt.sec with IBT), 2.44 and 2.47.50 (.plt.got)",
        "a PLT entry's rule is not that of its code: CFA = SP + 8, and SP + 16 once it has pushed",
    )

    ROW_CUT = ("row-cut", _V, _FRE, "a row ends behind the rows' sub-section")
    WORD_SIZE = ("word-size", _V, _FRE_INFO, "an unknown width of words")
    ROW_ORDER = ("row-order", _V, _FRE, "a row does not begin behind the one before")
    ROW_RANGE = ("row-range", _V, _FRE, "a row begins behind the function")
    ROW_WORDS = ("row-words", _V, _FRE, "words that make no rule")
    ROW_NEVER = ("row-never", _S, _FRE, "a row that holds for no address")
    FIRST_ROW = ("first-row", _S, _FRE, "the function begins before its first row")
    OUTERMOST_BITS = ("outermost-bits", _S, _FRE_INFO, "a row without words, but with other bits")
    OUTERMOST_EARLY = (
        "outermost-early",
        _S,
        "SFrame V2 erratum 2",
        "a row without words, which means nothing before that erratum",
    )
    CONTROL = ("control", _S, "SFrame FDE type FLEX", "a control word's bit without meaning is set")
    PADDING_LAST = (
        "padding-last",
        _S,
        "SFrame FDE type FLEX",
        "a flexible row that ends with padding, which the kernel's reader refuses",
    )
    STALE_FP = (
        "stale-fp",
        _S,
        "GCC's call frame information of realigned stacks",
        "the frame pointer is read from where it points, in a row that counts from SP: the epilogue"
        " has restored it already",
    )
    REGISTER = ("register", _S, _ABI, "a register that the ABI does not have")

    ABSENT = ("absent", _S, _SECTION, "no SFrame data in the file")
    EMPTY = ("empty", _S, _SECTION, "a .sframe without bytes")
    NOT_LOADED = ("not-loaded", _S, _SECTION, "a .sframe that is not loaded")
    SEGMENT_MISSING = (
        "segment-missing",
        _S,
        _SECTION,
        "no PT_GNU_SFRAME, by which processes find the data",
    )
    SEGMENT_ELSEWHERE = ("segment-elsewhere", _S, _SECTION, "PT_GNU_SFRAME is not at the section")
    SEGMENT_LONGER = (
        "segment-longer",
        _S,
        "ld of binutils 2.47.50",
        "PT_GNU_SFRAME reaches beyond the section",
    )
    UNCOVERED = ("uncovered", _S, _FDE, "code that no function of the table covers")

    KERNEL_VERSION = ("kernel-version", _V, "sframe_read_header()", "not version 3")
    KERNEL_FLAGS = ("kernel-flags", _V, "sframe_read_header()", "FDE_SORTED or PCREL is clear")
    KERNEL_AUXILIARY = ("kernel-auxiliary", _V, "sframe_read_header()", "an auxiliary header")
    KERNEL_EMPTY = ("kernel-empty", _V, "sframe_read_header()", "no functions or no rows")
    KERNEL_HEADERS = ("kernel-headers", _V, "sframe_read_header()", "only the first is read")
    KERNEL_TEXT = ("kernel-text", _V, "__read_fde()", "a function that is not in executable code")
    KERNEL_ORDER = (
        "kernel-order",
        _V,
        "sframe_validate_section()",
        "functions not strictly in order",
    )
    KERNEL_WORDS = ("kernel-words", _V, "__read_fre_datawords()", "left-over words")

    def __init__(self, label: str, severity: Severity, reference: str, meaning: str) -> None:
        self.label = label
        self.severity = severity
        self.reference = reference
        self.meaning = meaning

    @property
    def is_kernels(self) -> bool:
        """Only the kernel's profile applies it."""
        return self.label.startswith("kernel-")


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that was broken, and where."""

    rule: Rule
    offset: int | None
    """Bytes from the section's start; None: it is about the file."""
    field: str
    detail: str
    function: int | None = None
    """Address of the function it is about."""
