"""The CPUs of one execution: their stacks and flags, and the execution of the machine's table.

`machine.py` says what may happen; this room has one predicate for each `Guard` and one procedure for each
`Effect`, and runs a row by calling those it lists.
"""

from collections.abc import Callable, Sequence

from .context import Context
from .errors import ModelError
from .machine import TRANSITIONS, Effect, Guard, Level, State
from .operations import ENTER, ENTER_ASSERTED, ENTER_PENDING, Kind, kind_name
from .store import Store

Predicate = Callable[[Context], bool]
Procedure = Callable[[Context, int, int, int], None]
Perform = Callable[[Context, int, int, int], int | None]
"""Performs one operation for a context: (context, address, a, b) to its result; None where the context has left
its CPU."""

_Row = tuple[
    tuple[Level, ...],
    tuple[State, ...],
    tuple[Predicate, ...],
    tuple[Procedure, ...],
    State | None,
]
"""A `Transition` with what its guards and effects call."""


class Processors:
    """Stacks, interrupt flags and the words that mirror them."""

    __slots__ = ("_choose", "_contexts", "_current", "_rows", "_store", "irqs_on", "live", "stacks")

    def __init__(
        self,
        store: Store,
        contexts: Sequence[Context],
        cpus: int,
        current: Sequence[int],
        choose: Callable[[int], int],
    ) -> None:
        self._store = store
        self._contexts = contexts
        self._current = current
        self._choose = choose
        self.stacks: list[list[Context]] = [[] for _ in range(cpus)]
        self.irqs_on: list[int] = [1] * cpus
        self.live = 0
        """Tasks that have started and not ended."""
        self._rows = self._compile()

    def _compile(self) -> dict[str, _Row]:
        guards: dict[Guard, Predicate] = {
            Guard.TOP: self._is_top,
            Guard.CPU_IDLE: self._finds_idle_cpu,
            Guard.IRQS_ON: self._irqs_are_on,
            Guard.NO_INTERRUPT: self._no_interrupt_runs,
            Guard.NO_NMI: self._no_nmi_runs,
            Guard.PENDING: self._is_pending,
            Guard.CONDITION: self._condition_holds,
        }
        effects: dict[Effect, Procedure] = {
            Effect.PUSH: self._push,
            Effect.POP: self._pop,
            Effect.SET_CURRENT: self._set_current,
            Effect.CLEAR_CURRENT: self._clear_current,
            Effect.SAVE_IRQS: self._save_irqs,
            Effect.RESTORE_IRQS: self._restore_irqs,
            Effect.IRQS_OFF: self._irqs_off,
            Effect.IRQS_ON: self._turn_irqs_on,
            Effect.CLEAR_PENDING: self._clear_pending,
            Effect.SET_CONDITION: self._set_condition,
            Effect.SET_ALLOWED: self._set_allowed,
        }
        return {
            row.name: (
                row.levels,
                row.source,
                tuple(guards[guard] for guard in row.guards),
                tuple(effects[effect] for effect in row.effects),
                row.target,
            )
            for row in TRANSITIONS.values()
        }

    def reset(self) -> None:
        """Every context where its declaration puts it; every CPU with interrupts on."""
        self.live = 0
        for stack in self.stacks:
            stack.clear()
        self.irqs_on = [1] * len(self.stacks)
        for context in self._contexts:
            context.state = state = context.start
            context.cpu = cpu = context.home
            context.stack = stack = self.stacks[cpu]
            context.allowed = context.declared_cpus
            context.paused_at = -1
            context.guards = ()
            if state is State.RUNNING:
                stack.append(context)
                self._set_current(context, 0, 0, 0)
            if context.level is Level.TASK and state is not State.NEW:
                self.live += 1

    def run(self, name: str, context: Context, address: int = 0, a: int = 0, b: int = 0) -> None:
        """Execute a row of the table for a context in a state that the row starts from."""
        levels, source, guards, effects, target = self._rows[name]
        if context.state not in source or context.level not in levels:
            raise ModelError(
                f"{context.name} ({context.level.name}, {context.state.name}) cannot {name}"
            )
        for guard in guards:
            if not guard(context):
                raise ModelError(f"{context.name} cannot {name}: a guard does not hold")
        for effect in effects:
            effect(context, address, a, b)
        if target is not None:
            context.state = target

    def arrival(self, context: Context) -> str:
        """The row by which a context that is on no CPU comes to one; sets its `guards`."""
        if context.state is State.RUNNABLE:
            name = "switch_in"
        elif context.state is State.SLEEPING:
            name = "wake"
        elif context.state is State.AWAY and context.pending[0] == ENTER:
            name = "nmi_enter" if context.level is Level.NMI else "enter"
        elif context.state is State.AWAY and context.pending[0] == ENTER_PENDING:
            name = "enter_pending"
        elif context.state is State.AWAY and context.pending[0] == ENTER_ASSERTED:
            name = "nmi_enter_asserted" if context.level is Level.NMI else "enter_asserted"
        else:
            raise ModelError(
                f"{context.name} is {context.state.name} and awaits {kind_name(context.pending[0])}"
            )
        context.guards = self._rows[name][2]
        return name

    def cpus_of(self, context: Context) -> list[int]:
        """Where an enabled context may perform its next operation."""
        if context.state in (State.RUNNABLE, State.SLEEPING):
            return self._idle_cpus(context)
        return [context.cpu]

    def _idle_cpus(self, context: Context) -> list[int]:
        return [
            cpu for cpu, stack in enumerate(self.stacks) if not stack and context.allowed >> cpu & 1
        ]

    # operations

    def performers(self) -> dict[Kind, Perform]:
        """What performs each kind that concerns CPUs, but for `fork`."""
        return {
            Kind.LEAVE: self._leave,
            Kind.IRQ_SAVE: self._irq_save,
            Kind.IRQ_RESTORE: self._irq_restore,
            Kind.SCHEDULE: self._schedule,
            Kind.SLEEP: self._sleep,
            Kind.MIGRATE: self._migrate,
        }

    def _leave(self, context: Context, address: int, a: int, b: int) -> int:
        self.run("leave", context, 0, context.saved_irqs)
        return 0

    def _irq_save(self, context: Context, address: int, a: int, b: int) -> int:
        flags = self.irqs_on[context.cpu]
        self.run("irq_save", context)
        return flags

    def _irq_restore(self, context: Context, address: int, a: int, b: int) -> int:
        self.run("irq_restore", context, 0, a)
        return 0

    def _schedule(self, context: Context, address: int, a: int, b: int) -> None:
        self.run("schedule", context)
        self._switch_out(context)

    def _sleep(self, context: Context, address: int, a: int, b: int) -> None:
        self.run("sleep", context, address, a, b)
        self._switch_out(context)

    def _switch_out(self, context: Context) -> None:
        context.switched_out = True
        self.arrival(context)

    def _migrate(self, context: Context, address: int, a: int, b: int) -> int:
        self.run("migrate", self._contexts[address], 0, a)
        return 0

    # guards

    def _is_top(self, context: Context) -> bool:
        return context.stack[-1] is context

    def _finds_idle_cpu(self, context: Context) -> bool:
        return any(
            not stack and context.allowed >> cpu & 1 for cpu, stack in enumerate(self.stacks)
        )

    def _irqs_are_on(self, context: Context) -> bool:
        return self.irqs_on[context.cpu] == 1

    def _no_interrupt_runs(self, context: Context) -> bool:
        return not context.stack or context.stack[-1].level is Level.TASK

    def _no_nmi_runs(self, context: Context) -> bool:
        return not context.stack or context.stack[-1].level is not Level.NMI

    def _is_pending(self, context: Context) -> bool:
        word = context.pending[2]
        return isinstance(word, int) and self._store.words[word] != 0

    def _condition_holds(self, context: Context) -> bool:
        address, mask, value = context.condition
        return self._store.words[address] & mask == value

    # effects

    def _push(self, context: Context, address: int, a: int, b: int) -> None:
        if context.level is Level.TASK:
            idle = self._idle_cpus(context)
            context.cpu = idle[self._choose(len(idle))] if len(idle) > 1 else idle[0]
            context.stack = self.stacks[context.cpu]
        context.stack.append(context)

    def _pop(self, context: Context, address: int, a: int, b: int) -> None:
        context.stack.pop()

    def _set_current(self, context: Context, address: int, a: int, b: int) -> None:
        word = self._current[context.cpu]
        if word:
            self._store.words[word] = context.index + 1

    def _clear_current(self, context: Context, address: int, a: int, b: int) -> None:
        word = self._current[context.cpu]
        if word:
            self._store.words[word] = 0

    def _save_irqs(self, context: Context, address: int, a: int, b: int) -> None:
        context.saved_irqs = self.irqs_on[context.cpu]

    def _restore_irqs(self, context: Context, address: int, a: int, b: int) -> None:
        self.irqs_on[context.cpu] = a

    def _irqs_off(self, context: Context, address: int, a: int, b: int) -> None:
        self.irqs_on[context.cpu] = 0

    def _turn_irqs_on(self, context: Context, address: int, a: int, b: int) -> None:
        self.irqs_on[context.cpu] = 1

    def _clear_pending(self, context: Context, address: int, a: int, b: int) -> None:
        self._store.words[a] = 0

    def _set_condition(self, context: Context, address: int, a: int, b: int) -> None:
        context.condition = (address, a, b)

    def _set_allowed(self, context: Context, address: int, a: int, b: int) -> None:
        context.allowed = a
