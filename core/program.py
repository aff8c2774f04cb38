"""A program: declared memory, contexts on CPUs, monitors, and what must hold at the end."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import coroutine
from typing import Final

from .context import Body, ContextSpec, Protocol
from .errors import ModelError
from .machine import Level, State
from .memory import Layout, Struct, Word
from .monitor import Monitor
from .operations import ENTER, ENTER_ASSERTED, ENTER_PENDING, LEAVE, Step
from .prng import LARGEST

DEFAULT_BOUND: Final = 100_000
"""Operations after which an execution is called incomplete."""


@coroutine
def _enter(kind: int, cpu: int, word: int) -> Step:
    return (yield (kind, cpu, word, 0))


@coroutine
def _leave() -> Step:
    return (yield (LEAVE, 0, 0, 0))


class InterruptScope:
    """`async with` around an interrupt or NMI handler's work."""

    __slots__ = ("_cpu", "_kind", "_word")

    def __init__(self, kind: int, cpu: int, word: int) -> None:
        self._kind = kind
        self._cpu = cpu
        self._word = word

    async def __aenter__(self) -> Level | None:
        """What it interrupted: a task, an interrupt, or None for the idle CPU."""
        below = await _enter(self._kind, self._cpu, self._word)
        return Level(below - 1) if below else None

    async def __aexit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is None:
            await _leave()


class Cpu:
    """One CPU, as protocols see it."""

    __slots__ = ("current", "irq_work", "number")

    def __init__(self, number: int, current: Word, irq_work: Word) -> None:
        self.number = number
        self.current = current
        """1 + the number of the context that is this CPU's task; 0 when the CPU is idle."""
        self.irq_work = irq_work
        """Not 0: the irq_work interrupt is pending (kernel/irq_work.c, arch_irq_work_raise())."""

    def interrupt(self, line: Word | None = None) -> InterruptScope:
        """The scope of an interrupt handler, entered when interrupts are on and none runs.

        With a line it is level-triggered: only while that word, such as a mailbox's `ready`, is not 0.
        """
        return self._scope(line)

    def irq_work_interrupt(self) -> InterruptScope:
        """As `interrupt`, but only while irq_work is pending, which entering clears."""
        return InterruptScope(ENTER_PENDING, self.number, self.irq_work.address)

    def nmi(self, line: Word | None = None) -> InterruptScope:
        """The scope of an NMI handler, entered whenever no NMI runs; for contexts declared as NMI."""
        return self._scope(line)

    def _scope(self, line: Word | None) -> InterruptScope:
        if line is None:
            return InterruptScope(ENTER, self.number, 0)
        return InterruptScope(ENTER_ASSERTED, self.number, line.address)


class Program:
    """Declare memory on `layout`, then contexts, then monitors; an interpreter runs it any number of times."""

    def __init__(
        self,
        name: str,
        cpus: int = 0,
        *,
        parameters: Mapping[str, int | str] | None = None,
        bound: int = DEFAULT_BOUND,
        choices_are_points: bool = False,
    ) -> None:
        self.name = name
        self.cpus = cpus
        self.parameters = dict(parameters or {})
        """With the name, what the program is made of; recorded in schedules."""
        self.bound = bound
        self.choices_are_points = choices_are_points
        """Whether `choose` is a scheduling point."""
        self.layout = Layout(cpus)
        self.contexts: list[ContextSpec] = []
        self.monitors: list[Monitor] = []
        self.epilogue: Body | None = None
        self._cpus: dict[int, Cpu] = {}

    def cpu(self, number: int) -> Cpu:
        """The handle of one of the declared CPUs."""
        if not 0 <= number < self.cpus:
            raise ModelError(f"{self.name} has no CPU {number}")
        if number not in self._cpus:
            current = self.layout.word(f"cpu{number}.current")
            irq_work = self.layout.word(f"cpu{number}.irq_work")
            self._cpus[number] = Cpu(number, current, irq_work)
        return self._cpus[number]

    def current_words(self) -> list[int]:
        """Of each CPU: the address of its `current`, 0 for a CPU whose handle nobody asked for."""
        return [
            self._cpus[number].current.address if number in self._cpus else 0
            for number in range(self.cpus)
        ]

    def thread(
        self, name: str, body: Callable[..., Protocol], *arguments: object, weight: int = 1
    ) -> int:
        """A task that is on a CPU of its own from the start; the context's number."""
        cpu = self.cpus
        self.cpus += 1
        return self._add(name, Level.TASK, partial(body, *arguments), (cpu,), weight, State.RUNNING)

    def task(
        self,
        name: str,
        body: Callable[..., Protocol],
        *arguments: object,
        cpus: Sequence[int],
        weight: int = 1,
        live: bool = True,
    ) -> int:
        """A task that is switched in on one of `cpus`; not live: a slot that fork makes live."""
        state = State.RUNNABLE if live else State.NEW
        return self._add(name, Level.TASK, partial(body, *arguments), tuple(cpus), weight, state)

    def interrupt(
        self,
        name: str,
        body: Callable[..., Protocol],
        *arguments: object,
        cpu: int,
        weight: int = 1,
    ) -> int:
        """An interrupt context: its body awaits `Cpu.interrupt` or `irq_work_interrupt` first."""
        return self._add(
            name, Level.INTERRUPT, partial(body, *arguments), (cpu,), weight, State.AWAY
        )

    def nmi(
        self,
        name: str,
        body: Callable[..., Protocol],
        *arguments: object,
        cpu: int,
        weight: int = 1,
    ) -> int:
        """An NMI context: its body awaits `Cpu.nmi` first."""
        return self._add(name, Level.NMI, partial(body, *arguments), (cpu,), weight, State.AWAY)

    def owns(self, context: int, *cells: Word | Struct) -> None:
        """Declare words that are a context's own: the program's end apart, no other one may touch or await them.

        It is kept to by every driver, and lets `core.explore.reductions` spare interleavings.
        """
        if not 0 <= context < len(self.contexts):
            raise ModelError(f"{self.name} has no context {context}")
        for cell in cells:
            if any(cell in (cpu.current, cpu.irq_work) for cpu in self._cpus.values()):
                raise ModelError(f"{cell.name} cannot be a context's own")
            self.layout.own(cell, context)

    def finally_(self, body: Callable[..., Protocol], *arguments: object) -> None:
        """A protocol that runs alone when every task has ended: what must hold at the end."""
        self.epilogue = partial(body, *arguments)

    def _add(
        self,
        name: str,
        level: Level,
        body: Body,
        cpus: tuple[int, ...],
        weight: int,
        state: State,
    ) -> int:
        if any(spec.name == name for spec in self.contexts):
            raise ModelError(f"{self.name} has two contexts named {name}")
        if not all(0 <= cpu < self.cpus for cpu in cpus) or not cpus:
            raise ModelError(f"{name}: no such CPU in {self.name}")
        if not 1 <= weight <= LARGEST:
            raise ModelError(f"{name}: a weight is from 1 to {LARGEST}")
        self.contexts.append(ContextSpec(name, level, body, cpus, weight, state))
        return len(self.contexts) - 1
