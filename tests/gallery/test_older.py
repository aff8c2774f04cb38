"""The older generations' programs: mended they show nothing, spoilt what was refuted; and what they cost."""

from dataclasses import replace

import pytest

from stackweave.core.kernel.generation import call_tracer
from stackweave.core.kernel.life import Life
from stackweave.core.kernel.per_work import PerWork
from stackweave.core.kernel.structs import PF_EXITING, Task, UnwindWork
from stackweave.core.kernel.system import GENERATIONS
from stackweave.gallery.entries import ENTRIES
from stackweave.gallery.evidence import every_execution
from stackweave.gallery.measure import Rate, cost_of
from stackweave.programs import Parameters

EXECUTIONS = 200


class ReturnsStored(PerWork):
    """get_cookie() reads again what it stored."""

    async def get_cookie(self, task: Task) -> int:
        return await super().get_cookie(task) or await task.unwind_info.id.load()


class ClearsBefore(PerWork):
    """The flag is cleared before the callback."""

    async def _run(self, work: UnwindWork, task: Task) -> None:
        if not await work.pending.load():
            return
        cookie = await self.get_cookie(task)
        nr = await self._unwind(task)
        await work.pending.store(0)
        await call_tracer(self.deferral, work, task, cookie, nr)


@pytest.mark.parametrize(
    ("id", "mended"),
    [("per_work-first-cookie", ReturnsStored), ("per_work-late-clear", ClearsBefore)],
)
def test_what_is_mended_is_gone(
    id: str, mended: type[PerWork], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = ENTRIES[id]
    assert entry.case is not None
    assert set(entry.signatures) & set(every_execution(entry.case).signatures)
    monkeypatch.setitem(GENERATIONS, "per_work", mended)
    assert every_execution(entry.case).is_without(entry.signatures)


def test_a_cookie_that_does_not_wrap_is_not_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = ENTRIES["per_work-wrap"]
    assert entry.case is not None
    assert set(entry.signatures) <= set(every_execution(entry.case).signatures)
    monkeypatch.setattr("stackweave.programs.own_works.COUNT_BITS", 47)
    assert not every_execution(entry.case).signatures


def test_an_exit_that_closes_the_list_first_lets_an_add_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The order of do_exit() is what the refutation rests on."""

    async def do_exit(life: Life, task: Task) -> None:
        await task.flags.fetch_or(PF_EXITING)
        await life._task_work.task_work_run(task)
        await task.mm.store(0)

    entry = ENTRIES["per_work-failed-add"]
    assert entry.case is not None
    assert every_execution(entry.case).is_without(entry.signatures)
    monkeypatch.setattr(Life, "do_exit", do_exit)
    assert set(entry.signatures) <= set(every_execution(entry.case).signatures)


def _cost(id: str, generation: str | None = None) -> Rate:
    entry = ENTRIES[id]
    assert entry.case is not None
    assert entry.cost is not None
    case = replace(entry.case, parameters=Parameters(generation=generation))
    return cost_of(case, entry.cost, EXECUTIONS)


def test_walks_wait_for_one_another_until_they_take_no_mutex() -> None:
    waited = _cost("mutex_list-mutex")
    assert 0 < waited.count < waited.among
    assert _cost("mutex_list-mutex", "completed").count > 0
    assert _cost("mutex_list-mutex", "upstream").among == 0


def test_a_cache_unwinds_once_an_entry() -> None:
    assert _cost("per_work-cache") == Rate(2 * EXECUTIONS, 2 * EXECUTIONS)
    assert _cost("per_work-cache", "mutex_list") == Rate(EXECUTIONS, 2 * EXECUTIONS)
