"""The CPU machine: contexts on CPUs, as one table.

A context is a coroutine. A CPU runs a stack of them: a task at the bottom, then an interrupt, then an NMI; only
the top one moves, and an empty stack is the idle CPU. Each row of `TRANSITIONS` is one thing that can happen
to a context: the state it must be in, what must hold, what is done, and the state it is in afterwards. The
interpreter executes these rows, the documentation prints them, and the tests walk them.

Sources: interrupts nest as on x86 (arch/x86/entry, kernel/entry/common.c): an interrupt comes when
interrupts are on and no other runs, with interrupts off until it leaves; an NMI comes whenever
no NMI runs; both restore the flag they found. A sleeping task's wake-up and its switch-in
are one transition, whose guard is the condition that it sleeps on.

Left out: softirqs, nested interrupts, NMIs that nest, and any policy: who is switched in is the strategy's choice.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final


class Level(IntEnum):
    """What kind of context it is; on a CPU's stack levels grow from bottom to top."""

    TASK = 0
    INTERRUPT = 1
    NMI = 2


class State(Enum):
    """Where a context stands. Only a RUNNING one that is its CPU's top may move."""

    NEW = "declared, not forked"
    RUNNABLE = "live task, on no CPU"
    RUNNING = "on a CPU's stack"
    SLEEPING = "task that waits for a condition, on no CPU"
    AWAY = "interrupt or NMI that has not come"
    DEAD = "ended"


class Guard(Enum):
    """What must hold for a transition."""

    TOP = "it is the top of its CPU's stack"
    CPU_IDLE = "an allowed CPU's stack is empty"
    IRQS_ON = "the CPU's interrupts are on"
    NO_INTERRUPT = "no interrupt and no NMI runs on the CPU"
    NO_NMI = "no NMI runs on the CPU"
    PENDING = "the word that it is pending on is not 0"
    CONDITION = "the condition it sleeps on holds"


class Effect(Enum):
    """What a transition does, in order."""

    PUSH = "put it on top of the CPU's stack"
    POP = "take it off the CPU's stack"
    SET_CURRENT = "the CPU's current is this task"
    CLEAR_CURRENT = "the CPU's current is the idle task"
    SAVE_IRQS = "remember the CPU's interrupt flag"
    RESTORE_IRQS = "set the interrupt flag as it was remembered, or given"
    IRQS_OFF = "turn the CPU's interrupts off"
    IRQS_ON = "turn the CPU's interrupts on"
    CLEAR_PENDING = "that word becomes 0"
    SET_CONDITION = "remember the condition to sleep on"
    SET_ALLOWED = "remember the CPUs it may run on"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table."""

    name: str
    levels: tuple[Level, ...]
    source: tuple[State, ...]
    guards: tuple[Guard, ...]
    effects: tuple[Effect, ...]
    target: State | None
    """None: the state stays."""


_ALL: Final = tuple(Level)
_TASK: Final = (Level.TASK,)
_IRQ: Final = (Level.INTERRUPT,)
_NMI: Final = (Level.NMI,)
_ON_INTERRUPT: Final = (Guard.IRQS_ON, Guard.NO_INTERRUPT)
_ENTER: Final = (Effect.PUSH, Effect.SAVE_IRQS, Effect.IRQS_OFF)
_SWITCH_OUT: Final = (Effect.POP, Effect.CLEAR_CURRENT, Effect.IRQS_ON)

# fmt: off
TRANSITIONS: Final = {row.name: row for row in (
    Transition("switch_in", _TASK, (State.RUNNABLE,), (Guard.CPU_IDLE,), (Effect.PUSH, Effect.SET_CURRENT), State.RUNNING),
    Transition("wake", _TASK, (State.SLEEPING,), (Guard.CONDITION, Guard.CPU_IDLE), (Effect.PUSH, Effect.SET_CURRENT), State.RUNNING),
    Transition("schedule", _TASK, (State.RUNNING,), (Guard.TOP,), _SWITCH_OUT, State.RUNNABLE),
    Transition("sleep", _TASK, (State.RUNNING,), (Guard.TOP,), (*_SWITCH_OUT, Effect.SET_CONDITION), State.SLEEPING),
    Transition("exit", _TASK, (State.RUNNING,), (Guard.TOP,), _SWITCH_OUT, State.DEAD),
    Transition("fork", _TASK, (State.NEW,), (), (), State.RUNNABLE),
    Transition("migrate", _TASK, (State.NEW, State.RUNNABLE, State.RUNNING, State.SLEEPING), (), (Effect.SET_ALLOWED,), None),
    Transition("enter", _IRQ, (State.AWAY,), _ON_INTERRUPT, _ENTER, State.RUNNING),
    Transition("enter_pending", _IRQ, (State.AWAY,), (*_ON_INTERRUPT, Guard.PENDING), (*_ENTER, Effect.CLEAR_PENDING), State.RUNNING),
    Transition("enter_asserted", _IRQ, (State.AWAY,), (*_ON_INTERRUPT, Guard.PENDING), _ENTER, State.RUNNING),
    Transition("nmi_enter", _NMI, (State.AWAY,), (Guard.NO_NMI,), _ENTER, State.RUNNING),
    Transition("nmi_enter_asserted", _NMI, (State.AWAY,), (Guard.NO_NMI, Guard.PENDING), _ENTER, State.RUNNING),
    Transition("leave", (Level.INTERRUPT, Level.NMI), (State.RUNNING,), (Guard.TOP,), (Effect.POP, Effect.RESTORE_IRQS), State.AWAY),
    Transition("irq_save", _ALL, (State.RUNNING,), (Guard.TOP,), (Effect.IRQS_OFF,), None),
    Transition("irq_restore", _ALL, (State.RUNNING,), (Guard.TOP,), (Effect.RESTORE_IRQS,), None),
    Transition("retire", _ALL, (State.AWAY, State.RUNNABLE), (), (), State.DEAD),
)}
# fmt: on


def table() -> list[tuple[str, str, str, str, str]]:
    """The rows as text: transition, from, guards, effects, to."""
    return [
        (
            row.name,
            " or ".join(state.name for state in row.source),
            ", ".join(guard.name for guard in row.guards) or "always",
            ", ".join(effect.name for effect in row.effects) or "nothing",
            row.target.name if row.target else "same",
        )
        for row in TRANSITIONS.values()
    ]
