"""What every generation of deferred unwinding offers, and the parts that they share.

A generation is one state of kernel/unwind/deferred.c in time, its defects included. Its methods are the
kernel's functions under their names; a program picks one by name and swaps it for another.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from ..cint import U64_MASK
from ..errors import ViolationFound
from ..events import Registered, UndefinedBehaviour
from ..memory import PerCpu, Word
from ..operations import choose, emit
from ..program import Cpu
from .flavour import Flavour, check, flavoured
from .lists import Nodes, list_add_rcu
from .mutex import Mutex
from .srcu import Srcu
from .structs import EBUSY, ListHead, Task, UnwindCache, UnwindTaskInfo, UnwindWork
from .task_work import TaskWork
from .unwind_user import UnwindUser

UNWIND_PENDING: Final = 1 << 0

Callback = Callable[[int, Task, int, int, int], Awaitable[None]]
"""A tracer's function: (tracer, task, cookie, number of entries, entries)."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the current task, if there is one, and whether from an NMI of which CPU."""

    task: Task | None
    nmi_cpu: Cpu | None = None


@dataclass(frozen=True, slots=True)
class Deferral:
    """The state of deferred unwinding that is no task's: kernel/unwind/deferred.c's static variables."""

    tasks: Sequence[Task]
    task_work: TaskWork
    unwind_user: UnwindUser
    callback: Callback
    unwind_ctx_ctr: PerCpu[Word]
    """Of each CPU: the counter of its last cookie."""
    callbacks: ListHead
    """Head of the list of registered works, newest first."""
    nodes: Nodes
    """Every node of that list, its head included, by address."""
    works: Mapping[int, UnwindWork]
    """Every work by the address of its list head."""
    callback_mutex: Mutex
    unwind_mask: Word
    """The bits that are taken."""
    unwind_srcu: Srcu


class Generation(ABC):
    """One generation. Return values are the kernel's: 0, 1 or a negative errno."""

    name: ClassVar[str]
    reserved: ClassVar[int]
    """Bits of the mask that no tracer can have."""
    errnos: ClassVar[tuple[int, ...]]
    """What a request may return besides 0 and 1."""
    default: ClassVar[Flavour] = Flavour()
    takes: ClassVar[tuple[str, ...]]
    """The names of flavours that make a difference to it."""

    def __init__(self, deferral: Deferral, flavour: Flavour) -> None:
        self.deferral = deferral
        self.flavour = flavour
        for task in deferral.tasks:
            deferral.task_work.declare(task.unwind_info.work, self.unwind_deferred_task_work)

    @classmethod
    def flavoured(cls, name: str | None) -> Flavour:
        """What names stand for; None is the default. Raises `UsageError` for what this generation cannot be."""
        if name is None:
            return cls.default
        check(name, cls.name, cls.takes)
        return flavoured(cls.default, name)

    @abstractmethod
    async def unwind_deferred_init(self, work: UnwindWork) -> int:
        """Register a tracer: 0, or -EBUSY when every bit is taken."""

    @abstractmethod
    async def unwind_deferred_request(self, work: UnwindWork, caller: Caller) -> tuple[int, int]:
        """Ask for the current task's user stack: (0, 1 or -errno, cookie)."""

    @classmethod
    def grants(cls, returned: int, cookie: int) -> bool:
        """Whether a request that returned this promises a callback with its cookie."""
        return returned >= 0

    @abstractmethod
    async def unwind_deferred_cancel(self, work: UnwindWork) -> None:
        """Unregister a tracer; afterwards no callback of it runs."""

    @abstractmethod
    async def unwind_deferred_task_work(self, task: Task) -> None:
        """The task work: unwind and call the tracers that asked."""

    @abstractmethod
    async def unwind_reset_info(self, task: Task) -> None:
        """Clear the task's state on the way to user mode, or when it has come from there."""

    @abstractmethod
    async def unwind_deferred_task_exit(self, task: Task) -> None:
        """A task ends, and still has its user memory."""


async def call_tracer(
    deferral: Deferral, work: UnwindWork, task: Task, cookie: int, nr: int
) -> None:
    """work->func(work, &trace, cookie)."""
    func = await work.func.load()
    if not func:
        raise ViolationFound(
            "null-pointer", "null-pointer:func", f"{work.name} has no function yet"
        )
    entries = 0
    if nr:
        pointer = await task.unwind_info.cache.load()
        entries = await deferral.unwind_user.caches.at(pointer).entries.load()
    await deferral.callback(func - 1, task, cookie, nr, entries)


async def take_bit(deferral: Deferral, work: UnwindWork) -> int:
    """Give a work the lowest free bit, publish it on the list, and only then set its function."""
    await work.bit.store(0)
    await work.func.store(0)
    async with deferral.callback_mutex:
        taken = await deferral.unwind_mask.load()
        if taken == U64_MASK:
            return -EBUSY
        bit = (~taken & taken + 1).bit_length() - 1
        await work.bit.store(bit)
        await deferral.unwind_mask.store(taken | 1 << bit)
        await emit(Registered(work.tracer, bit))
        await list_add_rcu(deferral.nodes, work.list, deferral.callbacks)
        await work.func.store(1 + work.tracer)
    return 0


async def test_bit(bit: int, bits: int) -> bool:
    """Whether a tracer's bit is among those of a snapshot."""
    if bit < 0:
        # reads the stack beside `bits`: whatever is there
        await emit(UndefinedBehaviour("test_bit-out-of-bounds"))
        return await choose(2) == 1
    return bits >> bit & 1 == 1


async def cache_of(deferral: Deferral, info: UnwindTaskInfo) -> UnwindCache | None:
    """info->cache."""
    pointer = await info.cache.load()
    return deferral.unwind_user.caches.at(pointer) if pointer else None


async def take_mask(task: Task, pending: int = UNWIND_PENDING) -> bool:
    """Clear the mask on the way to user mode: False, with nothing changed, while task work is pending."""
    mask = task.unwind_info.unwind_mask
    bits = await mask.load()
    while not bits & pending:
        seen = await mask.cmpxchg(bits, 0)
        if seen == bits:
            return True
        bits = seen
    return False
