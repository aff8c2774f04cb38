"""The live driver: each context of a program is a task of trio's or asyncio's, over one owner of memory.

The owner is an `Interpreter`: an actor whose context may move lets it perform one operation, and then
yields to the event loop, which thus decides the order. So operations are totally ordered, the order is recorded,
and any interpreter replays it to equal events. An actor that has to wait parks until its context may move.

Actors are children of one task group, which ends when the program does. Cancellation from outside does not hit
them where they are, perhaps with a lock held: it asks the run to stop. Then no source sends any more, the farewell
messages are sent as soon as there is room, and everybody goes on until he has read what was
accepted and his farewell. A model that never comes to rest is given up after a bound and dropped.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, cast

import anyio

from stackweave.core import (
    Context,
    Interpreter,
    Kind,
    Mailbox,
    Outcome,
    Program,
    RandomWalk,
    State,
    UsageError,
)
from stackweave.wire import Message

from .carrier import Carrier
from .timetable import NEVER, Arrival, Source, Timetable
from .turns import end_of_turn

PATIENCE: Final = 1_000_000
"""Operations after which a run that was asked to stop is given up."""


class Live:
    """One live run of a program.

    `seed` answers every `choose` and times the sources; the back end owns the order. `farewell` is what ends the
    program: it is sent when the run is asked to stop. `watch` is called after each operation. A run that is
    `hosted` waits for what its host sends where a closed one would have come to a deadlock.
    """

    def __init__(
        self,
        program: Program,
        *,
        seed: int = 0,
        sources: Sequence[Source] = (),
        farewell: Sequence[Arrival] = (),
        carrier: Carrier | None = None,
        watch: Callable[["Live"], None] | None = None,
        hosted: bool = False,
        patience: int = PATIENCE,
    ) -> None:
        self.carrier = carrier or Carrier()
        self.interpreter = Interpreter(program, self.carrier.queue)
        self.operations = 0
        self.refused = 0
        """Messages of sources that found a mailbox full, and were not accepted."""
        self.stopping = False
        self.given_up = False
        """Whether the run was dropped, `patience` operations after it was asked to stop."""
        self._timetable = Timetable(sources, seed)
        self._farewell = list(farewell)
        self._has_farewell = bool(farewell)
        self.watch = watch
        self._hosted = hosted
        self._patience = patience
        self._deadline = NEVER
        self._lines = {box.ready.address for box in program.layout.mailboxes}
        self._enabled: list[Context] = []
        self._parked: dict[int, anyio.Event] = {}
        self._senders: list[anyio.Event] = []
        self._failure: Exception | None = None
        self._over = False
        choices = RandomWalk(seed)
        choices.begin(0, self.interpreter.contexts)
        self.interpreter.reset(choices)

    # for hosts

    async def run(self) -> Outcome:
        """Run until the program ends; cancelled, until it has come to rest. Only once.

        Raises what an actor raised: `ModelError` for a program that cannot be, `WireError` for a message that has
        no form.
        """
        self._look_around()
        # neither is this task itself: asyncio's own cancellation would end a group that it waits for
        async with anyio.create_task_group() as outside:
            outside.start_soon(self._stop_when_cancelled)
            outside.start_soon(self._act_all, outside.cancel_scope)
        if self._failure is not None:
            raise self._failure
        return self.outcome

    @property
    def undelivered(self) -> list[Arrival]:
        """What was accepted and not read: nothing, unless somebody sent to an actor that had ended."""
        layout, boxes = self.interpreter.program.layout, self.interpreter.store.mailboxes
        return [
            Arrival(mailbox, cast(Message, message))
            for mailbox, box in zip(layout.mailboxes, boxes, strict=True)
            for message in box
        ]

    def stop(self) -> None:
        """Ask the run to end: see the module's text."""
        if self.stopping or self._over:
            return
        self.stopping = True
        self._deadline = self.operations + self._patience
        self._timetable.close()
        self._look_around()

    async def send(self, mailbox: Mailbox[Any], message: Message) -> None:
        """Put a message into a mailbox, when there is room. Raises `UsageError` once the run has ended."""
        while not self._accept(Arrival(mailbox, message)):
            room = anyio.Event()
            self._senders.append(room)
            await room.wait()
        self._look_around()

    # actors

    async def _act_all(self, watcher: anyio.CancelScope) -> None:
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as actors:
                for context in self.interpreter.contexts:
                    actors.start_soon(self._act, context, name=context.name)
        self.outcome = self.interpreter.finish()
        watcher.cancel()

    async def _act(self, context: Context) -> None:
        """One actor, until the run is over."""
        end_turn = end_of_turn()
        try:
            while not self._over:
                if context in self._enabled:
                    self._perform(context)
                    await end_turn()
                else:
                    await self._park(context)
        except Exception as error:
            self._failure = self._failure or error
            self._end()

    async def _park(self, context: Context) -> None:
        event = self._parked[context.index] = anyio.Event()
        await event.wait()

    async def _stop_when_cancelled(self) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            self.stop()

    # the owner

    def _perform(self, context: Context) -> None:
        self.interpreter.step(context)
        self.operations += 1
        if self.operations >= self._timetable.due:
            self._arrive()
        self._look_around()
        if self.watch is not None:
            self.watch(self)

    def _arrive(self) -> None:
        """A source sends its next message."""
        if not self._accept(self._timetable.take()):
            self.refused += 1

    def _accept(self, arrival: Arrival) -> bool:
        if self._over:
            raise UsageError(f"the run has ended: nobody reads {arrival.mailbox.name}")
        if not self.interpreter.has_room(arrival.mailbox):
            return False
        self.interpreter.inject(arrival.mailbox, arrival.message)
        return True

    def _look_around(self) -> None:
        """After anything has happened: who may move now, and whether anybody may."""
        if self.stopping:
            self._farewell = [each for each in self._farewell if not self._accept(each)]
        enabled = self.interpreter.enabled()
        while not enabled and self._timetable.due < NEVER and not self._is_full():
            self._arrive()  # nobody moves: the clock is put forward
            enabled = self.interpreter.enabled()
        if self.interpreter.finished:
            self._end()
            return
        if enabled is not self._enabled:
            self._enabled = enabled
            if self._parked:
                self._wake(context.index for context in enabled)
        if self._senders:
            self._wake_senders()
        if not enabled:
            self._rest()
        elif self.operations > self._deadline:
            self.given_up = True
            self._end()

    def _is_full(self) -> bool:
        """Whether no source's message would be accepted."""
        return not any(map(self.interpreter.has_room, self._timetable.mailboxes))

    def _rest(self) -> None:
        """Nobody may move, and nothing arrives by itself."""
        expected = self._hosted and not self.stopping
        forsaken = self.stopping and not self._has_farewell
        if (expected or forsaken) and any(map(self._waits_for_message, self.interpreter.contexts)):
            if forsaken:
                self._end()
            return
        self.interpreter.deadlock()
        self._end()

    def _waits_for_message(self, context: Context) -> bool:
        if context.state is State.SLEEPING:
            return context.condition[0] in self._lines
        if context.state is State.AWAY:
            return context.pending[0] == Kind.ENTER_ASSERTED and context.pending[2] in self._lines
        return context.state is State.RUNNING and context.pending[0] == Kind.RECEIVE

    def _end(self) -> None:
        self._over = True
        for event in self._parked.values():
            event.set()
        self._wake_senders()

    def _wake(self, indices: Iterable[int]) -> None:
        for index in indices:
            event = self._parked.pop(index, None)
            if event is not None:
                event.set()

    def _wake_senders(self) -> None:
        senders, self._senders = self._senders, []
        for event in senders:
            event.set()
