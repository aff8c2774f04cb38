"""Every operation of an emulated run, with its function: what a comparison of outcomes does not see."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stackweave.conform.emulation import Emulation
from stackweave.conform.recording import Case
from stackweave.core import Context, Interpreter, Layout, Occurrence, RandomWalk, State
from stackweave.core.context import functions_of
from stackweave.core.operations import FENCE, LOAD, LOAD_HALF, POINTS, kind_name

from .printing import TRACERS


@dataclass(frozen=True, slots=True)
class Step:
    """One operation."""

    functions: tuple[str, ...]
    """Outermost first."""
    text: str
    """Such as "store id": the operation, and the field that it is done to."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One run."""

    steps: tuple[Step, ...]
    """Of the test process; of the other process, for a run that is about that one."""
    events: tuple[Occurrence, ...]
    words: tuple[int, ...]
    words_after_nmi: tuple[int, ...]
    step_numbers: tuple[int, ...]
    """Of each step: the schedule entries before it."""

    def inside(self, function: str, *calls: str) -> tuple[str, ...]:
        """The operations done while a function was running, those of callees included; of `calls` only that they
        were called."""
        found: list[str] = []
        calling = ""
        for step in self.steps:
            if function not in step.functions:
                continue
            called = next((name for name in calls if name in step.functions), "")
            if not called:
                found.append(step.text)
            elif called != calling:
                found.append(f"{called}()")
            calling = called
        return tuple(found)


class Tracer:
    """Runs a case, an NMI coming before the given step of the first visit, and lists its operations."""

    def __init__(self, case: Case) -> None:
        self.emulation = Emulation(case, TRACERS)
        self._interpreter = Interpreter(self.emulation.program)
        self._test, self._nmi, self._irq_work, self._other = self._interpreter.contexts
        self._steps: list[Step] = []
        self._numbers: list[int] = []
        self._after_nmi: tuple[int, ...] = ()

    def visits(self, nmi_at: int | None = None) -> Trace:
        """The test process, from its first visit to its end."""
        self._begin()
        while self._test.state is not State.DEAD:
            if self._irq_work in self._interpreter.enabled():
                self._interpreter.step(self._irq_work)
                continue
            if len(self._steps) == nmi_at and not self._after_nmi:
                self._interpreter.step(self._nmi)
                self._run_out(self._nmi)
                self._after_nmi = tuple(self._interpreter.store.words)
            self._step(self._test)
        return self._trace()

    def other(self, after: Callable[[Sequence[Step]], bool] | None = None) -> Trace:
        """The other process, once the test process has done what `after` waits for, or nothing."""
        self._begin()
        while after is not None and not after(self._steps):
            self._step(self._test)
        self._steps.clear()
        self._numbers.clear()
        while self._other.state is not State.DEAD:
            if self._other not in self._interpreter.enabled():
                break
            self._step(self._other)
        return self._trace()

    def overlapped(self, text: str, steps: int) -> tuple[str, ...]:
        """Signatures of violations when the other process takes some steps after a step of the test process."""
        self._begin()
        while not self._steps or self._steps[-1].text != text:
            self._step(self._test)
        for _ in range(steps):
            if self._other in self._interpreter.enabled():
                self._interpreter.step(self._other)
        while not self._interpreter.finished and self._test in self._interpreter.enabled():
            self._interpreter.step(self._test)
        return tuple(each.signature for each in self._interpreter.violations)

    def _begin(self) -> None:
        self._interpreter.reset(RandomWalk(0))
        self._steps.clear()
        self._numbers.clear()
        self._after_nmi = ()

    def _run_out(self, context: Context) -> None:
        while context.state is State.RUNNING:
            self._interpreter.step(context)

    def _step(self, context: Context) -> None:
        arrives = context.state is not State.RUNNING
        functions = functions_of(context.coroutine)
        kind, address, _, _ = context.pending
        if not arrives:
            self._steps.append(Step(functions, _text(self.emulation.program.layout, kind, address)))
            self._numbers.append(len(self._interpreter.schedule))
        self._interpreter.step(context)

    def _trace(self) -> Trace:
        interpreter = self._interpreter
        assert not [each for each in interpreter.violations if each.property == "crash"]
        return Trace(
            tuple(self._steps),
            tuple(interpreter.events),
            tuple(interpreter.store.words),
            self._after_nmi,
            tuple(self._numbers),
        )


def _text(layout: Layout, kind: int, address: int) -> str:
    name = kind_name(kind)
    kind &= ~3
    if LOAD_HALF <= kind < FENCE:
        half = "high" if address & 1 else "low"
        return f"{name.removesuffix('_half')} {_field(layout, address >> 1)}.{half}"
    if POINTS <= kind < FENCE and kind >= LOAD:
        return f"{name} {_field(layout, address)}"
    return name


def _field(layout: Layout, address: int) -> str:
    name = layout.name_of(address)
    return name.replace(".unwind_info.", ".").removeprefix("unwind_cache#0.")
