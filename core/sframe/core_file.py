"""A core file: threads, mapped files and memory, with the modules that belong to it.

Linux and gdb write the same notes, in different places and amounts. Registers come from one
NT_PRSTATUS note per thread, where rules may name floating point registers also from the
NT_FPREGSET note behind it, and file mappings from NT_FILE; all are recognised by owner and type
together, because a type number means nothing alone (gdb adds its own). Memory comes from the
PT_LOAD segments. Cores leave out what the files on disk hold, so a read that the core cannot
answer goes to the module mapped there, if that part of it is read-only.

A module belongs to a mapped file if the build ids agree; where one side has none, if the names
do. The core's side of the build id is read from the file's first page, which cores keep.

A truncated core gives what is there; `missing` says what is not.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from stackweave.core.sframe.address_space import AddressSpace, FileMapping
from stackweave.core.sframe.architectures import ARCHITECTURES, abi_of
from stackweave.core.sframe.choose import Chooser
from stackweave.core.sframe.elf import (
    ET_CORE,
    PF_X,
    PT_LOAD,
    PT_NOTE,
    ByteOrder,
    ElfImage,
    Note,
    Segment,
    build_id,
    map_file,
    parse_elf,
)
from stackweave.core.sframe.errors import ElfError
from stackweave.core.sframe.module import Module
from stackweave.core.sframe.rules import Architecture, ReadWord, Registers
from stackweave.core.sframe.unwind import Backtrace, Unwinder, UnwindType

_OWNER: Final = b"CORE"
_NT_PRSTATUS: Final = 1
_NT_FPREGSET: Final = 2
_NT_FILE: Final = 0x46494C45
_LWP_AT: Final = 32
_WORD_SIZE: Final = 8
_PAGE: Final = 0x1000
_FIRST_PAGES: Final = 0x2000
"""Bytes of a mapped file's beginning to search for its build id."""


@dataclass(frozen=True, slots=True)
class CoreThread:
    """One thread of the dumped process."""

    lwp: int
    registers: Registers


class CoreFile:
    """A dumped process, ready to unwind."""

    def __init__(self, image: ElfImage, modules: Iterable[Module] = ()) -> None:
        """Take a parsed core and the files it may have mapped; raises `ElfError`."""
        if image.kind != ET_CORE:
            raise ElfError(f"{image.name}: not a core file")
        self.abi = abi_of(image)
        self.architecture = ARCHITECTURES[self.abi]
        self.image = image
        notes = [note for note in image.notes() if note.owner == _OWNER]
        self.threads = tuple(_threads(notes, self.architecture, image.byte_order))
        files = next((note.contents for note in notes if note.type == _NT_FILE), None)
        self.mappings = tuple(_file_mappings(files or b"", image.byte_order))
        self._loads = sorted(
            (s for s in image.segments if s.type == PT_LOAD), key=lambda load: load.address
        )
        self._lows = [load.address for load in self._loads]
        self.missing = (*image.missing, *self._missing(files is None))
        """What the core should hold and does not, for people."""
        self._build_ids: dict[int, bytes | None] = {}
        self.chooser = Chooser(modules)
        self.space = AddressSpace(self.mappings, self._choose())

    @classmethod
    def open(cls, path: Path | str, modules: Iterable[Module] = ()) -> "CoreFile":
        """Map the core at `path`; raises `ElfError`."""
        path = Path(path)
        return cls(parse_elf(map_file(path), path.name), modules)

    def unwind(
        self, thread: CoreThread, types: tuple[UnwindType, ...] = (UnwindType.SFRAME,)
    ) -> Backtrace:
        """The backtrace of one thread, by the given types."""
        unwinder = Unwinder(
            self.read, self.space.find_module, self.is_code, self.architecture, types
        )
        return unwinder.unwind(thread.registers)

    def read(self, address: int) -> int | None:
        """The word at `address`, from the core or a mapped file; None if neither has it."""
        data = self.read_bytes(address, _WORD_SIZE)
        return None if data is None else int.from_bytes(data, self.image.byte_order)

    def read_bytes(self, address: int, size: int) -> bytes | None:
        """`size` bytes at `address`; None unless all are there."""
        load = self._load(address)
        if load is not None and address + size <= load.address + load.file_size:
            data = self.image.contents(load.offset + address - load.address, size)
            if len(data) == size:
                return data
        return self.space.read_constant(address, size)

    def is_code(self, address: int) -> bool:
        """Whether the address lies in executable memory, as far as the core says."""
        load = self._load(address)
        return bool(load.flags & PF_X) if load is not None else self.space.is_code(address)

    def absent_files(self) -> tuple[str, ...]:
        """Paths of mapped files for which no module was given."""
        return self.space.absent_files()

    def _load(self, address: int) -> Segment | None:
        found = bisect_right(self._lows, address) - 1
        if found < 0:
            return None
        load = self._loads[found]
        return load if address < load.address + load.memory_size else None

    def _missing(self, no_files: bool) -> Iterator[str]:
        size = len(self.image.data)
        cut = sum(
            min(s.file_size, max(0, s.offset + s.file_size - size)) for s in self.image.segments
        )
        if cut:
            yield f"{cut} bytes behind the end of the file"
        if not any(s.type == PT_NOTE for s in self.image.segments):
            yield "notes"
        if not self.threads:
            yield "threads (no NT_PRSTATUS note)"
        if no_files:
            yield "file mappings (no NT_FILE note)"

    def _choose(self) -> dict[str, Module]:
        """The module of each mapped file, by its path."""
        first = {mapping.path: mapping for mapping in reversed(self.mappings)}
        chosen = {
            mapping.path: self.chooser.choose(mapping.basename, self._build_id(mapping), self.abi)
            for mapping in reversed(first.values())
        }
        return {path: module for path, module in chosen.items() if module is not None}

    def _build_id(self, mapping: FileMapping) -> bytes | None:
        """The build id of a mapped file, from its first page in the core.

        Each page of the core is looked at once, however many files a hostile core shows there.
        """
        load = self._load(mapping.low)
        if load is None or mapping.offset:
            return None
        start = load.offset + mapping.low - load.address
        page = start // _PAGE
        if page not in self._build_ids:
            size = min(_FIRST_PAGES, load.address + load.file_size - mapping.low)
            first_pages = self.image.contents(start, max(0, size))
            self._build_ids[page] = _build_id_in(first_pages, mapping.path)
        return self._build_ids[page]


def _build_id_in(first_pages: bytes, path: str) -> bytes | None:
    try:
        return build_id(parse_elf(first_pages, path))
    except ElfError:
        return None


def _threads(
    notes: Iterable[Note], architecture: Architecture, byte_order: ByteOrder
) -> Iterator[CoreThread]:
    """One thread per NT_PRSTATUS note; the other notes behind it belong to the same thread."""
    thread: CoreThread | None = None
    for note in notes:
        read = _reader(note.contents, byte_order)
        if note.type == _NT_PRSTATUS:
            if thread is not None:
                yield thread
            layout = architecture.PRSTATUS
            registers = layout.registers_at(0, read, architecture.SP, architecture.FP)
            lwp = int.from_bytes(note.contents[_LWP_AT : _LWP_AT + 4], byte_order)
            thread = None if registers is None else CoreThread(lwp, registers)
        elif note.type == _NT_FPREGSET and thread is not None:
            floats = {number: read(at) for number, at in architecture.FPREGSET.items()}
            known = {number: word for number, word in floats.items() if word is not None}
            others = {**thread.registers.others, **known}
            thread = replace(thread, registers=replace(thread.registers, others=others))
    if thread is not None:
        yield thread


def _reader(contents: bytes, byte_order: ByteOrder) -> ReadWord:
    """Reads the words of a note, by offset."""

    def read(at: int) -> int | None:
        word = contents[at : at + _WORD_SIZE]
        return int.from_bytes(word, byte_order) if len(word) == _WORD_SIZE else None

    return read


def _file_mappings(contents: bytes, byte_order: ByteOrder) -> Iterator[FileMapping]:
    """NT_FILE: count, page size, (start, end, offset in pages) of each, then the names."""
    order = "<" if byte_order == "little" else ">"
    if len(contents) < 16:
        return
    count, page_size = struct.unpack_from(f"{order}QQ", contents)
    file_range = struct.Struct(f"{order}QQQ")
    if count > (len(contents) - 16) // file_range.size:
        return
    ranges_end = 16 + count * file_range.size
    names = contents[ranges_end:].split(b"\0")
    ranges = file_range.iter_unpack(memoryview(contents)[16:ranges_end])
    for (low, high, offset), name in zip(ranges, names, strict=False):
        yield FileMapping(low, high, offset * page_size, name.decode("utf-8", "backslashreplace"))
