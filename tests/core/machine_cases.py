"""Programs that lead to where a row of the machine's table may happen, or to where one of its guards is false."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from stackweave.core import (
    Cpu,
    Program,
    local_irq_restore,
    local_irq_save,
    schedule,
    set_cpus_allowed,
    sleep_until,
    wake_up_new_task,
)
from stackweave.core.context import Body
from stackweave.core.machine import Guard
from stackweave.core.program import InterruptScope


class Stage:
    """CPU 0 with whatever a row needs: a subject, and helpers that make guards true or false.

    Helpers: `hog` occupies CPU 0, `setter` makes the subject's condition true from CPU 1, `nmi` and `irq` get
    in on top (`irq` with interrupts on again), `host` is a task for interrupts to land on.
    """

    def __init__(self) -> None:
        self.program = Program("stage", 2)
        self.cpu = self.program.cpu(0)
        self.program.cpu(1)
        self.flag = self.program.layout.word("flag")

    def subject(self, body: Body, *, live: bool = True) -> int:
        return self.program.task("subject", body, cpus=[0], live=live)

    def helpers(self) -> None:
        self.program.task("hog", self.loads, cpus=[0])
        self.program.task("setter", self.sets, cpus=[1])
        self.program.nmi("nmi", self.nmi, cpu=0)

    async def loads(self) -> None:
        for _ in range(9):
            await self.flag.load()

    async def sets(self) -> None:
        await self.flag.store(1)
        await self.flag.load()

    async def nmi(self) -> None:
        async with self.cpu.nmi():
            await self.flag.load()

    async def irq(self) -> None:
        async with self.cpu.interrupt():
            await local_irq_restore(1)
            await self.flag.load()


@dataclass(frozen=True)
class Case:
    """A program and the moves that lead to where the row may happen; `mover` makes it happen."""

    program: Program
    moves: tuple[str, ...]
    mover: str = "subject"
    given: tuple[int, int, int] = (0, 0, 0)
    """Operands: (address, a, b)."""


def switch_in(false: Guard | None) -> Case:
    stage = Stage()
    stage.subject(stage.loads)
    stage.helpers()
    return Case(stage.program, ("hog",) if false else ())


def wake(false: Guard | None) -> Case:
    stage = Stage()

    async def subject() -> None:
        await sleep_until(stage.flag.address, 0xFF, 1)
        await stage.flag.load()

    stage.subject(subject)
    stage.helpers()
    asleep = ("subject", "subject")
    is_set = ("setter", "setter")
    moves = {None: is_set, Guard.CONDITION: (), Guard.CPU_IDLE: (*is_set, "hog")}
    return Case(stage.program, asleep + moves[false])


def leaving(
    false: Guard | None,
    *operations: Callable[[], Awaitable[int]],
    given: tuple[int, int, int] = (0, 0, 0),
) -> Case:
    stage = Stage()

    async def subject() -> None:
        await local_irq_save()
        for operation in operations or (stage.flag.load,):
            await operation()

    stage.subject(subject)
    stage.helpers()
    moves = ("subject", "subject")
    return Case(stage.program, (*moves, "nmi") if false else moves, given=given)


def schedule_out(false: Guard | None) -> Case:
    return leaving(false, schedule)


def sleep(false: Guard | None) -> Case:
    return leaving(false, lambda: sleep_until(17, 3, 2), given=(17, 3, 2))


def exit_(false: Guard | None) -> Case:
    return leaving(false)


def fork(false: Guard | None) -> Case:
    stage = Stage()
    number = stage.subject(stage.loads, live=False)

    async def parent() -> None:
        await wake_up_new_task(number)
        await stage.flag.load()

    stage.program.task("parent", parent, cpus=[1])
    return Case(stage.program, ("parent",), mover="parent")


def migrate(false: Guard | None) -> Case:
    stage = Stage()
    number = stage.subject(stage.loads)

    async def other() -> None:
        await set_cpus_allowed(number, 2)
        await stage.flag.load()

    stage.program.task("other", other, cpus=[1])
    return Case(stage.program, ("other",), mover="other", given=(number, 2, 0))


def interrupted(pending: int) -> Stage:
    stage = Stage()

    async def host() -> None:
        await stage.cpu.irq_work.store(pending)
        await local_irq_save()
        await stage.flag.load()

    stage.program.task("host", host, cpus=[0])
    stage.program.interrupt("irq", stage.irq, cpu=0)
    stage.program.nmi("nmi", stage.nmi, cpu=0)
    return stage


def enter(false: Guard | None) -> Case:
    stage = interrupted(1)

    async def subject() -> None:
        async with stage.cpu.interrupt():
            await stage.flag.load()

    stage.program.interrupt("subject", subject, cpu=0)
    pending = ("host", "host")
    moves = {
        None: pending,
        Guard.IRQS_ON: (*pending, "host"),
        Guard.NO_INTERRUPT: (*pending, "irq", "irq"),
    }
    return Case(stage.program, moves[false])


def _on_a_line(false: Guard | None, scope: Callable[[Cpu], InterruptScope]) -> Case:
    stage = interrupted(0 if false is Guard.PENDING else 1)

    async def subject() -> None:
        async with scope(stage.cpu):
            await stage.flag.load()

    stage.program.interrupt("subject", subject, cpu=0)
    moves = {
        None: (),
        Guard.PENDING: (),
        Guard.IRQS_ON: ("host",),
        Guard.NO_INTERRUPT: ("irq", "irq"),
    }
    return Case(stage.program, ("host", "host", *moves[false]))


def enter_pending(false: Guard | None) -> Case:
    return _on_a_line(false, Cpu.irq_work_interrupt)


def enter_asserted(false: Guard | None) -> Case:
    return _on_a_line(false, lambda cpu: cpu.interrupt(cpu.irq_work))


def nmi_enter(false: Guard | None) -> Case:
    stage = interrupted(0)
    stage.program.nmi("subject", stage.nmi, cpu=0)
    moves = ("host", "irq", "irq")
    return Case(stage.program, (*moves, "nmi") if false else moves)


def nmi_enter_asserted(false: Guard | None) -> Case:
    stage = interrupted(0 if false is Guard.PENDING else 1)

    async def subject() -> None:
        async with stage.cpu.nmi(stage.cpu.irq_work):
            await stage.flag.load()

    stage.program.nmi("subject", subject, cpu=0)
    moves = ("host", "host", "irq", "irq")
    return Case(stage.program, (*moves, "nmi") if false is Guard.NO_NMI else moves)


def leave(false: Guard | None) -> Case:
    stage = interrupted(0)

    async def subject() -> None:
        for _ in range(2):
            async with stage.cpu.interrupt():
                await stage.flag.load()

    stage.program.interrupt("subject", subject, cpu=0)
    moves = ("host", "subject", "subject")
    return Case(stage.program, (*moves, "nmi") if false else moves)


def irq_save(false: Guard | None) -> Case:
    stage = Stage()

    async def subject() -> None:
        await local_irq_save()
        await stage.flag.load()

    stage.subject(subject)
    stage.helpers()
    return Case(stage.program, ("subject", "nmi") if false else ("subject",))


def irq_restore(false: Guard | None) -> Case:
    return leaving(false, lambda: local_irq_restore(1), schedule, given=(0, 1, 0))


def retire(false: Guard | None) -> Case:
    stage = interrupted(0)

    async def subject() -> None:
        """No visit at all: it retires where it begins."""

    stage.program.interrupt("subject", subject, cpu=0)
    return Case(stage.program, (), mover="")


CASES: Final[dict[str, Callable[[Guard | None], Case]]] = {
    "switch_in": switch_in,
    "wake": wake,
    "schedule": schedule_out,
    "sleep": sleep,
    "exit": exit_,
    "fork": fork,
    "migrate": migrate,
    "enter": enter,
    "enter_pending": enter_pending,
    "enter_asserted": enter_asserted,
    "nmi_enter": nmi_enter,
    "nmi_enter_asserted": nmi_enter_asserted,
    "leave": leave,
    "irq_save": irq_save,
    "irq_restore": irq_restore,
    "retire": retire,
}
