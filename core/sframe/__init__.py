"""The SFrame format: decoding, look-up and unwinding, useful without the emulator.

    from stackweave.core.sframe import CoreFile, Module
    core = CoreFile.open("my.core", [Module.open("my-program")])
    print([core.unwind(thread) for thread in core.threads])

Layers, each knowing only those before it: `constants`, `errors`; `header`, `decode` (bytes to
rows); `rules` and one module per ABI, `amd64`, `aarch64`, `s390x` (rows to equations); `elf`;
`architectures` (which ABI is which); `lookup` (address to rule); `debug_file`, `plt`, `symbols`,
`demangle` (names); `relocate`, `module` (a linked file); `unwind` (frame to frame, memory passed in);
`address_space`, `choose`, `dump`, `core_file`, `packed`, `dump_file`, `capture`, `perf` (where
registers and memory come from).

And back, from rules to bytes: `dialect` (what can be written), `words` (equations to rows),
`contents`, `encode` (rows to bytes), `convert` (version to version), `cfi`, `cfi_rows`,
`eh_frame` (sections made from a program's own unwind tables).

For people: `describe_*` (what there is, in words and figures), `checking` and `checking_*` (what
is wrong with it).
"""

from stackweave.core.sframe.address_space import AddressSpace, FileMapping
from stackweave.core.sframe.core_file import CoreFile, CoreThread
from stackweave.core.sframe.dump import StackDump
from stackweave.core.sframe.errors import ElfError, ErrorKind, SFrameError
from stackweave.core.sframe.lookup import SFrameSection
from stackweave.core.sframe.module import LoadedModule, Module
from stackweave.core.sframe.rules import Registers
from stackweave.core.sframe.unwind import Backtrace, Frame, StopReason, Unwinder, UnwindType

__all__ = [
    "AddressSpace",
    "Backtrace",
    "CoreFile",
    "CoreThread",
    "ElfError",
    "ErrorKind",
    "FileMapping",
    "Frame",
    "LoadedModule",
    "Module",
    "Registers",
    "SFrameError",
    "SFrameSection",
    "StackDump",
    "StopReason",
    "UnwindType",
    "Unwinder",
]
