"""The names of perf_event.h and of perf.data, as far as the reader needs them."""

from enum import IntEnum, IntFlag
from typing import Final

MAGIC: Final = b"PERFILE2"
"""The first bytes of a file written in little-endian order; the other order reverses them."""


class RecordType(IntEnum):
    """Kinds of records: the kernel's, and from 64 on those of the tool."""

    MMAP = 1
    LOST = 2
    COMM = 3
    EXIT = 4
    FORK = 7
    SAMPLE = 9
    MMAP2 = 10
    LOST_SAMPLES = 13
    CALLCHAIN_DEFERRED = 22

    HEADER_ATTR = 64
    TRACING_DATA = 66
    HEADER_BUILD_ID = 67
    FINISHED_ROUND = 68
    AUXTRACE = 71
    EVENT_UPDATE = 78
    HEADER_FEATURE = 80
    COMPRESSED = 81
    COMPRESSED2 = 83


FIRST_TOOL_RECORD: Final = 64


class Misc(IntFlag):
    """Bits of a record's header; some mean something in one kind of record only."""

    CPUMODE_MASK = 7
    KERNEL = 1
    MMAP_DATA = 1 << 13
    """MMAP, MMAP2: not executable."""
    COMM_EXEC = 1 << 13
    """COMM: the name came with a new program."""
    FORK_EXEC = 1 << 13
    """FORK: made by perf for a task that already ran; it has mappings of its own."""
    MMAP_BUILD_ID = 1 << 14
    """MMAP2: the file's build id stands where its device and inode would."""
    BUILD_ID_SIZE = 1 << 15
    """HEADER_BUILD_ID: the entry holds the length of its build id."""


class SampleType(IntFlag):
    """What a sample holds; its fields stand in the order of `sample`, not in that of the bits."""

    IP = 1 << 0
    TID = 1 << 1
    TIME = 1 << 2
    ADDR = 1 << 3
    READ = 1 << 4
    CALLCHAIN = 1 << 5
    ID = 1 << 6
    CPU = 1 << 7
    PERIOD = 1 << 8
    STREAM_ID = 1 << 9
    RAW = 1 << 10
    BRANCH_STACK = 1 << 11
    REGS_USER = 1 << 12
    STACK_USER = 1 << 13
    IDENTIFIER = 1 << 16


class ReadFormat(IntFlag):
    """What a counter's value is followed by."""

    TOTAL_TIME_ENABLED = 1
    TOTAL_TIME_RUNNING = 2
    ID = 4
    GROUP = 8
    LOST = 16


BRANCH_HW_INDEX: Final = 1 << 17
BRANCH_COUNTERS: Final = 1 << 19
"""Bits of branch_sample_type that add words to a branch stack."""


class Context(IntEnum):
    """Marks in a callchain: what the addresses behind one are."""

    KERNEL = (1 << 64) - 128
    USER = (1 << 64) - 512
    USER_DEFERRED = (1 << 64) - 640
    """Behind it stands a cookie: the user's part comes in a record of its own."""
    MAX = (1 << 64) - 4095
    """No mark is lower."""


class RegisterAbi(IntEnum):
    """Whose registers a sample holds."""

    NONE = 0
    BITS_32 = 1
    BITS_64 = 2


class Feature(IntEnum):
    """Sections behind the data that the reader looks at."""

    BUILD_ID = 2
    HOSTNAME = 3
    OSRELEASE = 4
    VERSION = 5
    ARCH = 6
    CMDLINE = 11
    EVENT_DESC = 12
    COMPRESSED = 27


EVENT_UPDATE_NAME: Final = 2
"""EVENT_UPDATE: the event's name follows."""

PROT_EXEC: Final = 4
KERNEL_PID: Final = 0xFFFFFFFF
"""pid of the mappings that are the kernel's own."""
