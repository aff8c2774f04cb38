"""Live runs on both back ends: replay, monitors, ends of every kind."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import anyio
import pytest
import trio
from anyio.lowlevel import checkpoint

from stackweave.actors import Emulator
from stackweave.actors.carrier import CarriedQueue
from stackweave.actors.events import Delivered, RecordsLost, SessionEnd
from stackweave.actors.live import Live
from stackweave.actors.soak import Entries, farewell
from stackweave.actors.timetable import Arrival, Source
from stackweave.core import (
    ModelError,
    Program,
    UsageError,
    Verdict,
    pause,
    schedule,
    wake_up_new_task,
)
from stackweave.core.context import Body
from stackweave.core.events import CallbackBegin, RequestEnd
from stackweave.wire.messages import Exit, Nmi, SystemCall

from .running import cancels, check_at_rest, replayed, soak

pytestmark = pytest.mark.anyio

ENTRIES = 300


async def test_a_live_run_replays_to_equal_events_and_memory() -> None:
    emulator = Emulator("soak")
    live = soak(emulator, ENTRIES, seed=3)
    outcome = await live.run()
    again = replayed(Emulator("soak").program, live, outcome)
    assert again.events == list(outcome.events)
    assert tuple(again.store.words) == outcome.words
    assert tuple(again.violations) == outcome.violations
    assert again.finished
    check_at_rest(live)


async def test_a_replay_with_another_choice_is_not_equal() -> None:
    live = soak(Emulator("soak"), 30, seed=3)
    outcome = await live.run()

    def differs(at: int) -> bool:
        changed = list(outcome.schedule)
        changed[at] ^= 1  # ~0 and ~1
        other = outcome._replace(schedule=tuple(changed))
        try:
            return replayed(Emulator("soak").program, live, other).events != list(outcome.events)
        except UsageError:
            return True  # it does not even fit

    choices = [at for at, entry in enumerate(outcome.schedule) if entry < 0]
    assert any(map(differs, choices[:20]))


async def test_a_planted_defect_is_caught_live() -> None:
    emulator = Emulator("soak", generation="bitmask")
    caught: list[int] = []

    def watch(live: Live) -> None:
        if any(each.signature == "twice" for each in live.interpreter.violations):
            caught.append(live.operations)
            live.stop()

    live = soak(emulator)
    live.watch = watch
    outcome = await live.run()
    assert outcome.verdict is Verdict.VIOLATION
    assert caught[0] < live.operations < caught[0] + 20_000


async def test_samples_are_stitched() -> None:
    live = soak(Emulator("soak"), ENTRIES)
    outcome = await live.run()
    events = [each.event for each in outcome.events]
    ended = sorted(event.tracer for event in events if isinstance(event, SessionEnd))
    assert ended == [0, 1, 2]
    delivered = [event for event in events if isinstance(event, Delivered)]
    samples = [event for event in events if isinstance(event, RequestEnd)]
    lost = sum(event.count for event in events if isinstance(event, RecordsLost))
    assert len(delivered) <= len(samples) <= len(delivered) + lost + 3 * 16
    traces = {event.trace for event in events if isinstance(event, CallbackBegin)}
    merged = [event.chain for event in delivered if event.merged]
    assert len(merged) > 100
    assert set(merged) <= traces


async def test_messages_travel_as_bytes() -> None:
    live = soak(Emulator("soak"), 20)
    kinds: set[type] = set()

    def watch(run: Live) -> None:
        for box in run.interpreter.store.mailboxes:
            assert isinstance(box, CarriedQueue)
            kinds.update(map(type, deque.__iter__(box)))
        if run.operations == 2000:
            run.stop()

    live.watch = watch
    await live.run()
    assert kinds == {bytes}
    assert live.carrier.messages > 20
    assert live.carrier.octets > 3 * live.carrier.messages


async def test_a_message_that_has_no_form_is_its_senders_fault() -> None:
    program = Program("formless", 2)
    box = program.layout.mailbox("box", 1, str)

    async def sends() -> None:
        await box.send("text")

    program.task("sends", sends, cpus=[0])
    program.task("reads", _reads(box.receive), cpus=[1])
    outcome = await Live(program).run()
    assert [each.signature for each in outcome.violations] == ["crash:WireError"]
    assert outcome.violations[0].context == "sends"


def _reads(receive: Callable[[], Awaitable[object]]) -> Body:
    async def reads() -> None:
        await receive()

    return reads


async def test_an_actor_that_fails_ends_the_run_and_leaves_nothing() -> None:
    program = Program("fails", 2)
    word = program.layout.word("word")

    async def fails() -> None:
        await word.load()
        raise ModelError("not a program")

    async def spins() -> None:
        while not await word.load():
            await pause()

    program.task("fails", fails, cpus=[0])
    program.task("spins", spins, cpus=[1])
    live = Live(program)
    with pytest.raises(ModelError, match="not a program"):
        await live.run()
    assert not any(context.state.name == "RUNNING" for context in live.interpreter.contexts)


async def test_a_protocols_crash_is_a_violation() -> None:
    program = Program("crash", 1)
    word = program.layout.word("word")

    async def crashes() -> None:
        await word.load()
        raise KeyError("gone")

    program.task("crashes", crashes, cpus=[0])
    outcome = await Live(program).run()
    assert [each.signature for each in outcome.violations] == ["crash:KeyError"]


async def test_a_deadlock_is_reported() -> None:
    program = Program("deadlock", 1)
    word = program.layout.word("word")

    async def waits() -> None:
        await word.wait(1, 1)

    program.task("waits", waits, cpus=[0])
    outcome = await Live(program).run()
    assert [each.signature for each in outcome.violations] == ["deadlock"]


async def test_a_closed_run_that_waits_for_a_message_is_a_deadlock() -> None:
    program = Program("waits", 1)
    box = program.layout.mailbox("box", 1, object)
    program.task("reads", _reads(box.receive), cpus=[0])
    outcome = await Live(program).run()
    assert [each.signature for each in outcome.violations] == ["deadlock"]


async def test_sources_whose_mailboxes_are_full_do_not_keep_a_deadlock_alive() -> None:
    program = Program("full", 1)
    word = program.layout.word("word")
    box = program.layout.mailbox("box", 2, object)

    async def waits() -> None:
        await word.wait(1, 1)

    program.task("waits", waits, cpus=[0])
    live = Live(program, sources=[Source(box, [Exit()], 3)])
    outcome = await live.run()
    assert [each.signature for each in outcome.violations] == ["deadlock"]
    assert len(live.undelivered) == 2


async def test_tasks_that_pause_fork_and_switch_all_end() -> None:
    program = Program("family", 1)
    turn = program.layout.word("turn")
    children: list[int] = []

    async def parent() -> None:
        await wake_up_new_task(children[0])
        while await turn.load() < 3:
            await schedule()

    async def child() -> None:
        for _ in range(3):
            await turn.fetch_add(1)
            await schedule()

    async def elsewhere() -> None:
        while await turn.load() < 3:
            await pause()

    program.task("parent", parent, cpus=[0])
    children.append(program.task("child", child, cpus=[0], live=False))
    program.thread("elsewhere", elsewhere)
    live = Live(program)
    outcome = await live.run()
    assert outcome.verdict is Verdict.CLEAN
    assert replayed(program, live, outcome).finished


async def test_a_host_sends_and_waits_for_room() -> None:
    emulator = Emulator("hosted", tasks=1, tracers=1, cpus=1, capacity=1)
    live = Live(emulator.program, farewell=farewell(emulator), hosted=True)
    async with anyio.create_task_group() as group:
        group.start_soon(live.run)
        for _ in range(20):
            await live.send(emulator.tasks[0].inbox, SystemCall(0))
            await live.send(emulator.cpus[0].nmis, Nmi(0))
        for _ in range(2000):
            await checkpoint()  # nobody has anything to do: the run goes on all the same
        assert not live.interpreter.finished
        live.stop()
    assert live.outcome.verdict is not Verdict.INCOMPLETE
    assert live.interpreter.finished
    check_at_rest(live)
    with pytest.raises(UsageError, match=r"nobody reads task0\.inbox"):
        await live.send(emulator.tasks[0].inbox, SystemCall(0))


async def test_a_sender_that_waits_for_room_is_told_of_the_end() -> None:
    program = Program("ends", 1)
    box = program.layout.mailbox("box", 1, object)
    word = program.layout.word("word")

    async def ends() -> None:
        for _ in range(50):
            await word.load()

    program.task("ends", ends, cpus=[0])
    live = Live(program, hosted=True)
    async with anyio.create_task_group() as group:
        group.start_soon(live.run)
        await live.send(box, Exit())
        with pytest.raises(UsageError, match="nobody reads box"):
            await live.send(box, Exit())
    assert [each.message for each in live.undelivered] == [Exit()]


async def test_who_does_not_hear_the_farewell_is_in_a_deadlock() -> None:
    program = Program("deaf", 2)
    box = program.layout.mailbox("box", 1, object)
    word = program.layout.word("word")

    async def deaf() -> None:
        await word.wait(1, 1)

    program.task("reads", _reads(box.receive), cpus=[0])
    program.task("deaf", deaf, cpus=[1])
    live = Live(program, hosted=True, farewell=[Arrival(box, Exit())])
    async with anyio.create_task_group() as group:
        group.start_soon(live.run)
        await checkpoint()
        live.stop()
    assert [each.signature for each in live.outcome.violations] == ["deadlock"]


async def test_what_comes_to_rest_without_a_farewell_is_incomplete() -> None:
    program = Program("server", 1)
    box = program.layout.mailbox("box", 4, object)

    async def serves() -> None:
        while True:
            await box.receive()

    program.task("serves", serves, cpus=[0])
    live = Live(program, hosted=True)
    async with anyio.create_task_group() as group:
        group.start_soon(live.run)
        for _ in range(3):
            await live.send(box, Exit())
        live.stop()
    assert live.outcome.verdict is Verdict.INCOMPLETE
    assert live.undelivered == []


async def test_a_model_that_never_rests_is_given_up() -> None:
    program = Program("spins", 1)
    word = program.layout.word("word")

    async def spins() -> None:
        while True:
            await word.load()

    program.task("spins", spins, cpus=[0])
    live = Live(program, patience=100)
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(live.run)
            await checkpoint()
            group.cancel_scope.cancel()
    assert live.given_up
    assert live.outcome.verdict is Verdict.INCOMPLETE


async def test_nested_cancellation_reaches_the_caller() -> None:
    emulator = Emulator("soak")
    live = soak(emulator)
    reached = False
    with anyio.CancelScope() as scope:
        live.watch = cancels(scope, 500)
        await live.run()
        reached = True
    assert scope.cancelled_caught
    assert not reached
    check_at_rest(live)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_asyncios_own_cancellation_is_as_gentle() -> None:
    before = asyncio.all_tasks()
    live = soak(Emulator("soak"))
    task = asyncio.create_task(live.run())
    live.watch = cancels(task, 700)
    with pytest.raises(asyncio.CancelledError):
        await task
    check_at_rest(live)
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_nothing_is_left_running_on_trio() -> None:
    before = trio.lowlevel.current_statistics().tasks_living
    await soak(Emulator("soak"), 20).run()
    assert trio.lowlevel.current_statistics().tasks_living == before


async def test_entries_are_counted_where_they_end() -> None:
    emulator = Emulator("soak")
    live = soak(emulator, 50)
    await live.run()
    assert isinstance(live.watch, Entries)
    assert 50 <= live.watch.count < 120
