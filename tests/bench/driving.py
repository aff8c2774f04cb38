"""One execution of a benchmark program in each style, by the same choices: each a step of an unfinished thread."""

import threading
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

import asynchronous
import ours
import threaded
from workload import SHAPES, Word

from stackweave.core import Interpreter
from stackweave.core.context import Context

Turn = Callable[[], bool]
"""Makes a thread's next step; whether there is another one."""


class Ended(NamedTuple):
    """What an execution came to."""

    word: int
    steps: int


class Choices:
    """Drawn from a seed: each an index among the unfinished."""

    def __init__(self, seed: int) -> None:
        self._draw = Random(seed)
        self.made = 0

    def among(self, size: int) -> int:
        """The next one."""
        self.made += 1
        return self._draw.randrange(size)


def as_tasks(program: str, seed: int) -> Ended:
    """As a simulated event loop would."""
    word = Word()
    numbers = range(1, SHAPES[program].threads + 1)
    return Ended(*_alternate([_task(program, word, n) for n in numbers], seed, lambda: word.value))


def _task(program: str, word: Word, number: int) -> Turn:
    steps = asynchronous.WORKERS[program](word, number).__await__()

    def turn() -> bool:
        # what is next after the last step is the end
        return next(steps, steps) is not steps

    return turn


def as_threads(program: str, seed: int) -> Ended:
    """Real threads, of which one at a time is let through to its next access of the word."""
    word = _PacedWord()
    turns = [_thread(worker, word) for worker in threaded.threads(program)]
    return Ended(*_alternate(turns, seed, lambda: word.value))


class _PacedWord(threaded.LockedWord):
    """Stops before each access."""

    def __init__(self) -> None:
        self._now = 0
        self.failures = 0
        self._lock = threading.Lock()
        self.paces: dict[threading.Thread, _Pace] = {}

    @property
    def value(self) -> int:
        self._stop()
        return self._now

    @value.setter
    def value(self, new: int) -> None:
        self._stop()
        self._now = new

    def swap(self, seen: int, new: int) -> bool:
        self._stop()
        right = self._now == seen
        if right:
            self._now = new
        return right

    def _stop(self) -> None:
        pace = self.paces.get(threading.current_thread())
        if pace is not None:
            pace.stop()


class _Pace:
    """A thread that runs from one access to the next."""

    def __init__(self) -> None:
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self.over = False

    def stop(self) -> None:
        """In the thread: wait to be let through."""
        self._stopped.release()
        self._go.acquire()

    def end(self) -> None:
        """In the thread: that was all."""
        self.over = True
        self._stopped.release()

    def until_stopped(self) -> bool:
        """Wait for its next access; whether there is one."""
        self._stopped.acquire()
        return not self.over

    def turn(self) -> bool:
        """Let it through."""
        self._go.release()
        return self.until_stopped()


def _thread(worker: Callable[[threaded.LockedWord], None], word: _PacedWord) -> Turn:
    pace = _Pace()

    def run() -> None:
        worker(word)
        pace.end()

    thread = threading.Thread(target=run, daemon=True)
    word.paces[thread] = pace
    thread.start()
    pace.until_stopped()
    return pace.turn


def _alternate(turns: list[Turn], seed: int, word: Callable[[], int]) -> tuple[int, int]:
    choices = Choices(seed)
    while turns:
        at = choices.among(len(turns))
        if not turns[at]():
            del turns[at]
    return word(), choices.made


class _Chosen:
    """A strategy of such choices."""

    def __init__(self, seed: int) -> None:
        self._choices = Choices(seed)

    def begin(self, execution: int, contexts: Sequence[Context]) -> None:
        """One execution only."""

    def pick(self, enabled: Sequence[Context]) -> Context:
        return enabled[self._choices.among(len(enabled))]

    def choose(self, n: int) -> int:
        raise AssertionError("no program chooses")


def as_ours(program: str, seed: int) -> Ended:
    """In the interpreter."""
    outcome = Interpreter(ours.make(program)).run(_Chosen(seed), 0)
    return Ended(outcome.words[-1], outcome.operations)
