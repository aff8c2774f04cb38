"""Cookies: odd counts of a CPU in steps of two, and one for both wherever an NMI comes."""

import pytest

from stackweave.core.kernel.cookie import unwind_get_cookie
from stackweave.core.kernel.generation import Caller

from .support import Kernel, everywhere, notes, saw


def _count(cookie: object) -> int:
    assert isinstance(cookie, int)
    return cookie >> 32


@pytest.mark.parametrize("cpu", [0, 1, 5])
def test_counts_are_odd_and_step_by_two(cpu: int) -> None:
    kernel = Kernel(cpus=6)
    info, counters = kernel.system.tasks[0].unwind_info, kernel.system.deferral.unwind_ctx_ctr

    async def body() -> None:
        for _ in range(3):
            await saw("cookie", await unwind_get_cookie(info, counters, cpu))
            await saw("again", await unwind_get_cookie(info, counters, cpu))
            await info.id.store(0)

    kernel.task(0, body, cpus=(cpu,))
    outcome = kernel.run()
    wanted = [count << 32 | cpu + 1 for count in (3, 5, 7)]
    assert notes(outcome, "cookie") == notes(outcome, "again") == wanted
    assert [outcome.words[counter.address] for counter in counters] == [
        7 if number == cpu else 0 for number in range(6)
    ]


@pytest.mark.parametrize("counter", [0xFFFFFFFD, 0xFFFFFFFF, 0x100000001, 1 << 47])
def test_no_count_is_0_even_where_it_wraps(counter: int) -> None:
    kernel = Kernel()
    info, counters = kernel.system.tasks[0].unwind_info, kernel.system.deferral.unwind_ctx_ctr
    kernel.program.layout.initialise(counters[0], counter)

    async def body() -> None:
        await saw("cookie", await unwind_get_cookie(info, counters, 0))

    kernel.task(0, body)
    [cookie] = notes(kernel.run(), "cookie")
    assert _count(cookie) == (counter + 2 | 1) & 0xFFFFFFFF
    assert _count(cookie) & 1


def _with_nmi(generation: str) -> Kernel:
    kernel = Kernel(generation, tracers=2)
    system = kernel.system
    task = system.tasks[0]

    async def body() -> None:
        for _ in range(2):
            await system.entry.enter_from_user_mode(task)
            _, cookie = await system.request(0, Caller(task))
            await saw("task", cookie)
            await system.entry.do_syscall_64(task)

    async def ask(caller: Caller) -> None:
        returned, cookie = await system.request(1, caller)
        await saw("nmi", cookie if returned >= 0 else None)

    async def come() -> None:
        await system.entry.nmi(system.cpus[0], ask)

    kernel.task(0, body)
    kernel.nmi(come)
    return kernel


@pytest.mark.parametrize("generation", ["mutex_list_nmi", "bitmask", "completed", "upstream"])
def test_an_nmi_anywhere_in_a_request_has_the_same_cookie(generation: str) -> None:
    """Wherever it comes: counts are 3, 5 and perhaps 7, none is left out, and the counter is the last."""
    kernel = _with_nmi(generation)
    counter = kernel.system.deferral.unwind_ctx_ctr[0].address
    shared = tries = 0
    for outcome in everywhere(kernel.program, "task0", "nmi"):
        tries += 1
        one, two = notes(outcome, "task")
        [other] = notes(outcome, "nmi") or [None]
        cookies = {each for each in (one, two, other) if each}
        counts = sorted(_count(each) for each in cookies)
        assert counts == [3, 5, 7][: len(counts)]
        assert outcome.words[counter] == counts[-1]
        assert all(isinstance(each, int) and each & 0xFFFFFFFF == 1 for each in cookies)
        shared += other in (one, two)
    assert tries > 80
    assert shared > 60
