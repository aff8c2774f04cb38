"""The interpreter: the definition of what operations mean, one readable `step()`.

It holds one execution of a program at a time. A strategy drives it with `run()`, or a host drives it itself with
`enabled()`, `step()`, `inject()`, `snapshot()` and `restore()`. Every decision is recorded in
`schedule`: the number of the context that moved, and `~choice` for each answer to a `choose`; the same
schedule gives the same events, memory and violations, always.

A coroutine cannot be copied, so a snapshot is the record of what was decided, and restoring runs it again.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from .context import Body, Context, discard, functions_of
from .epilogue import alone, run_alone
from .errors import ModelError, UsageError, Violation, ViolationFound
from .machine import Level, State
from .memory import Mailbox, Message
from .monitor import MonitorSet
from .operations import (
    ACQUIRE_WORD,
    CHECK,
    CHOOSE,
    EMIT,
    ENTER_ASSERTED,
    ENTER_PENDING,
    GUARDED,
    KINDS,
    LOAD_HALF,
    PAUSE,
    POINTS,
    PROCESSOR_ID,
    SLEEP,
    STORE,
    TRY_SEND,
    WAIT,
    Kind,
    Operation,
    kind_name,
)
from .outcome import Occurrence, Outcome, Snapshot, Verdict
from .processors import Perform, Processors
from .program import Program
from .situation import Keys, Situation, situation_of
from .store import Queue, Store
from .strategy import FixedSchedule, Strategy

_RUNNING: Final = State.RUNNING
_FIRST_WRITE: Final = STORE
"""Kinds below change nothing."""
_BEYOND_WORDS: Final = LOAD_HALF
"""Kinds from the first write on and below this change the one word that they name, and nothing else."""
_BEYOND_WAITS: Final = TRY_SEND
"""Kinds that are guarded and below this may have to wait on a CPU. Those from here on wait on none."""


class Interpreter:
    """Runs executions of one program, one at a time."""

    def __init__(self, program: Program, queue: Callable[[], Queue] = deque) -> None:
        """`queue` makes what a mailbox keeps its messages in: a live driver's holds bytes."""
        program.layout.freeze()
        self.program = program
        self.store = Store(program.layout, queue)
        self.contexts = [Context(spec, index) for index, spec in enumerate(program.contexts)]
        self._monitors = MonitorSet(program.monitors)
        self._processors = Processors(
            self.store, self.contexts, program.cpus, program.current_words(), self._choose
        )
        self._points = CHOOSE if program.choices_are_points else POINTS
        self._perform = self._performers()
        self._alone = alone()
        self.reset()

    # hosts

    def reset(self, strategy: Strategy | None = None) -> None:
        """Begin an execution. Without a strategy the host drives, and `choose` gives 0."""
        self.discard()
        self._strategy = strategy
        self.store.reset()
        self.schedule: list[int] = []
        self._record_entry = self.schedule.append
        self.events: list[Occurrence] = []
        self.violations: list[Violation] = []
        self._choices = 0
        self._injected: list[tuple[int, int, object]] = []
        self._watched: set[int] = set()
        self._paused = False
        self._enabled: list[Context] | None = None
        self._processors.reset()
        self.finished = self._processors.live == 0
        """Whether every live task has ended, or a violation stopped the execution."""
        self._monitors.reset()
        for context in self.contexts:
            if context.state is not State.NEW:
                self._spawn(context)

    def enabled(self) -> list[Context]:
        """The contexts that may move next, in the order of their declaration."""
        if self._enabled is not None:
            return self._enabled
        self._paused = False
        enabled = [context for context in self.contexts if self._may_move(context)]
        if not self._paused:  # who has paused is enabled by any move of another
            self._enabled = enabled
        return enabled

    def step(self, context: Context) -> int | None:
        """Let an enabled context perform the operation it awaits and come to its next one.

        The result is the operation's; None for a task that came to a CPU or left it.
        Raises `UsageError` for a context that is not enabled.
        """
        if self.finished or context not in (self._enabled or self.enabled()):
            raise UsageError(f"{context.name} is not enabled")
        return self._move(context)

    def cpus_of(self, context: Context) -> list[int]:
        """Where an enabled context may perform its next operation: for hosts that give each CPU its own time.

        One CPU, except for a task that comes to a CPU: those are idle, and of several `choose` picks one.
        """
        return self._processors.cpus_of(context)

    def has_room(self, mailbox: Mailbox[Message]) -> bool:
        """Whether a mailbox takes one more message."""
        return self.store.has_room(mailbox.index)

    def inject(self, mailbox: Mailbox[Message], message: Message) -> None:
        """Put a message from outside into a mailbox. Raises `UsageError` when it is full."""
        if not self.has_room(mailbox):
            raise UsageError(f"mailbox {mailbox.name} is full")
        self.store.put(mailbox.index, message)
        self._injected.append((len(self.schedule), mailbox.index, message))
        self._enabled = None

    @property
    def injected(self) -> tuple[tuple[int, int, object], ...]:
        """What came from outside: (schedule entries before it, mailbox number, message)."""
        return tuple(self._injected)

    def snapshot(self) -> Snapshot:
        """This point of the execution."""
        return Snapshot(tuple(self.schedule), self.injected)

    def situation(self, keys: Keys) -> Situation:
        """What can make a difference from this point on, however it was come to."""
        here = self.contexts, self.store, self._processors, self._monitors
        return situation_of(*here, len(self.schedule), keys)

    def restore(self, snapshot: Snapshot) -> None:
        """Come to a point of an earlier execution of this program, by running it again."""
        self.reset(FixedSchedule([entry for entry in snapshot.schedule if entry < 0]))
        injected = list(snapshot.injected)
        while True:
            while injected and injected[0][0] == len(self.schedule):
                _, index, message = injected.pop(0)
                self.inject(self.program.layout.mailboxes[index], message)
            if len(self.schedule) == len(snapshot.schedule):
                break
            self.step(self.contexts[snapshot.schedule[len(self.schedule)]])
        self._strategy = None

    def discard(self) -> None:
        """Drop whatever is still suspended."""
        for context in self.contexts:
            if context.state not in (State.DEAD, State.NEW):
                discard(context.coroutine)
                context.state = State.DEAD
        self._monitors.discard()

    # executions

    def run(self, strategy: Strategy, execution: int = 0) -> Outcome:
        """One whole execution, all decisions made by the strategy."""
        strategy.begin(execution, self.contexts)
        self.reset(strategy)
        pick, move = strategy.pick, self._move
        for _ in range(self.program.bound):
            if self.finished:
                return self.finish()
            enabled = self._enabled or self.enabled()
            if enabled:
                move(pick(enabled))
            else:
                self.deadlock()
        return self.finish()

    def finish(self) -> Outcome:
        """What must hold at the end, and the execution's outcome; of one that a host ends early, incomplete."""
        ended = not self._processors.live
        if ended and self.program.epilogue is not None:
            self._run_epilogue(self.program.epilogue)
        verdict = Verdict.CLEAN if ended else Verdict.INCOMPLETE
        outcome = Outcome(
            Verdict.VIOLATION if self.violations else verdict,
            tuple(self.violations),
            tuple(self.schedule),
            self._operations(),
            tuple(self.events),
            tuple(self.store.words),
        )
        self.discard()
        return outcome

    def _operations(self) -> int:
        return len(self.schedule) - self._choices

    # one step

    def _move(self, context: Context) -> int | None:
        """Perform the operation that a context awaits, give it the result, and bring it to its next operation."""
        self._record_entry(context.index)
        kind, address, a, b = context.pending
        perform = self._perform[kind] if context.state is _RUNNING else self._arrive
        result: int | None = None
        try:
            result = perform(context, address, a, b)  # type: ignore[arg-type]  # operands of words are integers
            if kind >= _FIRST_WRITE and (kind >= _BEYOND_WORDS or address in self._watched):
                self._enabled = None
            if result is None:
                return None
            operation: Operation = context.send(result)  # type: ignore[assignment]  # a protocol awaits only operations
            while operation[0] < self._points:
                operation = context.send(self._answer(context, operation))  # type: ignore[assignment]  # as above
        except Exception as error:
            self._stop(context, error)
            return result
        context.pending = operation
        if operation[0] >= GUARDED:
            self._await_guard(context, operation)
        return result

    def _spawn(self, context: Context) -> None:
        """Run a protocol to its first operation."""
        context.switched_out = False
        context.coroutine = context.spec.body()
        context.send = context.coroutine.send
        try:
            operation: Operation = context.send(None)  # type: ignore[assignment]  # a protocol awaits only operations
            while operation[0] < self._points:
                operation = context.send(self._answer(context, operation))  # type: ignore[assignment]  # as above
        except Exception as error:
            self._stop(context, error)
            return
        context.pending = operation
        if operation[0] >= GUARDED or context.state is not _RUNNING:
            self._await_guard(context, operation)

    def _stop(self, context: Context, error: Exception) -> None:
        """A protocol has ended, or something that it did cannot be."""
        if isinstance(error, StopIteration):
            self._end(context)
        elif isinstance(error, ViolationFound):
            self._fail(context, error)
        elif isinstance(error, ModelError | UsageError):
            raise error
        else:
            name = type(error).__name__
            self._fail(context, ViolationFound("crash", f"crash:{name}", f"{name}: {error}"))

    def _await_guard(self, context: Context, operation: Operation) -> None:
        """The next operation may have to wait: note what for."""
        kind, address, a, _ = operation
        if context.state is not _RUNNING:
            self._enabled = None
            if context.state is not State.SLEEPING:
                self._processors.arrival(context)
        elif kind < _BEYOND_WAITS:
            self._enabled = None
        if kind == PAUSE:
            context.paused_at = len(self.schedule)
        elif kind in (WAIT, ACQUIRE_WORD, SLEEP):
            self.store.check_private(address, context)
            self._watched.add(address)
        elif kind in (ENTER_PENDING, ENTER_ASSERTED) and isinstance(a, int):
            self.store.check_private(a, context)
            self._watched.add(a)

    def _arrive(self, context: Context, address: int, a: int, b: int) -> int | None:
        """A context that is on no CPU comes to one. The result is that of the operation it awaits; None for a
        task that has yet to perform it."""
        row = self._processors.arrival(context)
        below = 1 + context.stack[-1].level if context.stack else 0
        self._processors.run(row, context, address, a, b)
        self._enabled = None
        if context.level is not Level.TASK:
            return below
        switched_out, context.switched_out = context.switched_out, False
        return context.cpu if switched_out else None

    def _end(self, context: Context) -> None:
        self._enabled = None
        self._processors.run("exit" if context.state is _RUNNING else "retire", context)
        if context.level is Level.TASK:
            self._processors.live -= 1
            self.finished = self._processors.live == 0

    def _may_move(self, context: Context) -> bool:
        state = context.state
        if state is _RUNNING:
            if context.stack[-1] is not context:
                return False
            return context.pending[0] < GUARDED or self._is_unblocked(context)
        if state is State.DEAD or state is State.NEW:
            return False
        for guard in context.guards:  # noqa: SIM110  # all() takes twice as long, here where it counts
            if not guard(context):
                return False
        return True

    def _is_unblocked(self, context: Context) -> bool:
        if context.pending[0] == PAUSE:
            self._paused = True
            return len(self.schedule) > context.paused_at
        return self.store.is_ready(context.pending)

    # what is no scheduling point

    def _answer(self, context: Context, operation: Operation) -> int:
        kind, address, a, _ = operation
        if kind == EMIT:
            self._emit(context, a)
        elif kind == CHOOSE:
            return self._choose(address)
        elif kind == PROCESSOR_ID:
            return context.cpu
        elif kind == CHECK:
            raise ViolationFound("check", str(a), f"{context.name}: {a} does not hold")
        return 0

    def _emit(self, context: Context, event: object) -> None:
        self.events.append(Occurrence(len(self.schedule), context.name, event))
        for found in self._monitors.observe(event):
            self._record(context.name, found)

    def _choose(self, n: int) -> int:
        choice = self._strategy.choose(n) if self._strategy is not None else 0
        self.schedule.append(~choice)
        self._choices += 1
        return choice

    # violations

    def _record(self, context: str, found: ViolationFound) -> None:
        self.violations.append(
            Violation(
                found.property, found.signature, found.explanation, context, self._operations()
            )
        )

    def _fail(self, context: Context, found: ViolationFound) -> None:
        self._record(context.name, found)
        self.finished = True

    def deadlock(self) -> None:
        """Report that tasks are left and no context may move. For hosts; `run` does it itself."""
        waiting = [
            f"{context.name} at {kind_name(context.pending[0])} in {functions_of(context.coroutine)[-1]}"
            for context in self.contexts
            if context.level is Level.TASK and context.state not in (State.DEAD, State.NEW)
        ]
        self._record("", ViolationFound("deadlock", "deadlock", "; ".join(waiting)))
        self.finished = True

    def _run_epilogue(self, body: Body) -> None:
        """Run the program's last protocol alone; its operations are no part of the schedule."""
        try:
            run_alone(self._alone, body, self._answer, self._perform)
        except Exception as error:
            self._stop(self._alone, error)

    # the table of operations

    def _performers(self) -> list[Perform]:
        table: dict[Kind, Perform] = {
            **self.store.performers(),
            **self._processors.performers(),
            Kind.FORK: self._fork,
            Kind.CHOOSE: lambda context, n, a, b: self._choose(n),
        }
        return [table.get(Kind(kind & ~3), self._refuse) for kind in range(KINDS)]

    def _refuse(self, context: Context, address: int, a: int, b: int) -> int:
        raise ModelError(f"{context.name} cannot {kind_name(context.pending[0])} here")

    def _fork(self, context: Context, address: int, a: int, b: int) -> int:
        child = self.contexts[address]
        if child.state is not State.NEW:
            return 0
        self._processors.run("fork", child)
        self._processors.live += 1
        self._spawn(child)
        return 1
