"""Captured programs that come with the project: real stacks for the emulator's tasks.

Each packed program holds its ELF files, where they were mapped, and several captured states:
registers, stack bytes, and the true backtrace. The truth was recorded while single-stepping
the program with a shadow stack kept from its call and return instructions, so it owes nothing
to any unwinder. It is cut at the depth that the program's SFrame data cover.

`unwind_pcs` unwinds a state with the SFrame table; a caller that compares the result with
`truth` checks the real thing. `python -m tests.sframe.pack` writes the files.
"""

import json
import lzma
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from stackweave.core.sframe.address_space import AddressSpace, FileMapping
from stackweave.core.sframe.dump import StackDump
from stackweave.core.sframe.module import Module
from stackweave.core.sframe.rules import Registers
from stackweave.core.sframe.unwind import Backtrace, Unwinder

_SUFFIX: Final = ".json.xz"


@dataclass(frozen=True, slots=True, eq=False)
class CapturedState:
    """One moment of a program; compared and hashed by identity."""

    dump: StackDump
    truth: tuple[int, ...]
    """The true pcs, innermost first, as deep as the SFrame data go."""
    space: AddressSpace = field(repr=False)
    """The program's modules."""
    _traces: dict[bool, Backtrace] = field(default_factory=dict, repr=False)
    """Backtraces already made, by whether the stack was readable."""

    def backtrace(self, *, readable: bool = True) -> Backtrace:
        """The SFrame backtrace, made once; without a readable stack, only the topmost frame."""
        trace = self._traces.get(readable)
        if trace is None:
            read = self.dump.read if readable else _fault
            unwinder = Unwinder(read, self.space.find_module, self.space.is_code)
            trace = self._traces[readable] = unwinder.unwind(self.dump.registers)
        return trace


@dataclass(frozen=True, slots=True)
class PackedProgram:
    """A program with several captured states."""

    name: str
    about: str
    """What the program is and how it was built."""
    states: tuple[CapturedState, ...]
    modules: Mapping[str, Module] = field(repr=False)


def names() -> tuple[str, ...]:
    """The packed programs, sorted."""
    found = (entry.name for entry in _folder().iterdir())
    return tuple(sorted(n.removesuffix(_SUFFIX) for n in found if n.endswith(_SUFFIX)))


@cache
def load(name: str) -> PackedProgram:
    """The packed program called `name`, decoded once; raises `KeyError` for unknown names."""
    if name not in names():
        raise KeyError(f"no packed program {name!r}; there are {', '.join(names())}")
    packed = json.loads(lzma.decompress((_folder() / f"{name}{_SUFFIX}").read_bytes()))
    modules = {n: Module.parse(b64decode(elf), n) for n, elf in packed["elf"].items()}
    space = AddressSpace((FileMapping(*mapping) for mapping in packed["mappings"]), modules)
    states = tuple(
        CapturedState(
            StackDump(
                _registers(state["pc"], state["registers"]),
                state["base"],
                bytes.fromhex(state["stack"]),
            ),
            tuple(state["truth"]),
            space,
        )
        for state in packed["states"]
    )
    return PackedProgram(name, packed["about"], states, modules)


def unwind_pcs(state: CapturedState, *, readable: bool = True) -> tuple[int, ...]:
    """The pcs of the SFrame backtrace, innermost first; memoised per state.

    With `readable` false every read of the stack faults, so only the first pc is known.
    """
    return tuple(frame.pc for frame in state.backtrace(readable=readable).frames)


def _registers(pc: int, general: list[int]) -> Registers:
    """Registers from pc and the sixteen general ones in DWARF order."""
    others = dict(enumerate(general))
    return Registers(pc, others[7], others[6], others)


def _fault(_: int) -> None:
    """Reads a stack that is not there."""


def _folder() -> Traversable:
    return files("stackweave.core.sframe") / "data"
