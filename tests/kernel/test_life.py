"""Fork, exec and exit: nothing is inherited, nothing is hooked, and the end comes in order."""

import pytest

from stackweave.core import Verdict
from stackweave.core.events import CallbackBegin, RequestEnd, TaskExit
from stackweave.core.kernel.generation import Caller
from stackweave.core.kernel.properties import unwind_properties
from stackweave.core.kernel.structs import (
    EINVAL,
    NO_STACK,
    PF_EXITING,
    Mode,
    Task,
    mode_of,
    stack_of,
)
from stackweave.core.kernel.system import GENERATIONS
from stackweave.core.kernel.task_work import TASK_WORK_EXITED
from stackweave.core.monitors import wrong_stack

from .support import Kernel, events, notes, saw

BITS = ("bitmask", "completed", "upstream")


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_child_inherits_nothing(generation: str) -> None:
    kernel = Kernel(generation, tasks=2, stacks=2)
    system = kernel.system
    parent, child = system.tasks

    async def fork(caller: Caller) -> None:
        await system.request(0, caller)
        # whatever its slot held before
        for word in (child.unwind_info.id, child.unwind_info.unwind_mask, child.task_works):
            await word.store(77)
        await child.flags.store(PF_EXITING)
        await saw("forked", await system.life.fork(child))
        await saw("forked", await system.life.fork(child))

    async def live() -> None:
        await system.entry.syscall(parent, fork)

    async def child_lives() -> None:
        info = child.unwind_info
        for word in (info.id, info.unwind_mask, info.pending, info.cache, child.task_works):
            await saw("child", await word.load())
        regs = await child.regs.load()
        await saw("regs", (mode_of(regs), stack_of(regs)))
        await system.entry.enter_from_user_mode(child)
        await saw("asked", (await system.request(0, Caller(child)))[0])
        await system.entry.do_syscall_64(child)

    kernel.task(0, live)
    kernel.task(1, child_lives, live=False)
    outcome = kernel.run()
    assert outcome.verdict is Verdict.CLEAN
    assert notes(outcome, "forked") == [True, False]
    assert notes(outcome, "child") == [0] * 5
    assert notes(outcome, "regs") == [(Mode.USER, 2)]
    assert notes(outcome, "asked") == [0]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_request_is_called_back_with_the_new_image_after_exec(generation: str) -> None:
    kernel = Kernel(generation, stacks=3, tracers=1)
    system = kernel.system
    task = system.tasks[0]

    async def execs(caller: Caller) -> None:
        await system.request(0, caller)
        await system.life.exec(task, 2)

    async def live() -> None:
        await system.entry.syscall(task, execs)

    kernel.task(0, live)
    [called] = events(kernel.run(), CallbackBegin)
    assert called.trace == (102, 202)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_an_exiting_task_is_refused(generation: str) -> None:
    kernel = Kernel(generation)
    system = kernel.system
    task = system.tasks[0]

    async def live() -> None:
        await task.flags.fetch_or(PF_EXITING)
        if generation == "per_work":
            await task.mm.store(0)  # all that it looks at
        await system.request(0, Caller(task))

    kernel.task(0, live)
    [ended] = events(kernel.run(), RequestEnd)
    assert (ended.returned, ended.cookie) == (-EINVAL, 0)


def _exits(generation: str) -> Kernel:
    """A task that asks in the system call in which it ends."""
    kernel = Kernel(generation, tracers=1)
    system = kernel.system
    task = system.tasks[0]

    async def live() -> None:
        await system.entry.enter_from_user_mode(task)
        await system.request(0, Caller(task))
        await system.life.do_exit(task)
        await saw("works", await task.task_works.load())
        await saw("mm", await task.mm.load())
        await saw("asked", (await system.request(0, Caller(task)))[0])

    kernel.task(0, live)
    return kernel


@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_is_pending_is_delivered_on_exit(generation: str) -> None:
    outcome = _exits(generation).run()
    assert outcome.verdict is Verdict.CLEAN
    [called] = events(outcome, CallbackBegin)
    # the hook comes before the memory goes; without it there is nothing left to unwind
    assert called.trace == ((100, 200) if generation == "upstream" else ())
    assert notes(outcome, "works") == [TASK_WORK_EXITED]
    assert notes(outcome, "mm") == [0]
    assert notes(outcome, "asked") == [-EINVAL]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_callbacks_come_before_the_end(generation: str) -> None:
    outcome = _exits(generation).run()
    kinds = [type(each.event) for each in outcome.events]
    assert kinds.index(CallbackBegin) < kinds.index(TaskExit)
    assert kinds.count(TaskExit) == 1


@pytest.mark.parametrize("generation", BITS)
def test_an_exit_without_a_request_calls_nobody(generation: str) -> None:
    kernel = Kernel(generation)
    system = kernel.system
    task = system.tasks[0]

    async def live() -> None:
        await system.entry.enter_from_user_mode(task)
        await system.life.do_exit(task)
        await saw("works", await task.task_works.load())

    kernel.task(0, live)
    outcome = kernel.run()
    assert not events(outcome, CallbackBegin)
    assert notes(outcome, "works") == [TASK_WORK_EXITED]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_trace_that_comes_after_the_memory_has_gone_is_reported(generation: str) -> None:
    kernel = _exits(generation)
    kernel.program.monitors.append(wrong_stack(0, 0, lambda stack: {(100, 200)}))
    entered = [each for each in kernel.run().violations if each.property == "wrong-stack"]
    empty = [] if generation in ("upstream", "per_work") else ["wrong-stack:empty"]
    # the cookie of per_work is another one: no request that is known is answered
    assert [each.signature for each in entered] == empty


def _judged(kernel: Kernel) -> list[str]:
    """What the monitors report, where a stack's trace is the one that the tests' unwinder gives."""

    def truth(stack: int) -> set[tuple[int, ...]]:
        return set() if stack == NO_STACK else {(100 + stack, 200 + stack)}

    kernel.program.monitors += unwind_properties(kernel.system, len(kernel.system.tasks), truth)
    return [each.signature for each in kernel.run().violations]


@pytest.mark.parametrize("generation", BITS)
@pytest.mark.parametrize("changes", ["exec", "sigreturn", None])
def test_a_stack_that_changes_within_a_system_call(generation: str, changes: str | None) -> None:
    kernel = Kernel(generation, stacks=3, tracers=1)
    system, task = kernel.system, kernel.system.tasks[0]

    async def call(caller: Caller) -> None:
        await system.request(0, caller)
        if changes == "exec":
            await system.life.exec(task, 2)
        elif changes == "sigreturn":
            await system.life.sigreturn(task, 0)

    async def live() -> None:
        await system.entry.syscall(task, call)

    kernel.task(0, live)
    assert _judged(kernel) == (["wrong-stack"] if changes else [])


def _worker(generation: str, user_worker: bool) -> Kernel:
    """A system call starts another task, which asks and ends."""
    kernel = Kernel(generation, tasks=2, tracers=1, stacks=2)
    system = kernel.system
    parent, child = system.tasks

    async def start(caller: Caller) -> None:
        if user_worker:
            await system.life.create_io_thread(child)
        else:
            await system.life.fork(child)

    async def live() -> None:
        await system.entry.syscall(parent, start)

    async def work() -> None:
        if not user_worker:
            await system.entry.enter_from_user_mode(child)
        await saw("asked", (await system.request(0, Caller(child)))[0])
        await system.life.do_exit(child)

    kernel.task(0, live)
    kernel.task(1, work, live=False)
    return kernel


def test_a_user_worker_is_not_refused_and_has_no_stack() -> None:
    kernel = _worker("upstream", user_worker=True)
    assert _judged(kernel) == ["wrong-stack"]
    outcome = kernel.run()
    assert notes(outcome, "asked") == [0]
    [called] = events(outcome, CallbackBegin)
    assert (called.task, called.trace) == (1, (0,))


def test_a_task_that_goes_to_user_mode_has_one() -> None:
    assert _judged(_worker("upstream", user_worker=False)) == []


@pytest.mark.parametrize(("flavour", "shown"), [(None, ["lost"]), ("exit-hook-before-perf", [])])
def test_a_session_of_one_task_misses_what_comes_after_its_events_are_gone(
    flavour: str | None, shown: list[str]
) -> None:
    """perf_event_exit_task() comes before the hook that delivers (seen on a real kernel)."""

    async def detach(task: Task) -> None:
        await attached.store(0)

    async def called(tracer: int, task: Task, cookie: int, nr: int, entries: int) -> None:
        if await attached.load():
            await kernel.system.deliver(tracer, task, cookie, nr, entries)

    kernel = Kernel(tracers=1, flavour=flavour, callback=called, detach=detach)
    attached = kernel.program.layout.word("attached", 1)
    kernel.asks_in_exit()
    assert _judged(kernel) == shown
