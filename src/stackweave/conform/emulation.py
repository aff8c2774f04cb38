"""One case as a program: the test process and its visits, the NMI that asks, the process that cancels."""

from functools import partial
from typing import Final

from stackweave.conform.lines import Kind, Line
from stackweave.conform.recording import Case
from stackweave.core import Program, emit
from stackweave.core.kernel.generation import Caller
from stackweave.core.kernel.structs import Task
from stackweave.core.kernel.system import System

_BOUND: Final = 6_000
"""Operations of one run: 61 tracers asking and being called in one visit take 2,900."""


class Emulation:
    """What a case did, on an emulated kernel: CPU 0 has the test process and the NMI, CPU 1 the other process."""

    def __init__(self, case: Case, tracers: int, generation: str = "upstream") -> None:
        self._case = case
        self.program = program = Program("conform", cpus=2, bound=_BOUND)
        self.system = System(
            program,
            generation,
            tasks=1,
            tracers=tracers + 1,
            unwinder=lambda stack, readable: (stack + 1, stack + 2),
            stacks=[range(1)],
            callback=self.deliver,
        )
        self._task = self.system.tasks[0]
        self.info = self._task.unwind_info
        perf = (tracers, self.system.first_bit)
        self.system.start_registered((*case.before.bits, perf))
        for tracer in sorted(case.before.left):
            program.layout.initialise(self.system.tracers[tracer].work.bit, -1)
        self.visit = program.layout.word("visit")
        self._calls = program.layout.word("calls")
        self._nmi_done = program.layout.word("nmi_done")
        self.system.runs(self._task, program.task("task", self._test_process, cpus=(0,)))
        program.nmi("nmi", self._nmi, cpu=0)
        program.interrupt("irq_work", self._irq_work, cpu=0)
        program.task("other", self._other_process, cpus=(1,))

    # protocols

    async def _test_process(self) -> None:
        for number in range(len(self._case.visits)):
            handler = partial(self._ioctl, number)
            await self.system.entry.syscall(self._task, handler)

    async def _ioctl(self, number: int, caller: Caller) -> None:
        await self.visit.store(number)
        await self._calls.store(0)
        for action, tracer in self._case.visits[number].actions:
            await self._act(action, tracer, caller)

    async def _act(self, action: Kind, tracer: int, caller: Caller) -> None:
        info = self.info
        if action is Kind.REQUEST:
            await self._report_request(Kind.REQUEST, tracer, caller)
        elif action is Kind.STATE:
            await self._report_state()
        elif action is Kind.INIT:
            await self._report_init(tracer)
        elif action in (Kind.CANCEL, Kind.CANCELLED):
            await self.system.cancel(tracer)
            bit = await self.system.tracers[tracer].work.bit.load()
            numbers: tuple[int, ...] = (tracer, bit)
            if action is Kind.CANCELLED:
                numbers += (await info.unwind_mask.load(), await info.id.load())
            await emit(Line(action, numbers))
        elif action is Kind.INJECTED and not await self._nmi_done.load():
            await emit(Line(Kind.INJECTED, (0, self._case.inner, 0, 0, 0, 0, 0, 0)))

    async def _report_request(self, kind: Kind, tracer: int, caller: Caller) -> None:
        info = self.info
        ret, cookie = await self.system.request(tracer, caller)
        mask, identity = await info.unwind_mask.load(), await info.id.load()
        await emit(Line(kind, (tracer, ret, cookie, mask, identity)))

    async def _report_state(self) -> None:
        info = self.info
        mask, identity = await info.unwind_mask.load(), await info.id.load()
        entries, completed = await self._cached()
        await emit(Line(Kind.STATE, (mask, identity, int(entries != 0), completed)))

    async def _report_init(self, tracer: int) -> None:
        ret = await self.system.init(tracer)
        bit = await self.system.tracers[tracer].work.bit.load()
        await emit(Line(Kind.INIT, (tracer, ret, bit)))
        if ret:
            await emit(Line(Kind.ERRNO, (tracer, -ret)))

    async def _cached(self) -> tuple[int, int]:
        pointer = await self.info.cache.load()
        if not pointer:
            return 0, 0
        cache = self.system.deferral.unwind_user.caches.at(pointer)
        return await cache.nr_entries.load(), await cache.unwind_completed.load()

    async def deliver(self, tracer: int, task: Task, cookie: int, nr: int, entries: int) -> None:
        """The test module's callback; perf's, the last tracer, reports nothing."""
        info = self.info
        mask, identity = await info.unwind_mask.load(), await info.id.load()
        _, completed = await self._cached()
        numbers = (tracer, cookie, int(nr != 0), mask, identity, completed)
        await emit(Line(Kind.CALLBACK, numbers))
        ordinal = await self._calls.fetch_add(1) + 1
        visit = self._case.visits[await self.visit.load()]
        for when, asked in visit.in_callback:
            if when == ordinal:
                await self._report_request(Kind.IN_CALLBACK, asked, Caller(task))

    async def _nmi(self) -> None:
        await self.system.entry.nmi(self.system.cpus[0], self._ask_once)

    async def _ask_once(self, caller: Caller) -> None:
        info, tracer = self.info, self._case.inner
        mask, identity = await info.unwind_mask.load(), await info.id.load()
        ret, cookie = await self.system.request(tracer, caller)
        after = (mask, await info.unwind_mask.load(), identity, await info.id.load())
        await self._nmi_done.store(1)
        await emit(Line(Kind.INJECTED, (1, tracer, ret, cookie, *after)))

    async def _irq_work(self) -> None:
        while True:
            await self.system.entry.irq_work_interrupt(self.system.cpus[0])

    async def _other_process(self) -> None:
        await self.system.cancel(0)
        ret = await self.system.init(1)
        bit = await self.system.tracers[1].work.bit.load()
        await emit(Line(Kind.OTHER, (0, 0, 1, ret, bit)))
