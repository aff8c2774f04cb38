"""A captured stack: registers and the bytes around the stack pointer, as a profiler copies them."""

import struct
from dataclasses import dataclass
from typing import Final

from stackweave.core.sframe.address_space import AddressSpace
from stackweave.core.sframe.rules import Registers
from stackweave.core.sframe.unwind import Backtrace, Unwinder

_WORD: Final = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class StackDump:
    """One thread's user side at one moment."""

    registers: Registers
    base: int
    """Address of the first captured byte."""
    stack: bytes

    def read(self, address: int) -> int | None:
        """The word at `address`, or None outside the captured bytes."""
        offset = address - self.base
        if offset < 0 or offset + 8 > len(self.stack):
            return None
        word: int = _WORD.unpack_from(self.stack, offset)[0]
        return word

    def unwind(self, space: AddressSpace) -> Backtrace:
        """The backtrace through the modules of `space`."""
        return Unwinder(self.read, space.find_module, space.is_code).unwind(self.registers)
