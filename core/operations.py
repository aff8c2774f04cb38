"""Operations: what a protocol awaits and a driver performs.

An operation is (kind, address, a, b); its result is one value. All are 64-bit integers, except that
an emitted event, a checked signature and a mailbox's message travel as the objects they are: a driver that
needs integers interns them. Names are the kernel's (Documentation/atomic_t.txt, memory-barriers.txt).

The two low bits of a kind are its memory order, so that kinds can be compared whatever their order: those
below `POINTS` are no scheduling points and belong to the operation before them; those from
`GUARDED` on may have to wait, or change what others may do.
"""

from collections.abc import Generator
from enum import IntEnum
from types import coroutine
from typing import Final, TypeAlias

from .cint import as_u64
from .errors import ModelError
from .prng import LARGEST

Operation: TypeAlias = tuple[int, int, object, object]
"""(kind, address, a, b)."""

Step: TypeAlias = Generator[Operation, int, int]
"""The generator behind one awaited operation whose result is an integer."""


class Order(IntEnum):
    """Memory order of an operation. The sequentially consistent memory treats all alike."""

    RELAXED = 0
    ACQUIRE = 1
    RELEASE = 2
    FULL = 3


RELAXED, ACQUIRE, RELEASE, FULL = Order


class Kind(IntEnum):
    """What an operation does. The values are multiples of four: the order sits in the low bits."""

    EMIT = 0
    CHECK = 4
    PROCESSOR_ID = 8
    CHOOSE = 12

    LOAD = 16
    STORE = 20
    XCHG = 24
    CMPXCHG = 28
    FETCH_ADD = 32
    FETCH_OR = 36
    FETCH_AND = 40
    FETCH_ANDNOT = 44
    LOAD_HALF = 48
    STORE_HALF = 52
    CMPXCHG_HALF = 56
    FENCE = 60
    ALLOC = 64
    FREE = 68

    WAIT = 72
    ACQUIRE = 76
    PAUSE = 80
    SEND = 84
    RECEIVE = 88
    TRY_SEND = 92
    ENTER = 96
    ENTER_PENDING = 100
    LEAVE = 104
    IRQ_SAVE = 108
    IRQ_RESTORE = 112
    SCHEDULE = 116
    SLEEP = 120
    MIGRATE = 124
    FORK = 128
    ENTER_ASSERTED = 132


KINDS: Final = 136
"""One more than the largest kind with its order bits."""

POINTS: Final = int(Kind.LOAD)
"""Kinds below are no scheduling points."""

GUARDED: Final = int(Kind.WAIT)
"""Kinds from here on may wait, or change which contexts are enabled."""

EMIT: Final = int(Kind.EMIT)
CHECK: Final = int(Kind.CHECK)
PROCESSOR_ID: Final = int(Kind.PROCESSOR_ID)
CHOOSE: Final = int(Kind.CHOOSE)
LOAD: Final = int(Kind.LOAD)
STORE: Final = int(Kind.STORE)
XCHG: Final = int(Kind.XCHG)
CMPXCHG: Final = int(Kind.CMPXCHG)
FETCH_ADD: Final = int(Kind.FETCH_ADD)
FETCH_OR: Final = int(Kind.FETCH_OR)
FETCH_AND: Final = int(Kind.FETCH_AND)
FETCH_ANDNOT: Final = int(Kind.FETCH_ANDNOT)
LOAD_HALF: Final = int(Kind.LOAD_HALF)
STORE_HALF: Final = int(Kind.STORE_HALF)
CMPXCHG_HALF: Final = int(Kind.CMPXCHG_HALF)
FENCE: Final = int(Kind.FENCE)
ALLOC: Final = int(Kind.ALLOC)
FREE: Final = int(Kind.FREE)
WAIT: Final = int(Kind.WAIT)
ACQUIRE_WORD: Final = int(Kind.ACQUIRE)
PAUSE: Final = int(Kind.PAUSE)
SEND: Final = int(Kind.SEND)
RECEIVE: Final = int(Kind.RECEIVE)
TRY_SEND: Final = int(Kind.TRY_SEND)
ENTER: Final = int(Kind.ENTER)
ENTER_PENDING: Final = int(Kind.ENTER_PENDING)
LEAVE: Final = int(Kind.LEAVE)
IRQ_SAVE: Final = int(Kind.IRQ_SAVE)
IRQ_RESTORE: Final = int(Kind.IRQ_RESTORE)
SCHEDULE: Final = int(Kind.SCHEDULE)
SLEEP: Final = int(Kind.SLEEP)
MIGRATE: Final = int(Kind.MIGRATE)
FORK: Final = int(Kind.FORK)
ENTER_ASSERTED: Final = int(Kind.ENTER_ASSERTED)


def kind_name(kind: int) -> str:
    """The operation's name, in lower case, without its order."""
    return Kind(kind & ~3).name.lower()


def order_of(kind: int) -> Order:
    """The memory order that a kind carries."""
    return Order(kind & 3)


@coroutine
def emit(event: object) -> Step:
    """Report an event to the monitors. It belongs to the operation just performed."""
    return (yield (EMIT, 0, event, 0))


@coroutine
def check(condition: bool, signature: str) -> Step:
    """Violation `signature` unless the condition holds. It belongs to the operation just performed."""
    if condition:
        return 1
    return (yield (CHECK, 0, signature, 0))


@coroutine
def choose(n: int) -> Step:
    """Nondeterminism other than scheduling: an integer in [0, n) that the strategy picks."""
    if not 1 <= n <= LARGEST:
        raise ModelError(f"a choice among {n}; it is among 1 to {LARGEST}")
    return (yield (CHOOSE, n, 0, 0))


@coroutine
def fence(order: Order = FULL) -> Step:
    """smp_mb(), smp_rmb() (acquire) or smp_wmb() (release)."""
    return (yield (FENCE | order, 0, 0, 0))


@coroutine
def barrier() -> Step:
    """barrier(): no memory is touched, but others may come between, as at any instruction."""
    return (yield (FENCE, 0, 0, 0))


@coroutine
def pause() -> Step:
    """cpu_relax() in a loop that retries: enabled again after another context has moved."""
    return (yield (PAUSE, 0, 0, 0))


@coroutine
def smp_processor_id() -> Step:
    """The number of the CPU that this context runs on. No scheduling point: a register, not memory."""
    return (yield (PROCESSOR_ID, 0, 0, 0))


@coroutine
def local_irq_save() -> Step:
    """Turn this CPU's interrupts off; 1 if they were on."""
    return (yield (IRQ_SAVE, 0, 0, 0))


@coroutine
def local_irq_restore(flags: int) -> Step:
    """Turn this CPU's interrupts on (1) or off (0)."""
    return (yield (IRQ_RESTORE, 0, flags, 0))


@coroutine
def schedule() -> Step:
    """Leave the CPU, still runnable; the result is the CPU that the task comes back on."""
    return (yield (SCHEDULE, 0, 0, 0))


@coroutine
def sleep_until(address: int, mask: int, value: int) -> Step:
    """Leave the CPU until (word & mask) == value; the result is the CPU that the task comes back on."""
    return (yield (SLEEP, address, mask, as_u64(value)))


@coroutine
def set_cpus_allowed(context: int, mask: int) -> Step:
    """Restrict task number `context` to the CPUs in `mask`, from its next schedule-in on."""
    return (yield (MIGRATE, context, mask, 0))


@coroutine
def wake_up_new_task(context: int) -> Step:
    """Make the declared task slot number `context` live. 1, or 0 if it already was."""
    return (yield (FORK, context, 0, 0))
