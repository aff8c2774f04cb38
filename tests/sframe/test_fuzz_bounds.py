"""Inputs made to cost more than their size explains: calls are counted, memory is measured.

Each was found by reading with an attacker's eye or by `python -m tests.fuzz`, and did cost more.
"""

import struct
from collections.abc import Callable
from typing import Final

import pytest

from stackweave.core.sframe import FileMapping, Registers, StackDump
from stackweave.core.sframe.constants import Abi
from stackweave.core.sframe.dump_file import DumpedMapping, DumpedTask, dump_bytes
from stackweave.core.sframe.perf.constants import Feature, RecordType

from ..fuzz.bounds import Budget, Excess, bounded
from ..fuzz.targets import TARGETS
from . import cfi_bytes
from .perf_made import Made, Session
from .test_perf_fuzz import _is_restorer
from .test_perf_made import MINI, PATH, STACK, TEXT

MADE: Final = Made()
AMD64: Final = bytes(([*Abi].index(Abi.AMD64_ENDIAN_LITTLE),))


def names_and_features() -> bytes:
    """Each feature of a pipe must not look at all names that came before."""
    name = MADE.pack("II", 0, 0)
    names = MADE.words(Feature.EVENT_DESC) + MADE.pack("II", 3000, 0) + name * 3000
    host = MADE.record(RecordType.HEADER_FEATURE, MADE.words(Feature.HOSTNAME) + MADE.pack("I", 0))
    records = [MADE.record(RecordType.HEADER_FEATURE, names), *[host] * 3000]
    return Session(records=records).as_pipe()


def rows_of_a_cie() -> bytes:
    """Thirty-five rows for each of five hundred functions."""
    head = cfi_bytes.cie(cfi_bytes.AMD64 + b"\x41\x0e\x10" * 35)
    functions = ((0x5000 + 64 * i, 64, b"") for i in range(500))
    return AMD64 + cfi_bytes.section(*functions, head=head)


def stacks_that_go_round() -> bytes:
    """Trampolines whose saved context is themselves, in a hundred tasks of a dump."""
    restorer = next(address for address in range(0x401000, 0x402000) if _is_restorer(address))
    context = bytearray(192)
    struct.pack_into("<3Q", context, 120, 0, 0, 0)
    struct.pack_into("<2Q", context, 160, STACK, restorer)
    stack = StackDump(Registers(restorer, STACK, 0, {}), STACK, bytes(context))
    low, size, offset = TEXT
    mapping = FileMapping(low, low + size, offset, PATH.decode())
    return b"".join(
        dump_bytes([DumpedMapping(mapping, MINI.build_id)], [DumpedTask(1, "", stack)] * 100)
    )


MADE_TO_COST: Final[dict[str, tuple[str, Callable[[], bytes]]]] = {
    "names and features": ("perf", names_and_features),
    "rows of a CIE": ("eh-frame", rows_of_a_cie),
    "stacks that go round": ("dump", stacks_that_go_round),
}


@pytest.mark.parametrize("name", MADE_TO_COST)
def test_what_is_made_to_cost_does_not(name: str) -> None:
    target, make = MADE_TO_COST[name]
    data = make()
    TARGETS[target].warm_up()
    with bounded(len(data), TARGETS[target].budget):
        TARGETS[target].run(data)


def work(calls: int, memory: int) -> None:
    def step() -> None:
        """One call."""

    for _ in range(calls):
        step()
    bytes(memory)


@pytest.mark.parametrize(
    ("calls", "memory", "message"),
    [(300_000, 0, "calls: more than .* for 10 bytes"), (0, 2 << 20, "memory: .* for 10")],
)
def test_work_and_memory_beyond_the_budget_are_found(calls: int, memory: int, message: str) -> None:
    with bounded(1 << 20, Budget(1, 2)):
        work(calls, memory)
    with pytest.raises(Excess, match=message), bounded(10, Budget(1, 1)):
        work(calls, memory)
