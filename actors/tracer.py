"""The tracer: sources in the kernel that ask for stacks and write records, and the reader of those records.

The kernel's half runs in whatever context an event hits: a system call, an interrupt, an NMI. It cannot block, so
a record that finds the buffer full is lost and counted, and the count is written as soon as there is
room again (kernel/events/ring_buffer.c, perf_output_begin()). The reader is a process: its loop takes
records and its owner's commands from one mailbox, in their order.
"""

from collections.abc import Iterable

from stackweave.core import Mailbox, Word, emit, sleep_until, smp_processor_id
from stackweave.core.events import CallbackBegin, CallbackEnd
from stackweave.core.kernel.generation import Caller
from stackweave.core.kernel.structs import Task, stack_of
from stackweave.core.kernel.system import System
from stackweave.wire.messages import (
    Cancel,
    Deferred,
    Lost,
    Message,
    Register,
    Sample,
    Stop,
    TaskExit,
)

from .events import Delivered, RecordsLost, SessionEnd
from .stitch import Stitched, Stitcher


class Tracer:
    """One tracer of a system."""

    def __init__(
        self, system: System, number: int, inbox: Mailbox[Message], lost: Word, registered: bool
    ) -> None:
        self.system = system
        self.number = number
        self.inbox = inbox
        """Its buffer: records, and the commands Register, Cancel and Stop."""
        self.lost = lost
        """Records that found no room and have not been told of."""
        self._registered = registered

    # the kernel's half

    async def hit(self, caller: Caller) -> None:
        """An event of this tracer hits the current task: ask for the user's stack, and write a sample."""
        task = caller.task
        if task is None or not await self.system.tracers[self.number].enabled.load():
            return
        returned, cookie = await self.system.request(self.number, caller)
        chain: tuple[int, ...] = ()
        if returned < 0:
            cookie, chain = 0, await self._unwind_now(task)
        cpu = await smp_processor_id()
        await self._output(Sample(task.number, cpu, cookie, returned, chain))

    async def _unwind_now(self, task: Task) -> tuple[int, ...]:
        """The user's stack without a page fault: what is in memory."""
        stack = stack_of(await task.regs.load())
        return self.system.deferral.unwind_user.program_counters(2 * stack)

    async def callback(self, task: Task, cookie: int, trace: tuple[int, ...]) -> None:
        """The deferred trace has come."""
        await emit(CallbackBegin(task.number, self.number, cookie, trace))
        await self._output(Deferred(task.number, cookie, trace))
        await emit(CallbackEnd(task.number, self.number))

    async def task_exit(self, task: Task) -> None:
        """A task has ended."""
        await self._output(TaskExit(task.number))

    async def _output(self, record: Message) -> None:
        if await self.lost.load():
            await self._tell_lost()
        if not await self.inbox.try_send(record):
            await self.lost.fetch_add(1)

    async def _tell_lost(self) -> None:
        count = await self.lost.xchg(0)
        if count and not await self.inbox.try_send(Lost(count)):
            await self.lost.fetch_add(count)

    # the reader

    async def read(self) -> None:
        """The loop of the reader, until Stop. It knows what it must, and counts nothing: who watches may count."""
        stitcher = Stitcher()
        registered = self._registered
        while True:
            if not await self.inbox.ready.load():
                await sleep_until(self.inbox.ready.address, 1, 1)
            message = await self.inbox.receive()
            match message:
                case Sample():
                    await self._deliver(stitcher.sample(message))
                case Deferred():
                    await self._deliver(stitcher.deferred(message))
                case Lost(count=count):
                    await emit(RecordsLost(self.number, count))
                case Register() if not registered:
                    registered = await self.system.init(self.number) == 0
                case Cancel() if registered:
                    await self.system.cancel(self.number)
                    registered = False
                case Stop():
                    break
            del message
        await self._deliver(stitcher.flush())
        await emit(SessionEnd(self.number))

    async def _deliver(self, samples: Iterable[Stitched]) -> None:
        for each in tuple(samples):
            sample = each.sample
            await emit(Delivered(self.number, sample.task, sample.cookie, each.chain, each.merged))
