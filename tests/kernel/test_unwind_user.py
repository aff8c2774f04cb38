"""Unwinding the user stack: once an entry, into a cache, as far as memory is there."""

import pytest

from stackweave.core import Outcome
from stackweave.core.kernel.structs import (
    EINVAL,
    ENOMEM,
    PF_KTHREAD,
    UNWIND_MAX_ENTRIES,
    Mode,
    regs_at,
)
from stackweave.core.kernel.unwind_user import Faults
from stackweave.core.kernel.upstream import UNWIND_USED

from .support import Kernel, notes, saw


def _unwound(kernel: Kernel, *stacks: int, used_bit: int = 0, mm: int = 1) -> Kernel:
    """Unwind once at each of some stacks, and note the result and what is cached."""
    system = kernel.system
    task, unwind_user = system.tasks[0], system.deferral.unwind_user

    async def body() -> None:
        await task.mm.store(mm)
        for stack in stacks:
            await task.regs.store(regs_at(stack, Mode.KERNEL))
            await saw("result", await unwind_user.unwind_user_faultable(task, used_bit))
            await saw("mask", await task.unwind_info.unwind_mask.load())
            pointer = await task.unwind_info.cache.load()
            if pointer:
                cache = unwind_user.caches.at(pointer)
                await saw("trace", unwind_user.program_counters(await cache.entries.load()))
                await saw("nr", await cache.nr_entries.load())

    kernel.task(0, body)
    return kernel


def test_the_first_unwind_is_kept() -> None:
    outcome = _unwound(Kernel(stacks=3), 1, 2).run()
    assert notes(outcome, "result") == [(0, 2), (0, 2)]
    assert notes(outcome, "trace") == [(101, 201), (101, 201)]


def test_a_cleared_count_unwinds_anew() -> None:
    kernel = Kernel(stacks=3)
    system = kernel.system
    task, unwind_user = system.tasks[0], system.deferral.unwind_user

    async def body() -> None:
        pointers = set()
        for stack in (1, 2):
            await task.regs.store(regs_at(stack, Mode.KERNEL))
            await unwind_user.unwind_user_faultable(task, 0)
            pointer = await task.unwind_info.cache.load()
            cache = unwind_user.caches.at(pointer)
            pointers.add(pointer)
            await saw("trace", unwind_user.program_counters(await cache.entries.load()))
            await cache.nr_entries.store(0)
        await saw("caches", len(pointers))

    kernel.task(0, body)
    outcome = kernel.run()
    assert notes(outcome, "trace") == [(101, 201), (102, 202)]
    assert notes(outcome, "caches") == [1]


def test_only_a_fresh_unwind_is_marked() -> None:
    assert notes(_unwound(Kernel(), 0, used_bit=UNWIND_USED).run(), "mask") == [UNWIND_USED]
    assert notes(_unwound(Kernel(), 0).run(), "mask") == [0]


def test_without_user_memory_there_is_nothing() -> None:
    outcome = _unwound(Kernel(), 0, mm=0).run()
    assert notes(outcome, "result") == [(-EINVAL, 0)]
    assert not notes(outcome, "trace")


@pytest.mark.parametrize(("frames", "kept"), [(1, 1), (510, 510), (511, 510), (2000, 510)])
def test_a_page_of_entries(frames: int, kept: int) -> None:
    kernel = Kernel(unwinder=lambda stack, readable: tuple(range(1, frames + 1)))
    outcome = _unwound(kernel, 0).run()
    assert UNWIND_MAX_ENTRIES == 510
    assert notes(outcome, "result") == [(0, kept)]
    [trace] = notes(outcome, "trace")
    assert trace == tuple(range(1, kept + 1))


def _all(kernel: Kernel, count: int = 60) -> list[Outcome]:
    return list(kernel.runs(count))


def test_memory_may_be_missing() -> None:
    outcomes = _all(_unwound(Kernel(faults=Faults.MEMORY), 0))
    assert {notes(outcome, "trace")[0] for outcome in outcomes} == {(100, 200), (100,)}
    assert {str(notes(outcome, "result")[0]) for outcome in outcomes} == {"(0, 2)", "(0, 1)"}
    assert {notes(outcome, "nr")[0] for outcome in outcomes} == {1, 2}


def test_a_missing_page_puts_the_task_to_sleep() -> None:
    """Another task of the same CPU runs meanwhile."""
    kernel = Kernel(tasks=2, faults=Faults.MEMORY)
    _unwound(kernel, 0)

    async def other() -> None:
        await saw("result", "other")

    kernel.task(1, other)
    orders = {tuple(map(str, notes(outcome, "result"))) for outcome in _all(kernel)}
    assert ("other", "(0, 2)") in orders
    never = Kernel(tasks=2)
    _unwound(never, 0)
    assert all(not each.schedule.count(~1) for each in _all(never))


def test_there_may_be_no_memory_for_the_cache() -> None:
    outcomes = _all(_unwound(Kernel(faults=Faults.ALLOCATION), 0))
    results = {str(notes(outcome, "result")[0]) for outcome in outcomes}
    assert results == {str((-ENOMEM, 0)), "(0, 2)"}
    for outcome in outcomes:
        assert bool(notes(outcome, "trace")) == (notes(outcome, "result") == [(0, 2)])


@pytest.mark.parametrize("faults", Faults)
def test_what_may_happen(faults: Faults) -> None:
    seen = {
        (str(notes(outcome, "result")[0]), len(notes(outcome, "trace") or []))
        for outcome in _all(_unwound(Kernel(faults=faults), 0))
    }
    wanted = {("(0, 2)", 1)}
    if faults in (Faults.MEMORY, Faults.BOTH):
        wanted.add(("(0, 1)", 1))
    if faults in (Faults.ALLOCATION, Faults.BOTH):
        wanted.add((str((-ENOMEM, 0)), 0))
    assert seen == wanted


@pytest.mark.parametrize(
    ("room", "flags", "result"),
    [
        (8, 0, (0, 2, 2)),
        (1, 0, (0, 1, 2)),
        (0, 0, (-EINVAL, 0, 0)),
        (8, PF_KTHREAD, (0, 0, 0)),
    ],
    ids=["room", "cut short", "no room", "kernel thread"],
)
def test_unwind_user_itself(room: int, flags: int, result: tuple[int, int, int]) -> None:
    kernel = Kernel(stacks=3)
    task, unwind_user = kernel.system.tasks[0], kernel.system.deferral.unwind_user

    async def body() -> None:
        await task.flags.store(flags)
        await task.regs.store(regs_at(1, Mode.KERNEL))
        await saw("result", await unwind_user.unwind_user(task, room))

    kernel.task(0, body)
    assert notes(kernel.run(), "result") == [result]
