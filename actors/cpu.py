"""The CPU: it runs the system calls of the task it is given, and takes interrupts and NMIs from mailboxes.

An interrupt's mailbox is its line: while it holds a message the line is asserted, and the handler takes one
message at each visit.
"""

from collections.abc import Sequence

from stackweave.core import Cpu as Processor
from stackweave.core import Mailbox
from stackweave.core.kernel.generation import Caller
from stackweave.core.kernel.structs import TIF_NEED_RESCHED, Task
from stackweave.core.kernel.system import System
from stackweave.wire.messages import Interrupt, Nmi, SystemCall

from .tracer import Tracer


class Cpu:
    """One CPU of a system, and the tracers whose events may hit what runs on it."""

    def __init__(
        self,
        system: System,
        processor: Processor,
        tracers: Sequence[Tracer],
        interrupts: Mailbox[Interrupt],
        nmis: Mailbox[Nmi],
    ) -> None:
        self.interrupts = interrupts
        self.nmis = nmis
        self._entry = system.entry
        self._processor = processor
        self._tracers = tracers

    async def take_interrupts(self) -> None:
        """The loop of the interrupt context."""
        while True:
            await self._entry.interrupt(self._processor, self._interrupt, self.interrupts.ready)

    async def take_nmis(self) -> None:
        """The loop of the NMI context."""
        while True:
            await self._entry.nmi(self._processor, self._nmi, self.nmis.ready)

    async def take_irq_work(self) -> None:
        """The loop of the context for the interrupts that NMIs raise."""
        while True:
            await self._entry.irq_work_interrupt(self._processor)

    async def _interrupt(self, caller: Caller) -> None:
        message = await self.interrupts.receive()
        await hit(self._tracers, message.event, caller)
        if message.resched and caller.task is not None:
            await caller.task.thread_flags.fetch_or(TIF_NEED_RESCHED)

    async def _nmi(self, caller: Caller) -> None:
        message = await self.nmis.receive()
        await hit(self._tracers, message.event, caller)


async def system_call(
    system: System, tracers: Sequence[Tracer], task: Task, call: SystemCall
) -> None:
    """Run a task's system call, on whichever CPU it is, until it is back in user mode."""

    async def handler(caller: Caller) -> None:
        await hit(tracers, call.event, caller)

    await system.entry.syscall(task, handler)


async def hit(tracers: Sequence[Tracer], event: int, caller: Caller) -> None:
    """The event of tracer number `event` happens; a number that no tracer has is nobody's event."""
    if 0 <= event < len(tracers):
        await tracers[event].hit(caller)
