"""One exception for SFrame data, one for the ELF around it, one for what cannot be written."""

from enum import Enum


class ErrorKind(Enum):
    """Why SFrame data was refused."""

    BAD_MAGIC = "bad magic"
    BAD_VERSION = "unknown version"
    TRUNCATED = "truncated"
    INCONSISTENT = "inconsistent"
    UNSUPPORTED = "unsupported"


class SFrameError(Exception):
    """SFrame data that cannot be read: `field`, at byte `offset` of the section, says `detail`."""

    def __init__(self, kind: ErrorKind, offset: int, field: str, detail: str) -> None:
        super().__init__(f"{kind.value} SFrame data: {field} at offset {offset:#x}: {detail}")
        self.kind = kind
        self.offset = offset
        self.field = field
        self.detail = detail


class ElfError(Exception):
    """An ELF file or core that cannot be used; the message names the file and the cause."""


class EncodeError(Exception):
    """A caller asked for a section that the format cannot hold; the message says what."""


class DumpError(Exception):
    """A perf.data file or stack dump that cannot be used; the message names the cause."""
