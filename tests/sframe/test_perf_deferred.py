"""A recorded session with deferred callchains against perf's own output, merged and unmerged."""

from collections.abc import Iterator
from typing import Final

import pytest

from stackweave.core.sframe.perf import PerfStack, session
from stackweave.core.sframe.perf.order import TimeOrder
from stackweave.core.sframe.perf.stitch import DeferredSamples

from .perf_sessions import DEFERRED, PrintedStack, open_session, printed

RECORDED: Final = DEFERRED / "p1_churn3.data.xz"

Shown = tuple[str, int | None, int | None, int | None, int | None, tuple[int, ...]]
"""Name, tid, CPU, microseconds, cookie of a record by itself, addresses."""


def ours(*, merge: bool) -> list[Shown]:
    return list(map(show, open_session(RECORDED).stacks(merge=merge)))


def show(stack: PerfStack) -> Shown:
    addresses = tuple(place.pc for place in (*stack.kernel, *stack.user))
    cookie = None
    if stack.event is None:
        cookie = stack.cookie
    elif stack.cookie is not None and not stack.is_merged:
        # perf leaves the cookie of an unmerged sample where the chain should be
        addresses += (stack.cookie,)
    microseconds = None if stack.time is None else stack.time // 1000
    return stack.comm, stack.tid, stack.cpu, microseconds, cookie, addresses


def perfs(name: str) -> list[Shown]:
    return list(map(show_printed, printed(DEFERRED / f"p1_churn3.{name}.txt.xz")))


def show_printed(stack: PrintedStack) -> Shown:
    addresses = tuple(frame.ip for frame in stack.frames)
    return stack.comm, stack.tid, stack.cpu, stack.microseconds, stack.cookie, addresses


def test_merged_as_perf_merges() -> None:
    merged = ours(merge=True)
    assert merged == perfs("merge-callchains")
    assert len(merged) == 874


def test_unmerged_on_request() -> None:
    unmerged = ours(merge=False)
    assert unmerged == perfs("no-merge-callchains")
    assert len(unmerged) == 874 + 2335


def test_what_is_known_of_a_merged_sample() -> None:
    stacks = list(open_session(RECORDED).stacks())
    deferred = [stack for stack in stacks if stack.cookie is not None]
    assert {stack.is_merged for stack in deferred} == {True, False}
    assert all(stack.event and stack.event.name == "cpu-clock" for stack in stacks)
    files = {place.path for stack in deferred if stack.is_merged for place in stack.user}
    assert "/usr/bin/perf" in files
    assert {place.path for stack in stacks for place in stack.kernel} == {
        "[kernel.kallsyms]",
        "[virtio_blk]",
        None,
    }


class OfAnyTask(DeferredSamples[PerfStack]):
    """Planted: a record releases the samples of every task."""

    def wait(self, task: int, cookie: int, item: PerfStack) -> None:
        super().wait(0, cookie, item)

    def release(self, task: int, cookie: int) -> list[tuple[PerfStack, bool]]:
        return super().release(0, cookie)


class OnlyItsOwn(DeferredSamples[PerfStack]):
    """Planted: samples with another cookie are lost."""

    def release(self, task: int, cookie: int) -> list[tuple[PerfStack, bool]]:
        return [(item, fits) for item, fits in super().release(task, cookie) if fits]


class AnyCookie(DeferredSamples[PerfStack]):
    """Planted: the cookie is not compared."""

    def release(self, task: int, cookie: int) -> list[tuple[PerfStack, bool]]:
        return [(item, True) for item, _ in super().release(task, cookie)]


@pytest.mark.parametrize("planted", [OfAnyTask, OnlyItsOwn, AnyCookie])
def test_another_rule_gives_another_session(
    planted: type[DeferredSamples[PerfStack]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "DeferredSamples", planted)
    assert ours(merge=True) != perfs("merge-callchains")


def test_the_order_of_the_file_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(_: object, time: int, item: object) -> Iterator[object]:
        yield item

    monkeypatch.setattr(TimeOrder, "push", at_once)
    assert ours(merge=True) != perfs("merge-callchains")
    assert ours(merge=False) != perfs("no-merge-callchains")
