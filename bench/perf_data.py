"""A long perf.data in which perf's unwinder and ours have the same to do.

The samples are those of a single-stepped Lua, one at nearly every distinct instruction, over and over; each with
the stack from SP upwards, as the kernel copies it, and 8 KiB of it at most. Only Lua itself is
there: its frames are unwound to the last, and both stop at the C library, which neither finds.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from stackweave.core.sframe import AddressSpace, Module, StackDump
from stackweave.core.sframe.perf.constants import RecordType

sys.path.insert(0, str(Path(__file__).parent.parent))  # the recordings are the tests'
from tests.sframe.perf_made import Made, Session
from tests.sframe.recordings import OWN, REGISTER_NAMES, elf_path, module, recording, unxz
from tests.sframe.test_perf_machines import AMD64, as_copied

_PID: Final = 4321
_STACK: Final = 8192
"""Bytes that `perf record --call-graph dwarf` asks for."""
_ROUND: Final = 1000
"""Samples between two marks of the end of a round."""


@dataclass(frozen=True)
class Recorded:
    """A program and its samples."""

    program: Module
    elf: bytes
    space: AddressSpace
    dumps: list[StackDump]


def recorded() -> Recorded:
    """Lua's."""
    path = OWN / "steps" / "v2" / "lua.jsonl.xz"
    elf = elf_path(path, "lua")
    program = module(elf)
    samples = recording(path).samples
    mappings = samples[0].space.mappings
    space = AddressSpace(
        mappings, {each.path: program for each in mappings if each.basename == "lua"}
    )
    dumps = [as_copied(sample.dump) for sample in samples]
    short = [replace(dump, stack=dump.stack[:_STACK]) for dump in dumps]
    return Recorded(program, unxz(elf), space, short)


def write(path: Path, source: Recorded, rounds: int) -> Path:
    """The samples so many times; the path of the program, which lies beside the file."""
    elf = path.with_name("lua")
    elf.write_bytes(source.elf)
    made = Made()
    session = Session(made)
    for mapping in source.space.mappings:
        place = (mapping.low, mapping.high - mapping.low, mapping.offset)
        path_shown = str(elf) if mapping.basename == elf.name else f"/nowhere{mapping.path}"
        session.records.append(made.mmap2(_PID, place, path_shown.encode()))
    session.records.append(made.comm(_PID, _PID, b"lua"))
    session.records.extend(_samples(made, source, rounds))
    path.write_bytes(session.as_file())
    return elf


def _samples(made: Made, source: Recorded, rounds: int) -> Iterator[bytes]:
    names = REGISTER_NAMES["x86_64"]
    time = 1000
    for _ in range(rounds):
        for dump in source.dumps:
            values = {name: dump.registers.others[number] for number, name in enumerate(names)}
            values["pc"] = dump.registers.pc
            registers = [values.get(name, 0x33) for name in AMD64]
            time += 1000
            ip = dump.registers.pc
            yield made.sample(_PID, time, registers=registers, stack=dump.stack, ip=ip)
            if time // 1000 % _ROUND == 0:
                yield made.record(RecordType.FINISHED_ROUND, b"")
