"""The task: in user mode it takes its next order from its mailbox, and asks the kernel for what it says.

Without an order it waits in a system call of its own, off the CPU, as a process that reads from a pipe.
"""

from collections.abc import Sequence

from stackweave.core import Mailbox, Word, sleep_until
from stackweave.core.kernel.generation import Caller
from stackweave.core.kernel.structs import Task as Struct
from stackweave.core.kernel.system import System
from stackweave.wire.messages import Exit, SystemCall

from .cpu import system_call
from .tracer import Tracer


class Task:
    """One task of a system."""

    def __init__(
        self,
        system: System,
        struct: Struct,
        tracers: Sequence[Tracer],
        inbox: Mailbox[SystemCall | Exit],
        alive: Word,
    ) -> None:
        self.inbox = inbox
        self._system = system
        self._struct = struct
        self._tracers = tracers
        self._alive = alive

    async def live(self) -> None:
        """The loop of the task, until it is told to exit."""
        if self._struct.number == 0:
            await self._system.report_registered()
        while True:
            if not await self.inbox.ready.load():
                await self._system.entry.syscall(self._struct, self._wait)
            order = await self.inbox.receive()
            if isinstance(order, Exit):
                break
            await system_call(self._system, self._tracers, self._struct, order)
        await self._exit()

    async def _wait(self, caller: Caller) -> None:
        await sleep_until(self.inbox.ready.address, 1, 1)

    async def _exit(self) -> None:
        await self._system.entry.enter_from_user_mode(self._struct)
        await self._system.life.do_exit(self._struct)
        for tracer in self._tracers:
            await tracer.task_exit(self._struct)
        await self._alive.fetch_add(-1)
