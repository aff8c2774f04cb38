"""SRCU: no grace period ends over a reader that began before it, wherever readers migrate; and twins that fail."""

from collections.abc import Iterator

import pytest

from stackweave.core import (
    Context,
    Interpreter,
    Outcome,
    Program,
    RandomWalk,
    Verdict,
    Word,
    emit,
    fence,
    schedule,
    smp_processor_id,
)
from stackweave.core.events import GracePeriodBegin, GracePeriodEnd, ReaderBegin, ReaderEnd
from stackweave.core.kernel.srcu import Srcu, _sum
from stackweave.core.monitors import grace_periods

from .support import notes, saw

READERS, UPDATERS, CPUS = 3, 2, 5
WEIGHT = 16
"""Of an updater against a reader: a whole grace period fits into a section."""


ENDED_EARLY = "grace-period:srcu"


async def _read(srcu: Srcu, started: Word, reader: int) -> None:
    for _ in range(2):
        await started.store(1)
        async with srcu.read_lock():
            await emit(ReaderBegin("srcu", reader))
            await schedule()
            await emit(ReaderEnd("srcu", reader))


async def _update(srcu: Srcu, started: Word, updater: int) -> None:
    await started.wait(1, 1)
    for _ in range(2):
        await emit(GracePeriodBegin("srcu", updater))
        await srcu.synchronize()
        await emit(GracePeriodEnd("srcu", updater))


def contended(kind: type[Srcu]) -> Program:
    """Readers that migrate in the middle, and updaters."""
    program = Program("srcu", CPUS, bound=5_000)
    for cpu in range(CPUS):
        program.cpu(cpu)
    srcu = kind(program.layout, "srcu")
    started = program.layout.word("started")
    for number in range(READERS):
        program.task(f"reader{number}", _read, srcu, started, number, cpus=range(CPUS))
    for number in range(UPDATERS):
        name = f"updater{number}"
        program.task(name, _update, srcu, started, number, cpus=range(CPUS), weight=WEIGHT)
    program.monitors += grace_periods("srcu", range(READERS), range(UPDATERS))
    return program


class SumsLocksFirst(Srcu):
    """A reader that comes and goes between the sums stands for one that is inside."""

    async def _readers_are_gone(self, index: int) -> bool:
        locks = await _sum(self._locks, index)
        await fence()
        return await _sum(self._unlocks, index) == locks


class ScansOnce(Srcu):
    """Who fetched the index before the flip and counted after the scan is not waited for."""

    async def synchronize(self) -> None:
        async with self._gp_mutex:
            inactive = await self._ctrp.load() ^ 1
            await self._ctrp.store(inactive)
            await self._await_readers(inactive ^ 1)


class ScansOnlyTheInactive(Srcu):
    """New readers go on counting where nobody looks."""

    async def synchronize(self) -> None:
        async with self._gp_mutex:
            inactive = await self._ctrp.load() ^ 1
            await self._await_readers(inactive)
            await self._ctrp.store(inactive)


class NeverFlips(Srcu):
    """Both scans are of the same index."""

    async def synchronize(self) -> None:
        async with self._gp_mutex:
            inactive = await self._ctrp.load() ^ 1
            await self._await_readers(inactive)
            await self._await_readers(inactive)


class CountsTheOther(Srcu):
    """A reader counts itself under the index that it did not find."""

    async def srcu_read_lock(self) -> int:
        index = await super().srcu_read_lock()
        cpu = 0
        await self._locks[cpu][index].fetch_add(-1)
        await self._locks[cpu][index ^ 1].fetch_add(1)
        return index


class UnlocksAtOnce(Srcu):
    """The count is taken back before the section has ended."""

    async def srcu_read_lock(self) -> int:
        index = await super().srcu_read_lock()
        await self._unlocks[0][index].fetch_add(1)
        return index

    async def srcu_read_unlock(self, index: int) -> None:
        await fence()


def _run(program: Program, count: int) -> Iterator[Outcome]:
    interpreter, strategy = Interpreter(program), RandomWalk(1)
    return (interpreter.run(strategy, execution) for execution in range(count))


def test_grace_periods_wait() -> None:
    for outcome in _run(contended(Srcu), 3_000):
        assert outcome.verdict is Verdict.CLEAN, outcome.violations


@pytest.mark.parametrize(
    ("twin", "count", "signature"),
    [
        (ScansOnce, 1_000, ENDED_EARLY),
        (ScansOnlyTheInactive, 1_000, ENDED_EARLY),
        (NeverFlips, 50, ENDED_EARLY),
        (UnlocksAtOnce, 50, ENDED_EARLY),
        # the sums never agree again
        (CountsTheOther, 50, "deadlock"),
    ],
)
def test_a_twin_does_not(twin: type[Srcu], count: int, signature: str) -> None:
    outcomes = _run(contended(twin), count)
    assert any(each.signature == signature for outcome in outcomes for each in outcome.violations)


def _overtaken(kind: type[Srcu]) -> list[str]:
    """Reader 0 is inside; reader 1, which has fetched the index, has its section at each step of an updater."""
    program = contended(kind)
    interpreter = Interpreter(program)
    found = []
    for steps in range(80):
        interpreter.reset()
        inside, stalled, updater = (interpreter.contexts[at] for at in (0, 1, READERS))
        _step(interpreter, stalled, 3)
        _step(interpreter, inside, 5)
        _step(interpreter, updater, steps)
        _step(interpreter, stalled, 7)
        _step(interpreter, updater, 60)
        found += [each.signature for each in interpreter.violations]
    return found


def _step(interpreter: Interpreter, context: Context, count: int) -> None:
    for _ in range(count):
        if context in interpreter.enabled():
            interpreter.step(context)


def test_a_section_between_the_sums() -> None:
    assert _overtaken(Srcu) == []
    assert set(_overtaken(SumsLocksFirst)) == {"grace-period:srcu"}


def test_a_grace_period_in_its_own_reader_is_a_deadlock() -> None:
    program = Program("srcu", 1)
    program.cpu(0)
    srcu = Srcu(program.layout, "srcu")

    async def body() -> None:
        async with srcu.read_lock():
            await srcu.synchronize()

    program.task("task", body, cpus=(0,))
    [outcome] = _run(program, 1)
    assert [each.signature for each in outcome.violations] == ["deadlock"]


def test_two_that_wait_for_each_other_are_a_deadlock() -> None:
    program = Program("srcu", 2)
    for cpu in range(2):
        program.cpu(cpu)
    one, other = Srcu(program.layout, "one"), Srcu(program.layout, "other")

    async def body(reads: Srcu, waits: Srcu) -> None:
        async with reads.read_lock():
            await waits.synchronize()

    program.task("a", body, one, other, cpus=(0,))
    program.task("b", body, other, one, cpus=(1,))
    seen = [[each.signature for each in outcome.violations] for outcome in _run(program, 100)]
    assert seen.count(["deadlock"]) > 50
    assert all(each in ([], ["deadlock"]) for each in seen)


class WakesNobody(Srcu):
    """A reader that ends leaves who waits for it asleep."""

    async def srcu_read_unlock(self, index: int) -> None:
        await fence()
        cpu = await smp_processor_id()
        await self._unlocks[cpu][index].fetch_add(1)


@pytest.mark.parametrize(("kind", "found"), [(Srcu, set()), (WakesNobody, {"deadlock"})])
def test_who_waits_is_woken(kind: type[Srcu], found: set[str]) -> None:
    outcomes = _run(contended(kind), 200)
    assert {each.signature for outcome in outcomes for each in outcome.violations} == found


def test_a_reader_that_nobody_waits_for_wakes_nobody() -> None:
    program = Program("srcu", 1)
    program.cpu(0)
    srcu = Srcu(program.layout, "srcu")

    async def body() -> None:
        async with srcu.read_lock():
            await fence()

    program.task("task", body, cpus=(0,))
    [outcome] = _run(program, 1)
    # its arrival, index, count, fence; the section's; fence, count
    assert outcome.operations == 7


def test_polling() -> None:
    program = Program("srcu", 1)
    program.cpu(0)
    srcu = Srcu(program.layout, "srcu")

    async def body() -> None:
        before = await srcu.get_state()
        await saw("ended", await srcu.poll(before))
        await srcu.synchronize()
        await saw("ended", await srcu.poll(before))
        after = await srcu.get_state()
        await saw("ended", await srcu.poll(after))
        await saw("cookies", (before, after))

    program.task("task", body, cpus=(0,))
    [outcome] = _run(program, 1)
    assert notes(outcome, "ended") == [False, True, False]
    assert notes(outcome, "cookies") == [(4, 8)]


def test_a_state_taken_during_a_grace_period_is_of_the_next() -> None:
    program = Program("srcu", 2)
    for cpu in range(2):
        program.cpu(cpu)
    srcu = Srcu(program.layout, "srcu")

    async def reader() -> None:
        async with srcu.read_lock():
            await _in_progress(srcu)
            state = await srcu.get_state()
            await saw("state", state)
        while await srcu._seq.load() & 3:
            await schedule()
        await saw("ended", await srcu.poll(state))
        await srcu.synchronize()
        await saw("ended", await srcu.poll(state))

    program.task("reader", reader, cpus=(0,))
    program.task("updater", srcu.synchronize, cpus=(1,))
    for outcome in _run(program, 50):
        assert outcome.verdict is Verdict.CLEAN
        assert notes(outcome, "state") == [8]
        assert notes(outcome, "ended") == [False, True]


async def _in_progress(srcu: Srcu) -> None:
    while not await srcu._seq.load() & 3:
        await schedule()
