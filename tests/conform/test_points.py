"""Where an injection can be: before operations and calls, on entering and leaving, at the first arrival."""

from stackweave.conform.driver import Driver, Point, points_between

from .printing import TRACERS, injected, points_of

CALLER = "process_unwind_deferred"
CALLEE = "unwind_user_faultable"


def test_the_first_operation_is_entered() -> None:
    assert points_between((), (("task", 2), (CALLER, 8))) == (
        Point(CALLER, ()),
        Point(CALLER, ((CALLER, 8),)),
    )


def test_an_operation_is_where_it_stands() -> None:
    before = (("task", 2), (CALLER, 8))
    after = (("task", 2), (CALLER, 30))
    assert points_between(before, after) == (Point(CALLER, ((CALLER, 30),)),)


def test_helpers_are_inlined() -> None:
    before = ((CALLER, 8),)
    after = ((CALLER, 12), ("cache_of", 4))
    assert points_between(before, after) == (Point(CALLER, ((CALLER, 12), ("cache_of", 4))),)
    assert points_between(after, ((CALLER, 20),)) == (Point(CALLER, ((CALLER, 20),)),)


def test_a_call_is_a_point_of_the_caller() -> None:
    before = ((CALLER, 8),)
    after = ((CALLER, 12), (CALLEE, 4))
    assert points_between(before, after) == (
        Point(CALLEE, ()),
        Point(CALLER, ((CALLER, 12),)),
        Point(CALLEE, ((CALLEE, 4),)),
    )


def test_leaving_is_a_point() -> None:
    before = ((CALLER, 12), (CALLEE, 90))
    assert points_between(before, ((CALLER, 14),)) == (
        Point(CALLEE, (), leaving=True),
        Point(CALLER, ((CALLER, 14),)),
    )


def test_leaving_several_is_innermost_first() -> None:
    before = (("do_syscall_64", 2), (CALLER, 12), (CALLEE, 90))
    assert points_between(before, (("do_syscall_64", 4),))[:2] == (
        Point(CALLEE, (), leaving=True),
        Point(CALLER, (), leaving=True),
    )


def test_a_tail_call_leaves_nothing_to_return_to() -> None:
    before = (("task_work_run", 2), ("unwind_deferred_task_work", 4), (CALLER, 60))
    assert points_between(before, (("task_work_run", 6),)) == (
        Point(CALLER, (), leaving=True),
        Point("task_work_run", (("task_work_run", 6),)),
    )


def test_each_point_is_met_once() -> None:
    points = Driver(injected("req 0 2", 1), TRACERS).run().points
    assert len(points) == len(set(points))


def test_an_injection_fires_at_the_first_arrival_only() -> None:
    one, two = (Driver(injected(outer, 1), TRACERS) for outer in ("req 0", "req 0 2"))
    for point in points_of([injected("req 0", 1)], "unwind_deferred_request"):
        injections = [str(run.run(point).outcome[-1]) for run in (one, two)]
        assert injections[0] == injections[1]
        assert "hit=0x1" in injections[0]


def test_a_point_that_is_not_met_changes_nothing() -> None:
    driver = Driver(injected("req 0", 1), TRACERS)
    nowhere = Point("unwind_deferred_request", (("unwind_deferred_request", 9999),))
    assert driver.run(nowhere).outcome == driver.run().outcome
    assert "hit=0x0" in str(driver.run().outcome[-1])


def test_runs_do_not_depend_on_earlier_ones() -> None:
    driver = Driver(injected("req2 0 1", 0), TRACERS)
    points = points_of([injected("req2 0 1", 0)], "process_unwind_deferred")
    first = [driver.run(point).outcome for point in points]
    assert [driver.run(point).outcome for point in reversed(points)] == first[::-1]
    assert len(set(first)) > 1
