"""What actors say to one another. A message is a type, a tag that stands for it on the wire, and its fields.

Fields are integers, booleans and tuples of integers. A type may grow at its end: a field appended later has a
default, and a tag is never given twice. What a field may hold is declared beside it and judged where a message
becomes bytes or bytes a message, not when one is made.

Records are named after perf's (include/uapi/linux/perf_event.h, enum perf_event_type); PERF_CONTEXT_USER_DEFERRED
and PERF_RECORD_CALLCHAIN_DEFERRED came with c69993ecdd4d.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, TypeAlias, get_args


@dataclass(frozen=True, slots=True)
class Range:
    """What an integer may be, or each of a tuple's: `low` to `high`, both included."""

    low: int
    high: int


Number: TypeAlias = Annotated[int, Range(0, 2**63 - 1)]
"""Of a task, a CPU or a tracer, or how many."""

EventNumber: TypeAlias = Annotated[int, Range(-1, 2**63 - 1)]
"""The tracer whose event it hits, -1 for none."""

Cookie: TypeAlias = Annotated[int, Range(0, 2**64 - 1)]
"""Of one kernel entry; 0 is none."""

Returned: TypeAlias = Annotated[int, Range(-(2**63), 2**63 - 1)]
"""What a request returned: a negative one was refused."""

Chain: TypeAlias = Annotated[tuple[int, ...], Range(0, 2**64 - 1)]
"""User addresses, innermost first."""


@dataclass(frozen=True, slots=True)
class SystemCall:
    """To a task: make a system call."""

    TAG: ClassVar[int] = 1

    event: EventNumber


@dataclass(frozen=True, slots=True)
class Exit:
    """To a task: call exit()."""

    TAG: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class Interrupt:
    """To a CPU: a device's or timer's interrupt."""

    TAG: ClassVar[int] = 3

    event: EventNumber
    resched: bool
    """Whether it asks for another task."""


@dataclass(frozen=True, slots=True)
class Nmi:
    """To a CPU: a non-maskable interrupt."""

    TAG: ClassVar[int] = 4

    event: EventNumber


@dataclass(frozen=True, slots=True)
class Sample:
    """To a reader: a tracer's event hit a task (PERF_RECORD_SAMPLE).

    A request that was granted leaves its cookie here (PERF_CONTEXT_USER_DEFERRED) and the chain comes later; one
    that was refused has the user chain in the sample itself.
    """

    TAG: ClassVar[int] = 5

    task: Number
    cpu: Number
    cookie: Cookie
    returned: Returned
    chain: Chain


@dataclass(frozen=True, slots=True)
class Deferred:
    """To a reader: the user chain of an entry, for all samples with its cookie
    (PERF_RECORD_CALLCHAIN_DEFERRED)."""

    TAG: ClassVar[int] = 6

    task: Number
    cookie: Cookie
    chain: Chain


@dataclass(frozen=True, slots=True)
class Lost:
    """To a reader: so many records found no room (PERF_RECORD_LOST)."""

    TAG: ClassVar[int] = 7

    count: Number


@dataclass(frozen=True, slots=True)
class TaskExit:
    """To a reader: a task has ended (PERF_RECORD_EXIT)."""

    TAG: ClassVar[int] = 8

    task: Number


@dataclass(frozen=True, slots=True)
class Register:
    """To a tracer: register."""

    TAG: ClassVar[int] = 9


@dataclass(frozen=True, slots=True)
class Cancel:
    """To a tracer: cancel the registration."""

    TAG: ClassVar[int] = 10


@dataclass(frozen=True, slots=True)
class Stop:
    """To a tracer: end; there is no more to come."""

    TAG: ClassVar[int] = 11


Message: TypeAlias = (
    SystemCall
    | Exit
    | Interrupt
    | Nmi
    | Sample
    | Deferred
    | Lost
    | TaskExit
    | Register
    | Cancel
    | Stop
)

BY_TAG: Final[dict[int, type[Message]]] = {kind.TAG: kind for kind in get_args(Message)}
"""Each tag's type."""
