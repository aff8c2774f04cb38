"""What protocols report and monitors judge. Tasks, tracers and readers are numbers of the program's choosing.

An interval that a monitor judges is two events with the work between them: a request, a callback, a
cancel, a reader, a grace period. An event that changes nothing by itself (`KernelEntry`) is one.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KernelEntry:
    """A task came from user mode into the kernel, by system call, interrupt or NMI.

    While an entry is open another one changes nothing: the interrupt that an NMI from user mode raised for
    itself comes before the next user instruction and continues the NMI's entry.
    """

    task: int
    stack: int
    """Which of the task's captured user stacks is the true one during this entry."""


@dataclass(frozen=True, slots=True)
class KernelExit:
    """A task returns to user mode."""

    task: int


@dataclass(frozen=True, slots=True)
class ExitRound:
    """The exit loop found work and begins one more round (kernel/entry/common.c, exit_to_user_mode_loop())."""

    task: int


@dataclass(frozen=True, slots=True)
class TaskExit:
    """A task has ended; nothing will be delivered for it any more."""

    task: int


@dataclass(frozen=True, slots=True)
class Registered:
    """unwind_deferred_init() has given a tracer its bit; it will return 0."""

    tracer: int
    bit: int
    """The tracer's bit in every task's mask; -1 in generations without bits."""


@dataclass(frozen=True, slots=True)
class CancelBegin:
    """unwind_deferred_cancel() begins."""

    tracer: int


@dataclass(frozen=True, slots=True)
class CancelEnd:
    """unwind_deferred_cancel() has returned."""

    tracer: int


@dataclass(frozen=True, slots=True)
class RequestBegin:
    """unwind_deferred_request() begins."""

    task: int
    tracer: int
    outside: bool
    """Whether it was asked for from outside: a system call, interrupt or NMI, and not by the exit path's own
    events or a callback."""


@dataclass(frozen=True, slots=True)
class RequestEnd:
    """unwind_deferred_request() has returned. Requests of one task nest: an end belongs to the latest begin."""

    task: int
    tracer: int
    returned: int
    cookie: int
    granted: bool
    """Whether it promises a callback with this cookie: what a return value promises is its generation's to say."""


@dataclass(frozen=True, slots=True)
class CallbackBegin:
    """A tracer's callback begins."""

    task: int
    tracer: int
    cookie: int
    trace: tuple[int, ...]
    """Program counters, innermost first; empty when there was no memory for a trace."""


@dataclass(frozen=True, slots=True)
class CallbackEnd:
    """A tracer's callback has returned."""

    task: int
    tracer: int


@dataclass(frozen=True, slots=True)
class UnwindReset:
    """A task's cookie was cleared on its way to (or from) user mode: the next request makes a new one."""

    task: int
    at_entry: bool = False
    """It belongs to the entry that was left before: this one's requests are yet to come."""


@dataclass(frozen=True, slots=True)
class ReaderBegin:
    """A read-side critical section begins: from here on a new grace period must wait for it."""

    domain: str
    reader: int


@dataclass(frozen=True, slots=True)
class ReaderEnd:
    """A read-side critical section is about to end."""

    domain: str
    reader: int


@dataclass(frozen=True, slots=True)
class GracePeriodBegin:
    """An updater begins to wait for the readers there are."""

    domain: str
    updater: int


@dataclass(frozen=True, slots=True)
class GracePeriodEnd:
    """That updater has waited."""

    domain: str
    updater: int


@dataclass(frozen=True, slots=True)
class ProbeCalled:
    """A tracepoint called a probe with some data."""

    tracepoint: int
    probe: int
    data: int


@dataclass(frozen=True, slots=True)
class ShadowStackUse:
    """A task begins to use its shadow stack (fgraph's ret_stack)."""

    task: int
    stack: int


@dataclass(frozen=True, slots=True)
class ShadowStackRelease:
    """A task has stopped to use its shadow stack."""

    task: int
    stack: int


@dataclass(frozen=True, slots=True)
class ShadowStackFreed:
    """A shadow stack was given back to the allocator."""

    stack: int


@dataclass(frozen=True, slots=True)
class UndefinedBehaviour:
    """The code did what C leaves undefined and sanitizers report."""

    what: str
