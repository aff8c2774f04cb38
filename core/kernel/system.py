"""A whole kernel for one program: its CPUs, tasks and tracers, and one generation of deferred unwinding."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from ..events import (
    CallbackBegin,
    CallbackEnd,
    CancelBegin,
    CancelEnd,
    Registered,
    RequestBegin,
    RequestEnd,
)
from ..memory import Struct, Word
from ..operations import emit
from ..program import Program
from .bitmask import Bitmask
from .bitmask_v12 import BitmaskV12, BitmaskV12Patch8
from .completed import Completed
from .entry import Entry
from .generation import Callback, Caller, Deferral, Generation
from .life import Detach, Life
from .mutex import Mutex
from .mutex_list import MutexList, MutexListNmi
from .per_work import PerWork
from .srcu import Srcu
from .structs import HalvedWord, ListHead, Mode, Task, UnwindCache, UnwindWork, regs_at
from .task_work import TaskWork
from .unwind_user import Faults, Unwinder, UnwindUser
from .upstream import Upstream

GENERATIONS: Final[dict[str, type[Generation]]] = {
    generation.name: generation
    for generation in (
        PerWork,
        BitmaskV12Patch8,
        BitmaskV12,
        MutexList,
        MutexListNmi,
        Bitmask,
        Completed,
        Upstream,
    )
}
"""By name, oldest first. The drafts v12 and v13 are older than the commits that took their place."""


class Tracer(Struct):
    """A tracer: its registration, and what its callbacks write."""

    work: UnwindWork
    records: Word
    """How many callbacks it has had."""
    enabled: Word
    """1 while its sources should ask. They look before they ask, and lose the race like real ones."""


class System:
    """Declares everything on a program's layout; contexts are the caller's to add."""

    def __init__(
        self,
        program: Program,
        generation: str,
        *,
        flavour: str | None = None,
        tasks: int,
        tracers: int,
        unwinder: Unwinder,
        stacks: Sequence[range],
        faults: Faults = Faults.NEVER,
        callback: Callback | None = None,
        detach: Detach | None = None,
    ) -> None:
        self.program = program
        chosen = GENERATIONS[generation].flavoured(flavour)
        layout = program.layout
        self.cpus = tuple(program.cpu(number) for number in range(program.cpus))
        self.tasks = tuple(layout.place(f"task{number}", Task) for number in range(tasks))
        for number, task in enumerate(self.tasks):
            task.number = number
            task.stacks = stacks[number]
            if chosen.long_bits == 32:
                identity = task.unwind_info.id
                task.unwind_info.id = HalvedWord(identity.address, identity.name)
            layout.initialise(task.mm, 1)
            layout.initialise(task.regs, regs_at(stacks[number][0], Mode.USER))
        self.tracers = tuple(layout.place(f"tracer{number}", Tracer) for number in range(tracers))
        for number, tracer in enumerate(self.tracers):
            tracer.work.tracer = number
        self.task_work = TaskWork(chosen.irq_work)
        callbacks = layout.place("callbacks", ListHead)
        lists = {tracer.work.list.address: tracer.work for tracer in self.tracers}
        deferral = Deferral(
            tasks=self.tasks,
            task_work=self.task_work,
            unwind_user=UnwindUser(
                layout.pool("unwind_cache", UnwindCache, tasks), unwinder, faults
            ),
            callback=callback or self.deliver,
            unwind_ctx_ctr=layout.per_cpu("unwind_ctx_ctr", Word),
            callbacks=callbacks,
            nodes={callbacks.address: callbacks} | {at: work.list for at, work in lists.items()},
            works=lists,
            callback_mutex=Mutex(layout.word("callback_mutex")),
            unwind_mask=layout.word("unwind_mask"),
            unwind_srcu=Srcu(layout, "unwind_srcu"),
        )
        self.deferral = deferral
        self.generation = GENERATIONS[generation](deferral, chosen)
        self.start_registered(())
        self._registered: tuple[tuple[int, int], ...] = ()
        self._contexts: dict[int, int] = {}
        self._tasks_by_current: dict[int, Task] = {}
        self.entry = Entry(self.generation, self.task_work, self._tasks_by_current)
        self.life = Life(self.generation, self.task_work, self._contexts, detach)

    @property
    def first_bit(self) -> int:
        """The lowest bit that a tracer can have."""
        reserved = self.generation.reserved
        return (~reserved & reserved + 1).bit_length() - 1

    def runs(self, task: Task, context: int) -> None:
        """Say which context of the program is a task's."""
        self._contexts[task.number] = context
        self._tasks_by_current[context + 1] = task

    def start_all_registered(self) -> None:
        """Let the program begin with every tracer registered, one after the other: the last one is the newest."""
        first = self.first_bit
        newest_first = reversed(range(len(self.tracers)))
        self.start_registered([(tracer, first + tracer) for tracer in newest_first])

    def start_registered(self, bits: Sequence[tuple[int, int]]) -> None:
        """Let the program begin with tracers registered: (tracer, bit), the newest registration first.

        In a generation without bits they are all -1.
        """
        if not self.generation.reserved:
            bits = [(tracer, -1) for tracer, _ in bits]
        layout, head = self.program.layout, self.deferral.callbacks
        taken, previous = self.generation.reserved | self.generation.flavour.no_bits, head
        for tracer, bit in bits:
            work = self.tracers[tracer].work
            layout.initialise(work.bit, bit)
            layout.initialise(work.func, 1 + tracer)
            layout.initialise(self.tracers[tracer].enabled, 1)
            layout.initialise(previous.next, work.list.address)
            layout.initialise(work.list.prev, previous.address)
            taken |= 1 << bit if bit >= 0 else 0
            previous = work.list
        layout.initialise(previous.next, head.address)
        layout.initialise(head.prev, previous.address)
        layout.initialise(self.deferral.unwind_mask, taken)
        self._registered = tuple(bits)

    async def report_registered(self) -> None:
        """Tell the monitors who was registered when the program began: for one context, at its spawning."""
        for tracer, bit in reversed(self._registered):
            await emit(Registered(tracer, bit))

    async def deliver(self, tracer: int, task: Task, cookie: int, nr: int, entries: int) -> None:
        """A tracer's callback that counts its records and reports what it was given."""
        trace = self.deferral.unwind_user.program_counters(entries) if nr else ()
        await emit(CallbackBegin(task.number, tracer, cookie, trace))
        await self.tracers[tracer].records.fetch_add(1)
        await emit(CallbackEnd(task.number, tracer))

    async def init(self, tracer: int) -> int:
        """Register a tracer, and let its sources ask."""
        result = await self.generation.unwind_deferred_init(self.tracers[tracer].work)
        if result == 0:
            await self.tracers[tracer].enabled.store(1)
        return result

    async def request(
        self, tracer: int, caller: Caller, *, outside: bool = True
    ) -> tuple[int, int]:
        """Ask for the current task's stack. Without a current task it is the idle task that is asked about."""
        work = self.tracers[tracer].work
        task = caller.task
        if task is None:
            return await self.generation.unwind_deferred_request(work, caller)
        await emit(RequestBegin(task.number, tracer, outside))
        returned, cookie = await self.generation.unwind_deferred_request(work, caller)
        granted = self.generation.grants(returned, cookie)
        await emit(RequestEnd(task.number, tracer, returned, cookie, granted))
        return returned, cookie

    async def cancel(self, tracer: int) -> None:
        """Tell the sources to stop, and unregister: the race with one that has already looked stays."""
        await self.tracers[tracer].enabled.store(0)
        await emit(CancelBegin(tracer))
        await self.generation.unwind_deferred_cancel(self.tracers[tracer].work)
        await emit(CancelEnd(tracer))


def requests(
    system: System, tracer: int, *, outside: bool = True
) -> Callable[[Caller], Awaitable[None]]:
    """A handler: a source of the tracer fires once, if it is enabled."""

    async def fire(caller: Caller) -> None:
        if await system.tracers[tracer].enabled.load():
            await system.request(tracer, caller, outside=outside)

    return fire
