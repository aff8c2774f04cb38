"""A context: one suspended coroutine and where it stands on the machine."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from types import CoroutineType
from typing import Final, TypeAlias

from .errors import ModelError
from .machine import Level, State
from .operations import PAUSE, Operation

Protocol: TypeAlias = Coroutine[object, object, None]
"""What a context runs."""

Body: TypeAlias = Callable[[], Protocol]
"""Makes a context's coroutine afresh for each execution."""

_DISCARD_LIMIT: Final = 10_000


@dataclass(frozen=True, slots=True)
class ContextSpec:
    """A context as a program declares it."""

    name: str
    level: Level
    body: Body = field(repr=False)
    cpus: tuple[int, ...]
    """CPUs it may run on; exactly one for an interrupt or NMI."""
    weight: int
    """Its share in a random walk, at least 1."""
    state: State
    """RUNNING (a thread that is on its own CPU from the start), RUNNABLE, NEW or AWAY."""


class Context:
    """A context while the program runs."""

    __slots__ = (
        "allowed",
        "condition",
        "coroutine",
        "cpu",
        "declared_cpus",
        "guards",
        "home",
        "index",
        "level",
        "name",
        "paused_at",
        "pending",
        "saved_irqs",
        "send",
        "spec",
        "stack",
        "start",
        "state",
        "switched_out",
        "weight",
    )

    coroutine: Protocol
    send: Callable[[int | None], object]
    """The coroutine's own."""
    pending: Operation
    """The operation it awaits."""
    state: State
    cpu: int
    """The CPU it is on, or was on last."""
    stack: "list[Context]"
    """That CPU's stack."""
    allowed: int
    """Bit mask of the CPUs it may be switched in on."""
    saved_irqs: int
    """The interrupt flag it found when it entered."""
    condition: tuple[int, int, int]
    """(address, mask, value) that a sleeping task waits for."""
    paused_at: int
    """The number of operations performed when it paused; -1 when it is not paused."""
    switched_out: bool
    """Whether it awaits the result of having left its CPU."""
    guards: "tuple[Callable[[Context], bool], ...]"
    """What must hold for it to come (back) to a CPU, while it is on none."""

    def __init__(self, spec: ContextSpec, index: int) -> None:
        self.spec = spec
        self.name = spec.name
        self.index = index
        self.level = spec.level
        self.weight = spec.weight
        self.start = spec.state
        self.home = spec.cpus[0]
        self.declared_cpus = sum(1 << cpu for cpu in spec.cpus)
        self.state = State.DEAD
        self.pending = (PAUSE, 0, 0, 0)

    def __repr__(self) -> str:
        return f"<context {self.name} {self.state.name}>"


class _Discarded(BaseException):
    """Thrown into a suspended protocol that is dropped; no protocol should catch it."""


def discard(protocol: Protocol) -> None:
    """Drop a suspended protocol without running its cleanup.

    Closing a coroutine runs its `finally` and `async with` blocks, which await operations that nobody will
    perform. So every further operation is answered with a private exception until the coroutine ends.
    Raises `ModelError` for one that goes on for ever.
    """
    for _ in range(_DISCARD_LIMIT):
        try:
            protocol.throw(_Discarded())
        except (_Discarded, StopIteration):
            return
        except Exception:
            # its cleanup failed half-way: it has ended, and nothing it could say is of interest any more
            return
    raise ModelError(f"{protocol!r} goes on after it was discarded")


def places_of(protocol: Protocol) -> tuple[tuple[str, int], ...]:
    """The protocol functions that a suspended coroutine stands in and where, outermost first.

    A place is the offset of the bytecode that awaits: the same for the same line of one Python's run, and of no
    meaning elsewhere.
    """
    places = []
    current: object = protocol
    while isinstance(current, CoroutineType):
        lasti = current.cr_frame.f_lasti if current.cr_frame is not None else -1
        places.append((current.cr_code.co_name, lasti))
        current = current.cr_await
    return tuple(places)


def functions_of(protocol: Protocol) -> tuple[str, ...]:
    """The names of the protocol functions that a suspended coroutine stands in, outermost first."""
    return tuple(name for name, _ in places_of(protocol))
