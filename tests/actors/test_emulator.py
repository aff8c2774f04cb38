"""The actors as one program: what mailboxes say happens, in the interpreter."""

from itertools import pairwise
from typing import Final, TypeVar

import pytest

from stackweave.actors import Agenda, Emulator
from stackweave.actors.events import Delivered, RecordsLost, SessionEnd
from stackweave.core import Interpreter, Outcome, RandomWalk, State, Verdict
from stackweave.core.events import CallbackBegin, KernelEntry, Registered, RequestEnd
from stackweave.wire.messages import Cancel, Exit, Interrupt, Nmi, Register, SystemCall

CALLS: Final[list[SystemCall | Exit]] = [SystemCall(0), SystemCall(1), SystemCall(-1), Exit()]


def small(capacity: int = 16) -> Emulator:
    agenda = Agenda(
        tasks=[CALLS, CALLS],
        interrupts=[[Interrupt(1, resched=True)] * 2],
        nmis=[[Nmi(0)] * 2],
    )
    return Emulator("small", cpus=1, tracers=2, agenda=agenda, capacity=capacity)


def run(emulator: Emulator, execution: int) -> Outcome:
    return Interpreter(emulator.program).run(RandomWalk(5), execution)


Event = TypeVar("Event")


def of(kind: type[Event], outcome: Outcome) -> list[Event]:
    return [each.event for each in outcome.events if isinstance(each.event, kind)]


def test_orders_are_carried_out_and_every_sample_is_delivered_once() -> None:
    for execution in range(20):
        outcome = run(small(), execution)
        granted = [event for event in of(RequestEnd, outcome) if event.returned >= 0]
        assert len(of(KernelEntry, outcome)) >= 2 * len(CALLS)
        assert len(of(Delivered, outcome)) == len(granted) >= 4
        assert sorted(end.tracer for end in of(SessionEnd, outcome)) == [0, 1]
        assert of(RecordsLost, outcome) == []


def test_an_interrupt_asks_for_another_task() -> None:
    def switches(resched: bool) -> int:
        calls: list[SystemCall | Exit] = [*[SystemCall(-1)] * 8, Exit()]
        agenda = Agenda(tasks=[calls] * 2, interrupts=[[Interrupt(-1, resched=resched)] * 8])
        emulator = Emulator("ticks", cpus=1, tracers=0, agenda=agenda)
        interpreter = Interpreter(emulator.program)
        schedule = interpreter.run(RandomWalk(1), 0).schedule
        tasks = [index for index in schedule if index in (0, 1)]
        return sum(a != b for a, b in pairwise(tasks))

    assert switches(resched=False) == 1
    assert switches(resched=True) > 3


def test_a_small_buffer_loses_records_and_says_how_many() -> None:
    lossy = 0
    for execution in range(20):
        outcome = run(small(capacity=1), execution)
        callbacks = len(of(CallbackBegin, outcome))
        samples = len(of(RequestEnd, outcome))
        written = callbacks + samples + 2 * 2  # each task's end is told to both tracers
        lost = sum(event.count for event in of(RecordsLost, outcome))
        assert lost + len(of(Delivered, outcome)) <= written
        lossy += lost > 0
    assert lossy > 10


def test_a_tracer_leaves_and_comes_back() -> None:
    agenda = Agenda(
        tasks=[CALLS],
        tracers=[[Cancel(), Cancel(), Register(), Register(), Cancel()]],
    )
    emulator = Emulator("churn", cpus=1, tasks=1, tracers=1, agenda=agenda)
    outcome = run(emulator, 0)
    # one at the start; a second Cancel or Register in a row is nothing to do
    assert len(of(Registered, outcome)) == 2
    assert outcome.verdict is Verdict.CLEAN


def test_a_task_without_orders_waits_off_its_cpu() -> None:
    emulator = Emulator("idle", cpus=1, tasks=2, tracers=0, agenda=Agenda(tasks=[[], [Exit()]]))
    interpreter = Interpreter(emulator.program)
    waiting = interpreter.contexts[0]
    for _ in range(1000):
        enabled = interpreter.enabled()
        if not enabled:
            break
        interpreter.step(enabled[0])
    assert waiting.state is State.SLEEPING
    assert interpreter.contexts[1].state is State.DEAD
    interpreter.inject(emulator.tasks[0].inbox, SystemCall(-1))
    interpreter.inject(emulator.tasks[0].inbox, Exit())
    while not interpreter.finished:
        interpreter.step(interpreter.enabled()[0])
    assert interpreter.violations == []


def test_an_event_that_no_tracer_has_is_nobodys() -> None:
    agenda = Agenda(tasks=[[SystemCall(7), Exit()]], nmis=[[Nmi(-1)]])
    outcome = run(Emulator("nobody", cpus=1, tasks=1, tracers=1, agenda=agenda), 0)
    assert of(RequestEnd, outcome) == []


@pytest.mark.parametrize("seed", range(3))
def test_the_same_seed_is_the_same_execution(seed: int) -> None:
    assert run(small(), seed) == run(small(), seed)
