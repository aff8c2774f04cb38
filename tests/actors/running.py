"""What the tests of live runs share."""

from collections.abc import Callable
from typing import Protocol

from stackweave.actors import Emulator
from stackweave.actors.live import Live
from stackweave.actors.soak import Entries, farewell, sources
from stackweave.core import Interpreter, Outcome, Program, Snapshot


def soak(emulator: Emulator, entries: int | None = None, seed: int = 0) -> Live:
    """A live run with everything that time brings."""
    return Live(
        emulator.program,
        seed=seed,
        sources=sources(emulator),
        farewell=farewell(emulator),
        watch=Entries(entries),
    )


class Cancellable(Protocol):
    """A scope, or asyncio's task."""

    def cancel(self) -> object: ...


def cancels(what: Cancellable, point: int) -> Callable[[Live], None]:
    """A watch that cancels when so many operations were performed."""

    def watch(live: Live) -> None:
        if live.operations == point:
            what.cancel()

    return watch


def replayed(program: Program, live: Live, outcome: Outcome) -> Interpreter:
    """An interpreter that has been through the same decisions and messages."""
    interpreter = Interpreter(program)
    interpreter.restore(Snapshot(outcome.schedule, live.interpreter.injected))
    return interpreter


def words_named(live: Live, *endings: str) -> dict[str, int]:
    """The declared words whose names end so, and what they hold."""
    layout, words = live.interpreter.program.layout, live.interpreter.store.words
    names = {layout.name_of(address): value for address, value in enumerate(words)}
    return {name: value for name, value in names.items() if name.endswith(endings)}


def check_at_rest(live: Live) -> None:
    """No lock is held, no reader is inside, interrupts are on, and nothing that was accepted is unread."""
    locks = words_named(live, "mutex", "pi_lock")
    assert len(locks) >= 3
    assert set(locks.values()) == {0}
    for index in "01":
        begun = sum(words_named(live, f".locks{index}").values())
        ended = sum(words_named(live, f".unlocks{index}").values())
        assert begun == ended
    assert live.interpreter._processors.irqs_on == [1] * live.interpreter.program.cpus
    assert not any(live.interpreter._processors.stacks)
    assert live.undelivered == []
