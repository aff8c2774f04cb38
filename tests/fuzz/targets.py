"""Every reader of bytes from outside, with real files to begin from and what it may raise.

A target reads all that there is to read and uses it as the commands do. What comes out is held
against what must hold of any input: walks end, and what was read is what is written again.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from stackweave.core.sframe import CoreFile, ElfError, Module, SFrameError, SFrameSection
from stackweave.core.sframe.capture import captured, mappings_of
from stackweave.core.sframe.constants import Abi
from stackweave.core.sframe.contents import SectionContents, read_contents
from stackweave.core.sframe.convert import convert
from stackweave.core.sframe.dialect import Dialect
from stackweave.core.sframe.dump_file import DumpedTask, DumpFile, dump_bytes
from stackweave.core.sframe.eh_frame import from_eh_frame
from stackweave.core.sframe.elf import parse_elf
from stackweave.core.sframe.encode import encode
from stackweave.core.sframe.errors import DumpError, EncodeError
from stackweave.core.sframe.perf import PerfFile, PerfSession
from stackweave.core.sframe.unwind import DEFAULT_LIMIT

from ..sframe.recordings import OWN, linked_files, module, unxz
from ..sframe.test_cores import members
from ..sframe.test_perf_fuzz import SMALL
from .bounds import Budget
from .commands import describe_file, unwind_file

ADDRESS: Final = 0x402000
"""Where bare sections are linked."""
_PROGRAMS: Final = (
    *("v1/mini-O2", "v1/recur.o", "v2/recur", "v2/recur.o", "llvm/recur"),
    *("v3/mini-O2", "v3/mini-pie", "v3/recur.o", "v3/flexasm", "v3/edge-recur-noshdr"),
    *("v3/x86_64-mini-O2-as-v2pcrel-aux8-unsorted", "v2-aarch64/mini-O2", "v3-aarch64/mini-pac"),
    *("v3-aarch64/mini-be-O2", "v3-s390x/mini-O2", "v3-s390x/s390x-mini-O2-as-v2pcrel"),
)
_CORES: Final = (("v3", "mini"), ("v3", "zt"))
_SMALLEST_FRAME: Final = 8
"""Bytes of stack that each frame of a sound walk takes, at least."""


@dataclass(frozen=True, slots=True)
class Target:
    """One reader."""

    read: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    refusals: tuple[type[Exception], ...]
    """What it may raise."""
    budget: Budget

    def warm_up(self) -> None:
        """Read a sound file: what is imported and kept then is no input's cost."""
        self.run(self.seeds()[0])

    def run(self, data: bytes) -> None:
        """Read `data`; raises only what is a finding."""
        with suppress(*self.refusals):
            self.read(data)


def _program(name: str) -> bytes:
    return unxz(OWN / "elf" / f"{name}.xz")


def _programs() -> list[bytes]:
    return [_program(name) for name in _PROGRAMS]


def _sections_named(name: bytes) -> list[bytes]:
    images = [parse_elf(data, "seed") for data in _programs()]
    return [
        image.contents(section.offset, section.size)
        for image in images
        for section in image.sections
        if section.name == name
    ]


def _cores() -> list[bytes]:
    archives = [OWN / "cores" / tag / f"{name}.tar.xz" for tag, name in _CORES]
    found = [d for a in archives for n, d in members(a).items() if n.endswith(".core")]
    return sorted(found, key=len)[:4]


def _read_section(data: bytes) -> None:
    """Every entry, every row, and a look-up at every function's beginning."""
    section = SFrameSection(data, ADDRESS)
    for table in section.tables:
        for start, size in zip(table.starts, table.sizes, strict=True):
            with suppress(SFrameError):
                section.rule_at(start)
            with suppress(SFrameError):
                section.rule_at(start + max(0, size - 1))


def _rewrite(data: bytes) -> None:
    """What is read is what is written again; other dialects can be read, too."""
    contents = read_contents(data, ADDRESS)
    with suppress(EncodeError):
        again = read_contents(encode(contents), ADDRESS)
        assert again == contents, "what was written reads differently"
    for dialect in Dialect:
        with suppress(EncodeError, SFrameError):
            _read_again(convert(contents, dialect)[0])


def _read_again(contents: SectionContents) -> None:
    """What was laid out anew is written and read without loss."""
    written = encode(contents)
    assert read_contents(written, contents.address) == contents, "a conversion reads differently"


def _read_program(data: bytes) -> None:
    found = Module.parse(data, "hostile")
    for symbol in (0, ADDRESS, 1 << 63):
        found.symbols.find(symbol)
        found.is_code(symbol)
        found.read_constant(symbol, 8)
    assert found.build_id is None or isinstance(found.build_id, bytes)
    if found.sframe is not None:
        for table in found.sframe.tables:
            for start in table.starts:
                with suppress(SFrameError):
                    found.sframe.rule_at(start)


def _read_eh_frame(data: bytes) -> None:
    """One byte chooses the ABI, the rest is the section."""
    abi = [*Abi][data[0] % len(Abi)] if data else Abi.AMD64_ENDIAN_LITTLE
    for dialect in (Dialect.V2_PCREL, Dialect.V3):
        with suppress(EncodeError):
            _read_again(from_eh_frame(data[1:], ADDRESS, abi, dialect, ADDRESS + 0x1000)[0])


def _read_core(data: bytes) -> None:
    """Every thread, captured as a stack dump, too."""
    core = CoreFile(parse_elf(data, "hostile"), _linked("v3"))
    left = len(data) // _SMALLEST_FRAME
    tasks = []
    for thread in core.threads:
        trace = core.unwind(thread)
        assert len(trace.frames) <= DEFAULT_LIMIT
        left -= len(trace.frames)
        if left < 0:
            break
        tasks.append(DumpedTask(thread.lwp, "", captured(core, thread)))
        if len(tasks) > 3:
            break
    core.absent_files()
    with suppress(DumpError):
        b"".join(dump_bytes(mappings_of(core), tasks))


def _read_dump(data: bytes) -> None:
    dump = DumpFile(data, "hostile", _linked("v3"))
    frames = 0
    for task in dump.tasks():
        limit = task.stack.most_frames
        frames += len(task.stack.unwind(dump.space, limit=limit).frames)
    assert frames <= len(data), "more frames than bytes"


def _read_perf(data: bytes) -> None:
    for merge in (True, False):
        session = PerfSession(PerfFile(data, "hostile"), _linked("v3"))
        places = sum(len(s.kernel) + len(s.user) for s in session.stacks(merge=merge))
        assert places <= len(data) or b"\x28\xb5\x2f\xfd" in data, "more places than bytes"


def _perf_sessions() -> list[bytes]:
    recorded = unxz(OWN / "perf" / "v3" / "mini.data.xz")
    deferred = unxz(Path(OWN).parent / "perf" / "p1_churn3.data.xz")
    return [SMALL.as_file(), SMALL.as_pipe(), recorded[: 1 << 16], deferred[: 1 << 15]]


def _dumps() -> list[bytes]:
    found = []
    for data in _cores():
        core = CoreFile(parse_elf(data, "seed"), _linked("v3"))
        tasks = (DumpedTask(t.lwp, "seed", captured(core, t)) for t in core.threads)
        found.append(b"".join(dump_bytes(mappings_of(core), tasks)))
    return found


@cache
def _linked(tag: str) -> tuple[Module, ...]:
    return tuple(linked_files(OWN / "elf" / tag / "x"))


def _eh_frames() -> list[bytes]:
    abis = [*Abi]
    return [
        bytes((abis.index(module(OWN / "elf" / f"{name}.xz").abi),)) + section
        for name, section in zip(_PROGRAMS, _sections_of_each(b".eh_frame"), strict=True)
    ]


def _sections_of_each(name: bytes) -> list[bytes]:
    """Of each program; none is empty."""
    found = []
    for data in _programs():
        image = parse_elf(data, "seed")
        section = next((s for s in image.sections if s.name == name), None)
        found.append(image.contents(section.offset, section.size) if section else b"\0")
    return found


TARGETS: Final = {
    "section": Target(
        _read_section, lambda: _sections_named(b".sframe"), (SFrameError,), Budget(100, 200)
    ),
    "rewrite": Target(
        _rewrite, lambda: _sections_named(b".sframe"), (SFrameError,), Budget(400, 400)
    ),
    "program": Target(_read_program, _programs, (ElfError, SFrameError), Budget(100, 200)),
    "eh-frame": Target(_read_eh_frame, _eh_frames, (), Budget(400, 300)),
    "core": Target(_read_core, _cores, (ElfError,), Budget(100, 200)),
    "dump": Target(_read_dump, _dumps, (DumpError,), Budget(100, 200)),
    "perf": Target(_read_perf, _perf_sessions, (DumpError,), Budget(100, 200)),
    "sframe-command": Target(describe_file, _programs, (), Budget(1000, 300)),
    "unwind-command": Target(
        unwind_file, lambda: [*_cores(), *_perf_sessions(), *_dumps()], (), Budget(400, 200)
    ),
}
"""By name; the corpus in `data/sframe/fuzz` is named for them."""
