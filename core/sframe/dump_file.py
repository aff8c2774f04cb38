"""A file of captured stacks: a small documented msgpack form for those who embed (docs/dump.md).

    from stackweave.core.sframe.dump_file import DumpedMapping, DumpedTask, dump_bytes
    with open("my.dump", "wb") as file: file.writelines(dump_bytes(mappings, tasks))

The file is a sequence of msgpack maps: first the process's file mappings, then one map per task,
so it can be written as one goes, and a cut file still gives the tasks before the cut. A file is
one process; a `StackDump` is what a task brings. Reading is bounded: no value is longer than the
limits below, and no more than one task is held.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

import msgpack

from stackweave.core.sframe.address_space import AddressSpace, FileMapping
from stackweave.core.sframe.choose import Chooser
from stackweave.core.sframe.dump import StackDump
from stackweave.core.sframe.elf import Buffer, ByteOrder
from stackweave.core.sframe.errors import DumpError
from stackweave.core.sframe.module import Module
from stackweave.core.sframe.rules import Registers

VERSION: Final = 1
MOST_MAPPINGS: Final = 1 << 16
LONGEST_STACK: Final = 1 << 22
"""Bytes."""
LONGEST_TEXT: Final = 1 << 12
"""Bytes of a path or name."""
MOST_REGISTERS: Final = 1 << 8

_MAGIC: Final = b"\xafstackweave-dump"
"""The first key, behind the byte that says how many keys there are."""
_MOST_MAPS: Final = 2
"""A task and its registers."""
_LONGEST_VALUE: Final = 2 * LONGEST_STACK
_PIECE: Final = 1 << 16
_WORD_END: Final = 1 << 64
_MALFORMED: Final = (ValueError, TypeError, msgpack.UnpackException, RecursionError)
"""What msgpack raises for bytes that it cannot or may not read."""

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class DumpedMapping:
    """A mapped file, with the build id that it had."""

    mapping: FileMapping
    build_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class DumpedTask:
    """One task's captured stack."""

    tid: int
    name: str
    stack: StackDump


def dump_bytes(mappings: Iterable[DumpedMapping], tasks: Iterable[DumpedTask]) -> Iterator[bytes]:
    """The file's bytes, a map at a time; raises `DumpError` for what it cannot hold."""
    rows = [
        (m.mapping.low, m.mapping.high, m.mapping.offset, m.mapping.path, m.build_id)
        for m in mappings
    ]
    header = {"stackweave-dump": VERSION, "mappings": tuple(rows)}
    _mappings(header)
    yield _packed(header)
    for task in tasks:
        fields = _fields(task)
        _task(fields)
        yield _packed(fields)


def is_dump(data: Buffer) -> bool:
    """Whether a file begins as one of these."""
    return bytes(data[1 : 1 + len(_MAGIC)]) == _MAGIC


class DumpFile:
    """Reads one dump."""

    def __init__(self, data: Buffer, name: str, modules: Iterable[Module] = ()) -> None:
        """Read the mappings and choose their modules; raises `DumpError`."""
        self.name = name
        self.missing: list[str] = []
        """What the file should hold and does not, as far as it was read."""
        self._objects = self._read(data)
        header = next(self._objects, None)
        if not isinstance(header, dict) or "stackweave-dump" not in header:
            raise DumpError(f"{name}: not a stack dump")
        if header["stackweave-dump"] != VERSION:
            raise DumpError(f"{name}: not a stack dump of version {VERSION}")
        mapped = self._checked(_mappings, header)
        self.chooser = Chooser(modules)
        ids = {m.mapping.path: m.build_id for m in reversed(mapped)}
        names = {m.mapping.path: m.mapping.basename for m in mapped}
        chosen = {
            path: self.chooser.choose(names[path], build_id, None) for path, build_id in ids.items()
        }
        self.space = AddressSpace(
            (m.mapping for m in mapped), {path: m for path, m in chosen.items() if m is not None}
        )

    def tasks(self) -> Iterator[DumpedTask]:
        """The tasks that are wholly there; raises `DumpError` at one that is none."""
        for fields in self._objects:
            yield self._checked(_task, fields)

    def absent_files(self) -> tuple[str, ...]:
        """Paths of mapped files for which no module was given."""
        return self.space.absent_files()

    def _read(self, data: Buffer) -> Iterator[object]:
        """The file's values, one after the other."""
        maps = _Maps()
        unpacker = msgpack.Unpacker(
            read_size=_PIECE,
            use_list=False,
            object_pairs_hook=maps.take,
            strict_map_key=False,
            max_str_len=LONGEST_TEXT,
            max_bin_len=LONGEST_STACK,
            max_array_len=MOST_MAPPINGS,
            max_map_len=MOST_REGISTERS,
            max_ext_len=0,
        )
        at = whole = 0
        try:
            while True:
                try:
                    value = unpacker.unpack()
                except msgpack.OutOfData:
                    if at >= len(data):
                        break
                    if at - whole > _LONGEST_VALUE:
                        raise ValueError(f"a value of more than {_LONGEST_VALUE} bytes") from None
                    unpacker.feed(data[at : at + _PIECE])
                    at += _PIECE
                else:
                    maps.left, whole = _MOST_MAPS, unpacker.tell()
                    yield value
        except _MALFORMED as error:
            raise DumpError(f"{self.name}: {str(error) or type(error).__name__}") from None
        if whole < len(data):
            self.missing.append("the end of the last task")

    def _checked(self, check: Callable[[object], _Value], value: object) -> _Value:
        try:
            return check(value)
        except DumpError as error:
            raise DumpError(f"{self.name}: {error}") from None


class _Maps:
    """Makes the maps of one value, and only as many as a sound one has: an empty one is cheap to write."""

    def __init__(self) -> None:
        self.left = _MOST_MAPS

    def take(self, pairs: list[tuple[object, object]]) -> dict[object, object]:
        self.left -= 1
        if self.left < 0:
            raise ValueError("too many maps in one value")
        return dict(pairs)


def _packed(value: object) -> bytes:
    packed = msgpack.packb(value, use_bin_type=True)
    assert packed is not None
    return packed


def _fields(task: DumpedTask) -> dict[str, object]:
    registers = task.stack.registers
    return {
        "tid": task.tid,
        "name": task.name,
        "pc": registers.pc,
        "sp": registers.sp,
        "fp": registers.fp,
        "registers": dict(registers.others),
        "order": task.stack.byte_order,
        "base": task.stack.base,
        "stack": task.stack.stack,
    }


def _task(value: object) -> DumpedTask:
    """A task from its fields; raises `DumpError` if one is missing or out of range."""
    fields = _map(value, "a task")
    others = _map(fields.get("registers"), "registers")
    if len(others) > MOST_REGISTERS:
        raise DumpError(f"more than {MOST_REGISTERS} registers")
    registers = Registers(
        _word(fields, "pc"),
        _word(fields, "sp"),
        _word(fields, "fp"),
        {_number(n, "a register's number"): _word(others, n) for n in others},
    )
    stack = fields.get("stack")
    if not isinstance(stack, bytes) or len(stack) > LONGEST_STACK:
        raise DumpError(f"stack is not at most {LONGEST_STACK} bytes")
    order: ByteOrder
    match fields.get("order"):
        case "little" | "big" as order:
            dump = StackDump(registers, _word(fields, "base"), stack, order)
        case _:
            raise DumpError("order is neither little nor big")
    return DumpedTask(_word(fields, "tid"), _text(fields.get("name"), "name"), dump)


def _mappings(value: object) -> list[DumpedMapping]:
    rows = _map(value, "the header").get("mappings")
    if not isinstance(rows, tuple) or len(rows) > MOST_MAPPINGS:
        raise DumpError(f"mappings are not a list of at most {MOST_MAPPINGS}")
    return [_mapping(row) for row in rows]


def _mapping(row: object) -> DumpedMapping:
    if not isinstance(row, tuple) or len(row) != 5:
        raise DumpError("a mapping is not a list of five")
    low, high, offset = (_number(each, "a mapping's place") for each in row[:3])
    build_id = row[4]
    if build_id is not None and not (isinstance(build_id, bytes) and 0 < len(build_id) <= 64):
        raise DumpError("a build id is neither nil nor at most 64 bytes")
    return DumpedMapping(FileMapping(low, high, offset, _text(row[3], "a path")), build_id)


def _map(value: object, what: str) -> dict[object, object]:
    if not isinstance(value, dict):
        raise DumpError(f"{what} is not a map")
    return value


def _word(fields: dict[object, object], key: object) -> int:
    return _number(fields.get(key), str(key))


def _number(value: object, what: str) -> int:
    if type(value) is not int or not 0 <= value < _WORD_END:
        raise DumpError(f"{what} is not a 64-bit number")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or len(value.encode()) > LONGEST_TEXT:
        raise DumpError(f"{what} is not a text of at most {LONGEST_TEXT} bytes")
    return value
