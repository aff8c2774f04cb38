"""A captured stack: registers and the bytes around the stack pointer, as a profiler copies them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from stackweave.core.sframe.address_space import AddressSpace
from stackweave.core.sframe.rules import ReadWord, Registers
from stackweave.core.sframe.unwind import DEFAULT_LIMIT, Backtrace, Unwinder, UnwindType

_WORD_SIZE: Final = 8


@dataclass(frozen=True, slots=True)
class StackDump:
    """One thread's user side at one moment."""

    registers: Registers
    base: int
    """Address of the first captured byte."""
    stack: bytes
    byte_order: Literal["little", "big"] = "little"
    """Of the process that the stack was captured from."""

    def read(self, address: int) -> int | None:
        """The word at `address`, or None outside the captured bytes."""
        offset = address - self.base
        if offset < 0 or offset + _WORD_SIZE > len(self.stack):
            return None
        return int.from_bytes(self.stack[offset : offset + _WORD_SIZE], self.byte_order)

    @property
    def most_frames(self) -> int:
        """How many a sound walk can find."""
        return most_frames(len(self.stack))

    def reader(self, read_constant: Callable[[int, int], bytes | None]) -> ReadWord:
        """Reads the captured bytes, else by `read_constant` what a file shows at an address.

        Only files hold the code that tells a signal trampoline.
        """

        def read(address: int) -> int | None:
            word = self.read(address)
            if word is not None:
                return word
            data = read_constant(address, _WORD_SIZE)
            return None if data is None else int.from_bytes(data, self.byte_order)

        return read

    def unwind(
        self,
        space: AddressSpace,
        types: tuple[UnwindType, ...] = (UnwindType.SFRAME,),
        limit: int = DEFAULT_LIMIT,
    ) -> Backtrace:
        """The backtrace through the modules of `space`, by the given types: at most `limit` frames."""
        read = self.reader(space.read_constant)
        unwinder = Unwinder(read, space.find_module, space.is_code, space.architecture, types)
        return unwinder.unwind(self.registers, limit)


def most_frames(size: int) -> int:
    """How many a sound walk can find in so many captured bytes: one for each word.

    The topmost needs none, nor does its caller in a link register, and the step behind them
    all tells why there are no more. A trampoline whose context is itself would go on for ever.
    """
    return 3 + size // _WORD_SIZE
