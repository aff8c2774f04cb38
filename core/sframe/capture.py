"""A core's thread as a stack dump: its registers, and the stack that the core holds."""

from typing import Final

from stackweave.core.sframe.core_file import CoreFile, CoreThread
from stackweave.core.sframe.dump import StackDump
from stackweave.core.sframe.dump_file import LONGEST_STACK, DumpedMapping

_BELOW: Final = 128
"""The red zone: bytes below SP that a function may use, and where an epilogue's rules may point."""
_PIECE: Final = 0x1000


def captured(core: CoreFile, thread: CoreThread) -> StackDump:
    """What the core holds from just below SP upwards without a gap, up to what a dump may hold."""
    sp = thread.registers.sp
    base = sp - _BELOW if core.read_bytes(sp - _BELOW, _BELOW) is not None else sp
    pieces: list[bytes] = []
    at = base
    while at < base + LONGEST_STACK:
        end = min((at // _PIECE + 1) * _PIECE, base + LONGEST_STACK)
        piece = core.read_bytes(at, end - at)
        if piece is None:
            break
        pieces.append(piece)
        at = end
    return StackDump(thread.registers, base, b"".join(pieces), core.image.byte_order)


def mappings_of(core: CoreFile) -> tuple[DumpedMapping, ...]:
    """The core's file mappings, with the build ids of the modules that were given for them."""
    found = core.space.modules
    return tuple(
        DumpedMapping(m, found[m.path].module.build_id if m.path in found else None)
        for m in core.mappings
    )
