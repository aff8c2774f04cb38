"""The user stacks that tasks go through: captured on a real machine, unwound by their SFrame tables."""

from collections.abc import Sequence
from typing import Final

from stackweave.core.kernel.structs import NO_STACK
from stackweave.core.kernel.unwind_user import Faults
from stackweave.core.monitors import Trace
from stackweave.core.sframe.packed import CapturedState, load, unwind_pcs

CAPTURED: Final = ("mini-v3", "recur-v3", "plt-v3", "recur-v2", "mini-v1")
"""Packed programs that tasks run, in turn."""

STATES: Final = 4
"""Captured states that each task goes through."""


class UserStacks:
    """The stacks of some tasks, numbered through: task n has those of `of_task(n)`."""

    def __init__(self, tasks: int) -> None:
        self.tasks = tasks
        self._states: list[CapturedState] = []
        for task in range(tasks):
            self._states += load(CAPTURED[task % len(CAPTURED)]).states[:STATES]
        for state in self._states:
            # what is unwound is kept; made by a protocol, it would outlive the execution
            for readable in (True, False):
                state.backtrace(readable=readable)

    def of_task(self, task: int) -> range:
        """A task's own. A kernel thread, which is never unwound, is said to have the first one."""
        return range(task * STATES, (task + 1) * STATES) if task < self.tasks else range(1)

    def unwind(self, stack: int, readable: bool) -> tuple[int, ...]:
        """Program counters, innermost first; the first one alone where memory cannot be read."""
        return unwind_pcs(self._states[stack], readable=readable)

    def truth(self, stack: int) -> Trace:
        """The true backtrace, as it was recorded."""
        return self._states[stack].truth

    def acceptable(self, stack: int, faults: Faults) -> Sequence[Trace]:
        """What may be recorded: the backtrace, its first entry where reading a stack may fail, nothing where
        there may be no room for it. Where there is no stack no trace is right."""
        if stack == NO_STACK:
            return ()
        truth = self.truth(stack)
        first = (truth[:1],) if faults.of_memory else ()
        nothing = ((),) if faults.of_allocation else ()
        return truth, *first, *nothing
